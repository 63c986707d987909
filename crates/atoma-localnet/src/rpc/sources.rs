//! What lists and subscriptions go through: checkpoints, transactions, events.

use sui_rpc::field::FieldMaskTree;
use sui_rpc::merge::Merge;
use sui_rpc::proto::sui::rpc::v2 as proto;
use tonic::Status;

use super::cursor::Cursor;
use super::filter::{EventPredicate, Filter, TransactionPredicate};
use super::render;
use super::view::View;
use crate::chain::Ledger;

/// A bounded part of the ledger, both ends excluded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) after: Option<Cursor>,
    pub(crate) before: Option<Cursor>,
}

impl Window {
    /// No bounds.
    pub(crate) const ALL: Self = Self {
        after: None,
        before: None,
    };

    fn holds(&self, cursor: Cursor) -> bool {
        self.after.is_none_or(|after| cursor > after)
            && self.before.is_none_or(|before| cursor < before)
    }
}

/// Finds matching items in one checkpoint at a time.
pub(crate) trait Source: Send + Sync + 'static {
    /// The rendered item.
    type Item: Send + 'static;
    /// True if an item is a whole checkpoint.
    const WHOLE_CHECKPOINTS: bool = false;

    /// Matching items of a checkpoint inside the window, in the order of the ledger.
    ///
    /// # Errors
    /// When a record does not decode.
    fn items(
        &self,
        ledger: &Ledger,
        sequence: u64,
        window: Window,
    ) -> Result<Vec<(Cursor, Self::Item)>, Status>;
}

/// Whole checkpoints, those with a matching transaction.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    pub(crate) filter: Filter<TransactionPredicate>,
    pub(crate) mask: FieldMaskTree,
}

impl Source for Checkpoints {
    type Item = proto::Checkpoint;
    const WHOLE_CHECKPOINTS: bool = true;

    fn items(
        &self,
        ledger: &Ledger,
        sequence: u64,
        window: Window,
    ) -> Result<Vec<(Cursor, Self::Item)>, Status> {
        let cursor = Cursor::end_of(sequence);
        let Some(record) = ledger.checkpoint(sequence) else {
            return Ok(Vec::new());
        };
        if !window.holds(cursor) {
            return Ok(Vec::new());
        }
        let mut matches = self.filter.is_open();
        for transaction in ledger.transactions_of(record) {
            matches = matches || self.filter.passes(&View::new(transaction))?;
        }
        if !matches {
            return Ok(Vec::new());
        }
        Ok(vec![(
            cursor,
            render::checkpoint(ledger, record, &self.mask)?,
        )])
    }
}

/// Single transactions.
#[derive(Debug)]
pub(crate) struct Transactions {
    pub(crate) filter: Filter<TransactionPredicate>,
    pub(crate) mask: FieldMaskTree,
}

impl Source for Transactions {
    type Item = proto::ExecutedTransaction;

    fn items(
        &self,
        ledger: &Ledger,
        sequence: u64,
        window: Window,
    ) -> Result<Vec<(Cursor, Self::Item)>, Status> {
        let mut items = Vec::new();
        let Some(record) = ledger.checkpoint(sequence) else {
            return Ok(items);
        };
        for (index, transaction) in (0_u64..).zip(ledger.transactions_of(record)) {
            let cursor = Cursor::transaction(sequence, index);
            let view = View::new(transaction);
            if window.holds(cursor) && self.filter.passes(&view)? {
                let position = record.first_transaction + items_index(index);
                let item = render::transaction(ledger, position, &view, &self.mask)?;
                items.push((cursor, item));
            }
        }
        Ok(items)
    }
}

/// Single events.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) filter: Filter<EventPredicate>,
    pub(crate) mask: FieldMaskTree,
}

impl Source for Events {
    type Item = proto::Event;

    fn items(
        &self,
        ledger: &Ledger,
        sequence: u64,
        window: Window,
    ) -> Result<Vec<(Cursor, Self::Item)>, Status> {
        let mut items = Vec::new();
        let Some(record) = ledger.checkpoint(sequence) else {
            return Ok(items);
        };
        for (transaction, stored) in (0_u64..).zip(ledger.transactions_of(record)) {
            let view = View::new(stored);
            let Some(events) = view.events()? else {
                continue;
            };
            for (index, event) in (0_u32..).zip(&events.0) {
                let cursor = Cursor {
                    checkpoint: sequence,
                    transaction,
                    event: u64::from(index),
                };
                if !window.holds(cursor) || !self.filter.passes(event)? {
                    continue;
                }
                let mut whole = proto::Event::from(event.clone());
                whole.checkpoint = Some(sequence);
                whole.transaction_digest = Some(stored.digest.to_string());
                whole.transaction_index = Some(transaction);
                whole.event_index = Some(index);
                items.push((cursor, proto::Event::merge_from(&whole, &self.mask)));
            }
        }
        Ok(items)
    }
}

fn items_index(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
