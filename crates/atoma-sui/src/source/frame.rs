//! A step along the ledger as a node delivers it.

use sui_rpc::client::TransactionStreamFrame;
use sui_rpc::proto::sui::rpc::v2 as proto;

/// A transaction, progress, or both.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) transaction: Option<proto::ExecutedTransaction>,
    /// The last checkpoint that has been delivered completely.
    pub(super) covered: Option<u64>,
}

impl From<TransactionStreamFrame> for Frame {
    fn from(frame: TransactionStreamFrame) -> Self {
        Self {
            transaction: frame.transaction,
            covered: frame.covered_checkpoint,
        }
    }
}
