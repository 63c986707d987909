//! Where the history of a node begins that has pruned the rest, for the list calls.

use tonic::{Code, Status};

use super::cursor::LedgerCursor;
use super::node::Node;
use super::sources::Source;
use crate::chain::Ledger;
use crate::execution::status;

/// Where a node's history begins, in the unit of a list's items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Floor {
    pub(super) checkpoint: u64,
    /// The position at which a request that says where to begin would begin, and that of the first item that
    /// the node still has.
    begin: Option<(u64, u64)>,
    unit: &'static str,
}

impl Floor {
    /// The history of a node, for a request with these lower bounds.
    pub(super) fn of<S: Source>(
        node: &Node,
        ledger: &Ledger,
        start: Option<u64>,
        after: Option<LedgerCursor>,
    ) -> Self {
        let checkpoint = node.lowest_checkpoint(ledger);
        let first_of = |sequence| {
            let record = ledger.checkpoint(sequence);
            record.map_or(u64::MAX, |record| position(record.first_transaction))
        };
        let (start, after, lowest, unit) = if S::WHOLE_CHECKPOINTS {
            let after = after.map(|after| after.checkpoint.saturating_add(1));
            (start, after, checkpoint, "checkpoint")
        } else {
            let after = after.map(|after| {
                let first = first_of(after.checkpoint);
                match (after.transaction, after.event) {
                    (u64::MAX, _) => first_of(after.checkpoint.saturating_add(1)),
                    (index, u64::MAX) => first.saturating_add(index).saturating_add(1),
                    (index, _) => first.saturating_add(index),
                }
            });
            let start = start.map(first_of);
            (start, after, first_of(checkpoint), "tx_seq")
        };
        Self {
            checkpoint,
            begin: start.max(after).map(|begin| (begin, lowest)),
            unit,
        }
    }

    /// The refusal of a request that says where to begin, and begins before the history: `OUT_OF_RANGE` with the
    /// lowest number that the node still has. Other requests begin with the history.
    pub(super) fn refusal(self) -> Option<Status> {
        let (begin, lowest) = self.begin?;
        (begin < lowest).then(|| {
            let unit = self.unit;
            status::new(
                Code::OutOfRange,
                format!(
                    "requested data below earliest available; lowest available {unit} is {lowest}"
                ),
            )
        })
    }
}

fn position(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}
