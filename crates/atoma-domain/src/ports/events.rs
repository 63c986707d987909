//! Following the ledger, and applying its events to the mirror.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use bytes::Bytes;

use super::{ChainError, StoreError};
use crate::events::{ContractEvent, StackCreated};
use crate::model::OperatorNode;
use crate::{Address, CheckpointNumber, Digest, Epoch, ObjectId, TimestampMs};

/// The chain and contract that a database mirrors. A database belongs to one of them permanently.
///
/// The contract is its shared object, `AtomaDb`. The package is not part of it, because an upgrade
/// changes the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainIdentity {
    /// The digest of the chain's first checkpoint.
    pub chain_id: Digest,
    /// The contract's shared object.
    pub atoma_db_id: ObjectId,
}

impl fmt::Display for ChainIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chain {}, AtomaDb {}", self.chain_id, self.atoma_db_id)
    }
}

/// The place of a transaction in the ledger. It orders all transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerPosition {
    /// The checkpoint.
    pub checkpoint: CheckpointNumber,
    /// The transaction's index in the checkpoint, from 0.
    pub index: u64,
}

/// A place in the ledger in the event source's own format, to be stored and handed back unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCursor(pub Bytes);

/// A transaction that involved the contract.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerTransaction {
    /// Its digest.
    pub digest: Digest,
    /// Its place.
    pub position: LedgerPosition,
    /// The time of its checkpoint.
    pub timestamp: TimestampMs,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its sender.
    pub sender: Address,
    /// The contract's events, in order; empty if it failed. Without those that are set aside.
    pub events: Vec<ContractEvent>,
    /// The contract's events that this version can't read, in order.
    pub set_aside: Vec<EventSetAside>,
    /// The version that it gave the `AtomaDb`: every transaction of the contract writes the object, so versions
    /// grow in ledger order. `None` if it didn't write it.
    pub contract_version: Option<u64>,
    /// The objects that it changed, if its events don't tell all that it did: it has none although it succeeded,
    /// or some are set aside.
    pub unexplained: Vec<ObjectId>,
    /// How it changed balances of the contract's currency, USDC; `None` if the source doesn't tell.
    pub balance_changes: Option<Vec<BalanceChange>>,
}

/// By how much a transaction changed an address's balance of USDC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceChange {
    /// The address.
    pub address: Address,
    /// In micro-USDC; negative if it paid.
    pub amount: i128,
}

/// The most bytes that are kept of an event's type or contents. A larger event is cut off.
pub const MAX_SET_ASIDE_BYTES: usize = 64 * 1024;

/// An event of the contract that this version can't read. It is kept, so that an operator sees what the mirror
/// lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSetAside {
    /// Its place among all events of its transaction, from 0.
    pub index: u64,
    /// Its full type, at most [`MAX_SET_ASIDE_BYTES`].
    pub event_type: String,
    /// Its BCS, at most [`MAX_SET_ASIDE_BYTES`].
    pub contents: Bytes,
    /// Why it can't be read.
    pub reason: String,
}

/// A step along the ledger, with or without a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerFrame {
    /// The transaction; `None` if the step is only progress.
    pub transaction: Option<LedgerTransaction>,
    /// Where to continue after this step.
    pub cursor: EventCursor,
    /// The last checkpoint that was searched completely.
    pub covered: Option<CheckpointNumber>,
}

/// The source of the contract's transactions.
#[async_trait]
pub trait EventSource: Debug + Send + Sync {
    /// Follows the ledger from after the cursor, or from its beginning.
    ///
    /// # Errors
    /// [`ChainError::Pruned`] when the node has pruned that part of the ledger.
    async fn follow(&self, after: Option<EventCursor>)
    -> Result<Box<dyn LedgerStream>, ChainError>;
}

/// The stream of a followed ledger.
#[async_trait]
pub trait LedgerStream: Debug + Send {
    /// Waits for at least one step and returns all available ones, at most `limit`, in ledger order.
    ///
    /// # Errors
    /// An error ends the stream. Follow the ledger again from the last cursor applied.
    async fn next_steps(&mut self, limit: usize) -> Result<Vec<LedgerFrame>, ChainError>;
}

/// The progress of the mirror.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where to continue; `None` before the first step.
    pub cursor: Option<EventCursor>,
    /// The last transaction applied.
    pub position: Option<LedgerPosition>,
    /// The last checkpoint that is mirrored completely.
    pub covered: Option<CheckpointNumber>,
    /// The latest epoch seen.
    pub epoch: Option<Epoch>,
    /// The version of the `AtomaDb` that is mirrored.
    pub contract_version: Option<u64>,
    /// How many events are set aside.
    pub set_aside: u64,
}

/// The mirror of the contract's state.
#[async_trait]
pub trait ChainEvents: Debug + Send + Sync {
    /// Binds the database to a chain and contract, permanently.
    ///
    /// # Errors
    /// [`StoreError::OtherChain`] when it is bound to another one.
    async fn bind(&self, identity: &ChainIdentity) -> Result<(), StoreError>;

    /// The chain and contract that the database is bound to, if it is.
    async fn bound_to(&self) -> Result<Option<ChainIdentity>, StoreError>;

    /// Applies steps in ledger order, in one database transaction with their last cursor. A transaction at
    /// or before the last applied position or version of the contract changes nothing. New nodes that `operator`
    /// registers are the operator's own. Events that are set aside are stored, and so is what was changed without
    /// an event to tell.
    async fn apply(
        &self,
        frames: &[LedgerFrame],
        operator: Address,
    ) -> Result<Progress, StoreError>;

    /// Takes purchases into the mirror before the ledger stream delivers them. Moves neither cursor nor
    /// position: when the stream delivers a purchase, it changes nothing. So does this if it comes second.
    async fn apply_early(&self, purchases: &[StackCreated]) -> Result<(), StoreError>;

    /// The progress of the mirror.
    async fn progress(&self) -> Result<Progress, StoreError>;

    /// Whether the mirror has applied one of the daemon's own transactions.
    async fn has_applied(&self, digest: Digest) -> Result<bool, StoreError>;

    /// Replaces the operator's nodes with those whose badges it owns on chain. Badges can be transferred
    /// without an event.
    async fn set_operator_nodes(
        &self,
        operator: Address,
        nodes: &[OperatorNode],
    ) -> Result<(), StoreError>;

    /// Stores the current epoch as read from the chain, between events.
    async fn note_epoch(&self, epoch: Epoch) -> Result<(), StoreError>;

    /// Writes a few kilobytes where the database is, and removes them: whether its disk takes a write.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with what the system says.
    async fn check_disk(&self) -> Result<(), StoreError>;
}
