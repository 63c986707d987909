//! What the database can tell about the mirror.

use atoma_state::SqliteState;

/// The database, as far as it can be read.
#[derive(Debug)]
pub(super) enum Mirror {
    /// There is none yet: the mirror will begin at `sui.start_checkpoint`.
    Missing,
    /// There may be one, and what it holds is not known.
    Unreadable,
    /// It is open for reading.
    Open(SqliteState),
}
