//! Following the contract's transactions in ledger order.

mod checkpoints;
mod frame;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use atoma_domain::ports::{
    BalanceChange, ChainError, EventCursor, EventSource, LedgerFrame, LedgerPosition, LedgerStream,
    LedgerTransaction,
};
use atoma_domain::{CheckpointNumber, Digest, Epoch, ObjectId, TimestampMs};
use frame::Frame;
use futures::stream::Stream;
use futures::{FutureExt as _, StreamExt as _};
use sui_rpc::client::{
    LedgerStreamConfig, LedgerStreamEvent, TransactionStreamRequest, TransactionStreamStart,
};
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::proto_to_timestamp_ms;
use sui_rpc::proto::sui::rpc::v2::filter::transaction::affected_object;
use sui_rpc::proto::sui::rpc::v2::{self as proto, TransactionFilter};
use sui_sdk_types::TypeTag;
use tonic::{Code, Status};

use crate::chain::SuiChain;
use crate::connection::Connection;
use crate::contract_events::{Decoded, EventTypes};
use crate::cursor::StreamCursor;
use crate::history;
use crate::node::NodeUrl;
use crate::refusal::read_error;
use crate::response::{malformed, parse};

/// The fields read of a transaction. The stream itself needs checkpoint and index.
const MASK: [&str; 12] = [
    "digest",
    "checkpoint",
    "transaction_index",
    "timestamp",
    "effects.epoch",
    "effects.status",
    "effects.lamport_version",
    "effects.changed_objects.object_id",
    "events.events.event_type",
    "events.events.contents",
    "transaction.sender",
    "balance_changes",
];

/// How many transactions a page of the history has: the most that nodes give. By default it is 100.
const PAGE: u32 = 1_000;

/// Follows the transactions that change the contract's `AtomaDb`, with or without events.
#[derive(Debug)]
pub struct SuiEventSource {
    chain: Arc<SuiChain>,
    start: CheckpointNumber,
}

impl SuiEventSource {
    /// Follows the ledger of the chain's node. Without a cursor it begins at checkpoint `start`,
    /// which must not be later than the contract's publication; 0 always works if the node has its
    /// whole history.
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
        Ok(Box::new(self.follow_until_lost(after, None).await?))
    }
}

/// What to do when a node's stream is lost again and again, with what the node said.
pub(crate) type OnLoss = Arc<dyn Fn(&Status) + Send + Sync>;

impl SuiEventSource {
    /// Follows the ledger. `on_loss` is called each time when the stream is lost more than once in a row; it is
    /// taken up again all the same.
    pub(crate) async fn follow_until_lost(
        &self,
        after: Option<EventCursor>,
        on_loss: Option<OnLoss>,
    ) -> Result<SuiLedgerStream, ChainError> {
        let cursor = match &after {
            None => StreamCursor::at(self.start),
            Some(stored) => StreamCursor::try_from(stored)?,
        };
        let (facts, info) =
            futures::try_join!(self.chain.facts(), self.chain.connection().service_info())?;
        // Without this check the node's stream would silently begin at the history it has left.
        history::check_history(&info, cursor.next.get())?;
        // A stream that begins with a checkpoint to come would wait for it, although its progress may matter.
        let height = info.checkpoint_height.unwrap_or(u64::MAX);
        let lowest = info.lowest_available_checkpoint.unwrap_or_default();
        let start = cursor.next.get().min(height.max(lowest));
        let connection = self.chain.connection().clone();
        let atoma_db = self.chain.atoma_db_id();
        let frames: Frames = if connection.lacks_lists() {
            Box::pin(checkpoints::frames(connection.clone(), start))
        } else {
            let request = TransactionStreamRequest::new()
                .with_filter(TransactionFilter::matching(affected_object(atoma_db)))
                .with_read_mask(FieldMask::from_paths(MASK))
                .with_start(TransactionStreamStart::Checkpoint(start));
            let client = connection.stream_client();
            let config = config(connection.gate().url(), on_loss);
            let frames = client.stream_transactions_with_config(request, config);
            Box::pin(frames.map(|frame| frame.map(Frame::from)))
        };
        Ok(SuiLedgerStream {
            frames,
            atoma_db,
            types: facts.events.clone(),
            currency: self.chain.known_currency().await,
            cursor,
            fallback: Some((connection, start)),
            pending_error: None,
        })
    }
}

/// Asks for long pages, and logs lost connections. The stream itself reconnects.
fn config(url: &NodeUrl, on_loss: Option<OnLoss>) -> LedgerStreamConfig {
    let url = url.clone();
    let mut config = LedgerStreamConfig::default();
    config.list_page_limit = Some(PAGE);
    config.with_observer(move |event| match event {
        LedgerStreamEvent::RetryScheduled {
            status,
            consecutive_failures,
            delay,
            ..
        } => {
            tracing::warn!(
                node = %url,
                error = status.message(),
                consecutive_failures,
                delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                "lost the Sui node's transaction stream, reconnecting"
            );
            // A stream that breaks off once is no reason to leave the node.
            if let Some(on_loss) = on_loss.as_ref().filter(|_| consecutive_failures > 1) {
                on_loss(&status);
            }
        }
        LedgerStreamEvent::RetryRecovered {
            consecutive_failures,
            ..
        } => tracing::info!(
            node = %url,
            consecutive_failures,
            "reconnected to the Sui node's transaction stream"
        ),
        _ => {}
    })
}

type Frames = Pin<Box<dyn Stream<Item = Result<Frame, Status>> + Send>>;

/// The ledger as it is followed.
pub(crate) struct SuiLedgerStream {
    frames: Frames,
    atoma_db: ObjectId,
    types: EventTypes,
    /// The contract's currency, if the node told its type.
    currency: Option<TypeTag>,
    /// Where to go on.
    cursor: StreamCursor,
    /// Where to read whole checkpoints, and from which one on, if the node turns out to have no list calls.
    fallback: Option<(Connection, u64)>,
    /// An error to return with the next call, because steps before it had to be delivered first.
    pending_error: Option<ChainError>,
}

impl fmt::Debug for SuiLedgerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiLedgerStream")
            .field("atoma_db", &self.atoma_db)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LedgerStream for SuiLedgerStream {
    async fn next_steps(&mut self, limit: usize) -> Result<Vec<LedgerFrame>, ChainError> {
        if let Some(error) = self.pending_error.take() {
            return Err(error);
        }
        let mut first = self.frames.next().await;
        if let Some(Err(status)) = &first
            && status.code() == Code::Unimplemented
            && let Some((connection, start)) = self.fallback.take()
        {
            if connection.note_lack_of_lists() {
                tracing::warn!(
                    node = %connection.gate().url(),
                    "the Sui node has no list calls; reading whole checkpoints instead, which takes longer and more \
                     data"
                );
            }
            self.frames = Box::pin(checkpoints::frames(connection, start));
            first = self.frames.next().await;
        }
        let mut steps = vec![self.step(first)?];
        while steps.len() < limit {
            // Take what has already arrived, without waiting for more.
            let Some(frame) = self.frames.next().now_or_never() else {
                break;
            };
            match self.step(frame) {
                Ok(step) => steps.push(step),
                Err(error) => {
                    self.pending_error = Some(error);
                    break;
                }
            }
        }
        Ok(steps)
    }
}

impl SuiLedgerStream {
    fn step(&mut self, frame: Option<Result<Frame, Status>>) -> Result<LedgerFrame, ChainError> {
        let frame = frame
            .ok_or(malformed("the next frame: the transaction stream ended"))?
            .map_err(read_error)?;
        let transaction = match frame.transaction {
            Some(transaction) => self.transaction(&transaction)?,
            None => None,
        };
        // Done before, if the stream began earlier than the cursor.
        let transaction = transaction.filter(|read| self.cursor.needs(read.position));
        if let Some(transaction) = &transaction {
            self.cursor.pass(transaction.position);
        }
        let covered = frame.covered.map(CheckpointNumber::new);
        let covered = covered.filter(|covered| *covered >= self.cursor.next);
        if let Some(covered) = covered {
            self.cursor.pass_checkpoint(covered);
        }
        Ok(LedgerFrame {
            transaction,
            cursor: EventCursor::from(&self.cursor),
            covered,
        })
    }

    /// Reads the transaction if it concerns the contract. A node that doesn't support filters
    /// sends others too.
    fn transaction(
        &self,
        transaction: &proto::ExecutedTransaction,
    ) -> Result<Option<LedgerTransaction>, ChainError> {
        let digest: Digest = parse(transaction.digest.as_deref(), "a transaction's digest")?;
        let effects = transaction.effects.as_ref().ok_or(malformed("effects"))?;
        let success = effects
            .status
            .as_ref()
            .and_then(|status| status.success)
            .ok_or(malformed("effects.status.success"))?;
        let Decoded { events, set_aside } = match &transaction.events {
            Some(events) if success => self.types.decode(&events.events, digest)?,
            _ => Decoded::default(),
        };
        let writes_contract = self.writes_contract(effects);
        let is_silent = success && events.is_empty() && set_aside.is_empty();
        if events.is_empty() && set_aside.is_empty() && !writes_contract {
            return Ok(None);
        }
        let checkpoint = transaction.checkpoint.ok_or(malformed("its checkpoint"))?;
        let index = transaction
            .transaction_index
            .ok_or(malformed("its index in the checkpoint"))?;
        let timestamp = transaction
            .timestamp
            .and_then(|timestamp| proto_to_timestamp_ms(timestamp).ok())
            .ok_or(malformed("a transaction's timestamp"))?;
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
            epoch: Epoch::new(effects.epoch.ok_or(malformed("effects.epoch"))?),
            sender: parse(sender, "a transaction's sender")?,
            events,
            contract_version: effects.lamport_version.filter(|_| writes_contract),
            unexplained: if is_silent || !set_aside.is_empty() {
                changed_objects(effects).collect()
            } else {
                Vec::new()
            },
            set_aside,
            balance_changes: match &self.currency {
                Some(currency) => Some(changes_of(currency, &transaction.balance_changes)?),
                None => None,
            },
        }))
    }

    fn writes_contract(&self, effects: &proto::TransactionEffects) -> bool {
        changed_objects(effects).any(|object| object == self.atoma_db)
    }
}

/// The changes of balances of this currency.
///
/// # Errors
/// When the node left out a field of one, so that another answer may have it.
fn changes_of(
    currency: &TypeTag,
    changes: &[proto::BalanceChange],
) -> Result<Vec<BalanceChange>, ChainError> {
    let mut read = Vec::new();
    for change in changes {
        let coin_type: TypeTag = parse(change.coin_type.as_deref(), "a coin's type")?;
        if coin_type == *currency {
            read.push(BalanceChange {
                address: parse(change.address.as_deref(), "the address of a balance")?,
                amount: parse(change.amount.as_deref(), "the change of a balance")?,
            });
        }
    }
    Ok(read)
}

fn changed_objects(effects: &proto::TransactionEffects) -> impl Iterator<Item = ObjectId> {
    let objects = effects.changed_objects.iter();
    objects.filter_map(|object| object.object_id().parse().ok())
}

#[cfg(test)]
mod tests;
