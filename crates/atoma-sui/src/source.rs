//! The contract's transactions, in ledger order.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use atoma_domain::ports::{
    ChainError, EventCursor, EventSource, LedgerFrame, LedgerPosition, LedgerStream,
    LedgerTransaction,
};
use atoma_domain::{CheckpointNumber, Digest, Epoch, ObjectId, TimestampMs};
use futures::stream::Stream;
use futures::{FutureExt as _, StreamExt as _};
use sui_rpc::client::{
    LedgerStreamConfig, LedgerStreamEvent, TransactionStreamFrame, TransactionStreamRequest,
    TransactionStreamStart,
};
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::proto_to_timestamp_ms;
use sui_rpc::proto::sui::rpc::v2::filter::transaction::affected_object;
use sui_rpc::proto::sui::rpc::v2::{self as proto, TransactionFilter};
use tonic::Status;

use crate::chain::SuiChain;
use crate::contract_events::EventTypes;
use crate::cursor::Cursor;
use crate::history;
use crate::outcome::{lacks, parse};
use crate::refusal::read_error;

/// What is read of a transaction. Checkpoint and index are what the stream itself needs.
const MASK: [&str; 10] = [
    "digest",
    "checkpoint",
    "transaction_index",
    "timestamp",
    "effects.epoch",
    "effects.status",
    "effects.changed_objects.object_id",
    "events.events.event_type",
    "events.events.contents",
    "transaction.sender",
];

/// Follows the transactions that touch the contract's `AtomaDb`: those that emit events, and those
/// that change the contract silently.
#[derive(Debug)]
pub struct SuiEventSource {
    chain: Arc<SuiChain>,
    start: CheckpointNumber,
}

impl SuiEventSource {
    /// Follows the ledger as the chain's node has it. Without a cursor it begins at `start`: any
    /// checkpoint not later than the contract's publication, 0 at the least.
    pub const fn new(chain: Arc<SuiChain>, start: CheckpointNumber) -> Self {
        Self { chain, start }
    }
}

#[async_trait]
impl EventSource for SuiEventSource {
    async fn follow(
        &self,
        after: Option<EventCursor>,
    ) -> Result<Box<dyn LedgerStream>, ChainError> {
        let (next, start) = match &after {
            None => (
                self.start,
                TransactionStreamStart::Checkpoint(self.start.get()),
            ),
            Some(mark) => {
                let cursor = Cursor::try_from(mark)?;
                (cursor.next, TransactionStreamStart::Resume(cursor.node))
            }
        };
        let (facts, info) =
            futures::try_join!(self.chain.facts(), self.chain.connection().service_info())?;
        // The node's stream would silently begin with what it has.
        history::reaches_back(&info, next.get())?;
        let atoma_db = self.chain.atoma_db_id();
        let request = TransactionStreamRequest::new()
            .with_filter(TransactionFilter::matching(affected_object(atoma_db)))
            .with_read_mask(FieldMask::from_paths(MASK))
            .with_start(start);
        let client = self.chain.connection().stream_client();
        Ok(Box::new(SuiLedgerStream {
            frames: Box::pin(client.stream_transactions_with_config(request, logging())),
            atoma_db,
            types: facts.events.clone(),
            next,
            failed: None,
        }))
    }
}

/// Lost connections are repaired inside the stream; this tells of them.
fn logging() -> LedgerStreamConfig {
    LedgerStreamConfig::default().with_observer(|event| match event {
        LedgerStreamEvent::RetryScheduled {
            status,
            consecutive_failures,
            delay,
            ..
        } => tracing::warn!(
            error = %status,
            consecutive_failures,
            delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            "the Sui node's stream broke off, trying again"
        ),
        LedgerStreamEvent::RetryRecovered {
            consecutive_failures,
            ..
        } => tracing::info!(consecutive_failures, "the Sui node's stream goes on"),
        _ => {}
    })
}

type Frames = Pin<Box<dyn Stream<Item = Result<TransactionStreamFrame, Status>> + Send>>;

/// The ledger being followed.
struct SuiLedgerStream {
    frames: Frames,
    atoma_db: ObjectId,
    types: EventTypes,
    /// The lowest checkpoint still needed.
    next: CheckpointNumber,
    /// An error that came after steps which had to be delivered first.
    failed: Option<ChainError>,
}

impl fmt::Debug for SuiLedgerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiLedgerStream")
            .field("atoma_db", &self.atoma_db)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LedgerStream for SuiLedgerStream {
    async fn next_steps(&mut self, limit: usize) -> Result<Vec<LedgerFrame>, ChainError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let first = self.frames.next().await;
        let mut steps = vec![self.step(first)?];
        while steps.len() < limit {
            // Whatever is at hand, without waiting.
            let Some(frame) = self.frames.next().now_or_never() else {
                break;
            };
            match self.step(frame) {
                Ok(step) => steps.push(step),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(steps)
    }
}

impl SuiLedgerStream {
    fn step(
        &mut self,
        frame: Option<Result<TransactionStreamFrame, Status>>,
    ) -> Result<LedgerFrame, ChainError> {
        let frame = frame
            .ok_or(lacks("a stream that goes on"))?
            .map_err(read_error)?;
        let transaction = match frame.transaction {
            Some(transaction) => self.transaction(&transaction)?,
            None => None,
        };
        if let Some(transaction) = &transaction {
            // More of the same checkpoint may come.
            self.next = self.next.max(transaction.position.checkpoint);
        }
        let covered = frame.covered_checkpoint.map(CheckpointNumber::new);
        if let Some(covered) = covered {
            let next = CheckpointNumber::new(covered.get().saturating_add(1));
            self.next = self.next.max(next);
        }
        let cursor = Cursor {
            next: self.next,
            node: frame.cursor,
        };
        Ok(LedgerFrame {
            transaction,
            cursor: EventCursor::from(&cursor),
            covered,
        })
    }

    /// The transaction, if it concerns the contract: a node may know no filters.
    fn transaction(
        &self,
        transaction: &proto::ExecutedTransaction,
    ) -> Result<Option<LedgerTransaction>, ChainError> {
        let digest: Digest = parse(transaction.digest.as_deref(), "a transaction's digest")?;
        let effects = transaction.effects.as_ref().ok_or(lacks("effects"))?;
        let success = effects
            .status
            .as_ref()
            .and_then(|status| status.success)
            .ok_or(lacks("effects.status.success"))?;
        let events = match &transaction.events {
            Some(events) if success => self.types.decode(&events.events, digest)?,
            _ => Vec::new(),
        };
        if events.is_empty() && !self.touches_contract(effects) {
            return Ok(None);
        }
        let checkpoint = transaction.checkpoint.ok_or(lacks("its checkpoint"))?;
        let index = transaction
            .transaction_index
            .ok_or(lacks("its index in the checkpoint"))?;
        let timestamp = transaction
            .timestamp
            .and_then(|timestamp| proto_to_timestamp_ms(timestamp).ok())
            .ok_or(lacks("a transaction's timestamp"))?;
        let sender = transaction
            .transaction
            .as_ref()
            .and_then(|transaction| transaction.sender.as_deref());
        Ok(Some(LedgerTransaction {
            digest,
            position: LedgerPosition {
                checkpoint: CheckpointNumber::new(checkpoint),
                index,
            },
            timestamp: TimestampMs::new(timestamp),
            epoch: Epoch::new(effects.epoch.ok_or(lacks("effects.epoch"))?),
            sender: parse(sender, "a transaction's sender")?,
            events,
        }))
    }

    fn touches_contract(&self, effects: &proto::TransactionEffects) -> bool {
        effects.changed_objects.iter().any(|object| {
            object.object_id.as_deref().and_then(|id| id.parse().ok()) == Some(self.atoma_db)
        })
    }
}

#[cfg(test)]
mod tests;
