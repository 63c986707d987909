//! Snapshots: what a ledger keeps in memory, in a file beside the log, so that a start reads the log only
//! from there on.
//!
//! A snapshot has the places of all records in the log, never the records themselves. So it is of use
//! with its own log only, and says which that is: it has the digest of the log's last entry and of its
//! last checkpoint, which commits to everything before it.
//!
//! The file is a sequence of [frames](super::frames): a name, the [head](format::Head), the sections of
//! [rows](rows), and an empty frame. It is written under another name, synced and renamed.

mod format;
mod load;
mod rows;
mod save;

pub(super) use load::load;
pub(crate) use save::Saved;
