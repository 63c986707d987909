//! Keeping the database small.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::TimestampMs;

/// Keeps the database small.
#[async_trait]
pub trait Upkeep: Debug + Send + Sync {
    /// Drops what attempts that were concluded before this time carried: their transaction, signatures and
    /// effects, for at most `limit` attempts. Returns for how many. Digest, objects, gas, outcome and checkpoint
    /// stay. Nothing needs the rest any more: only a signed attempt is ever sent again.
    ///
    /// # Errors
    /// When the database fails.
    async fn drop_carried(
        &self,
        concluded_before: TimestampMs,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
