//! Sums over the database.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::model::StoreFigures;
use crate::{Epoch, NodeSmallId};

/// Sums over the database, for metrics.
#[async_trait]
pub trait Figures: Debug + Send + Sync {
    /// The sums for these nodes in epoch `now`. Reads every stack of theirs that is not claimed, so it
    /// can take some time: ask seldom.
    ///
    /// # Errors
    /// When the database can't be read.
    async fn figures(&self, nodes: &[NodeSmallId], now: Epoch) -> Result<StoreFigures, StoreError>;
}
