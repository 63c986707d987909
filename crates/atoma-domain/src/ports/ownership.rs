//! Who may act for an operator on a database.

use std::fmt::Debug;

use async_trait::async_trait;

/// The right of this process to act for the operator on a database. No other process has it at the same time, so nobody
/// else signs what the journal knows nothing of.
#[async_trait]
pub trait Ownership: Debug + Send + Sync {
    /// Closes the database and gives the right up. Call it once nothing of this process uses the database any more;
    /// repeating it does nothing.
    async fn give_up(&self);
}
