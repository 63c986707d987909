//! The items of lists and subscriptions: checkpoints, transactions and events.

use sui_rpc::field::FieldMaskTree;
use sui_rpc::merge::Merge;
use sui_rpc::proto::sui::rpc::v2 as proto;
use tonic::Status;

use super::cursor::LedgerCursor;
use super::filter::{EventPredicate, Filter, TransactionPredicate};
use super::render;
use super::view::{DecodedTransaction, lost};
use crate::chain::Ledger;
use crate::contract::ContractAddresses;

/// A part of the ledger, both ends exclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) after: Option<LedgerCursor>,
    pub(crate) before: Option<LedgerCursor>,
}

impl Window {
    /// No bounds.
    pub(crate) const ALL: Self = Self {
        after: None,
        before: None,
    };

    fn contains(&self, cursor: LedgerCursor) -> bool {
        self.after.is_none_or(|after| cursor > after)
            && self.before.is_none_or(|before| cursor < before)
    }
}

/// Finds the matching items of one checkpoint at a time.
pub(crate) trait Source: Send + Sync + 'static {
    /// The rendered item.
    type Item: Send + 'static;
    /// Whether an item is a whole checkpoint.
    const WHOLE_CHECKPOINTS: bool = false;

    /// The checkpoint's matching items inside the window, in ledger order.
    ///
    /// # Errors
    /// When a record can't be decoded.
    fn items(
        &self,
        ledger: &Ledger,
        sequence: u64,
        window: Window,
    ) -> Result<Vec<(LedgerCursor, Self::Item)>, Status>;
}

/// The checkpoints with a matching transaction.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    pub(crate) contract: ContractAddresses,
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
    ) -> Result<Vec<(LedgerCursor, Self::Item)>, Status> {
        let cursor = LedgerCursor::end_of(sequence);
        let Some(record) = ledger.checkpoint(sequence) else {
            return Ok(Vec::new());
        };
        if !window.contains(cursor) {
            return Ok(Vec::new());
        }
        let mut matches = self.filter.is_open();
        let mut transactions = ledger.transactions_of(record);
        while !matches && let Some(transaction) = transactions.next() {
            let transaction = transaction.map_err(lost)?;
            matches = self.filter.passes(&DecodedTransaction::new(&transaction))?;
        }
        if !matches {
            return Ok(Vec::new());
        }
        Ok(vec![(
            cursor,
            render::checkpoint(ledger, &self.contract, record, &self.mask)?,
        )])
    }
}

/// The matching transactions.
#[derive(Debug)]
pub(crate) struct Transactions {
    pub(crate) contract: ContractAddresses,
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
    ) -> Result<Vec<(LedgerCursor, Self::Item)>, Status> {
        let mut items = Vec::new();
        let Some(record) = ledger.checkpoint(sequence) else {
            return Ok(items);
        };
        for (index, transaction) in (0_u64..).zip(ledger.transactions_of(record)) {
            let cursor = LedgerCursor::transaction(sequence, index);
            let transaction = transaction.map_err(lost)?;
            let view = DecodedTransaction::new(&transaction);
            if window.contains(cursor) && self.filter.passes(&view)? {
                let position = record.first_transaction + items_index(index);
                let item =
                    render::transaction(ledger, &self.contract, position, &view, &self.mask)?;
                items.push((cursor, item));
            }
        }
        Ok(items)
    }
}

/// The matching events.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) contract: ContractAddresses,
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
    ) -> Result<Vec<(LedgerCursor, Self::Item)>, Status> {
        let mut items = Vec::new();
        let Some(record) = ledger.checkpoint(sequence) else {
            return Ok(items);
        };
        for (transaction, stored) in (0_u64..).zip(ledger.transactions_of(record)) {
            let stored = stored.map_err(lost)?;
            let view = DecodedTransaction::new(&stored);
            let Some(events) = view.events()? else {
                continue;
            };
            for (index, event) in (0_u32..).zip(&events.0) {
                let cursor = LedgerCursor {
                    checkpoint: sequence,
                    transaction,
                    event: u64::from(index),
                };
                if !window.contains(cursor) || !self.filter.passes(event)? {
                    continue;
                }
                let mut message = proto::Event::from(event.clone());
                message.checkpoint = Some(sequence);
                message.transaction_digest = Some(stored.digest.to_string());
                message.transaction_index = Some(transaction);
                message.event_index = Some(index);
                let mut item = proto::Event::merge_from(&message, &self.mask);
                item.json = render::event(event, &self.contract, &self.mask);
                items.push((cursor, item));
            }
        }
        Ok(items)
    }
}

fn items_index(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
