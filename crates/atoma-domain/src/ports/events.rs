//! Following the ledger: where transactions come from, and where their events go.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use bytes::Bytes;

use super::{ChainError, StoreError};
use crate::events::ContractEvent;
use crate::model::OperatorNode;
use crate::{Address, CheckpointNumber, Digest, Epoch, ObjectId, TimestampMs};

/// Which chain and contract a database mirrors. One database serves one of them for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainIdentity {
    /// The digest of the chain's first checkpoint.
    pub chain_id: Digest,
    /// The contract's package.
    pub package_id: ObjectId,
    /// The contract's shared object.
    pub atoma_db_id: ObjectId,
}

impl fmt::Display for ChainIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "chain {}, package {}, AtomaDb {}",
            self.chain_id, self.package_id, self.atoma_db_id
        )
    }
}

/// A transaction's place in the ledger; orders all transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerPosition {
    /// The checkpoint.
    pub checkpoint: CheckpointNumber,
    /// The transaction's index in it, from 0.
    pub index: u64,
}

/// The event source's own mark of a place in the ledger: opaque, to be stored and given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCursor(pub Bytes);

/// A transaction that touched the contract.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerTransaction {
    /// Its digest.
    pub digest: Digest,
    /// Its place.
    pub position: LedgerPosition,
    /// Its checkpoint's time.
    pub timestamp: TimestampMs,
    /// Its epoch.
    pub epoch: Epoch,
    /// Who sent it.
    pub sender: Address,
    /// The contract's events, in order; none when it failed.
    pub events: Vec<ContractEvent>,
}

/// One step along the ledger: a transaction, or only progress.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerFrame {
    /// The transaction, if the step brought one.
    pub transaction: Option<LedgerTransaction>,
    /// Where to go on from after this step.
    pub cursor: EventCursor,
    /// Up to where the ledger has been looked through, this checkpoint included.
    pub covered: Option<CheckpointNumber>,
}

/// Where the contract's transactions come from.
#[async_trait]
pub trait EventSource: Debug + Send + Sync {
    /// Follows the ledger from after the cursor, or from its beginning.
    ///
    /// # Errors
    /// [`ChainError::Pruned`] when the node no longer keeps what is wanted.
    async fn follow(&self, after: Option<EventCursor>)
    -> Result<Box<dyn LedgerStream>, ChainError>;
}

/// A ledger being followed.
#[async_trait]
pub trait LedgerStream: Debug + Send {
    /// Waits for at least one step and returns all that are at hand, at most `limit`, in ledger
    /// order. An error ends the stream: follow anew from the last cursor applied.
    async fn next_steps(&mut self, limit: usize) -> Result<Vec<LedgerFrame>, ChainError>;
}

/// How far the mirror is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where to go on; `None` before the first step.
    pub cursor: Option<EventCursor>,
    /// The last transaction applied.
    pub position: Option<LedgerPosition>,
    /// Up to where the ledger is mirrored.
    pub covered: Option<CheckpointNumber>,
    /// The latest epoch seen.
    pub epoch: Option<Epoch>,
}

/// Where the contract's events go.
#[async_trait]
pub trait ChainEvents: Debug + Send + Sync {
    /// Binds the database to a chain and contract, for ever.
    ///
    /// # Errors
    /// [`StoreError::OtherChain`] when it is bound to another.
    async fn bind(&self, identity: &ChainIdentity) -> Result<(), StoreError>;

    /// Applies steps in ledger order, in one database transaction with their last cursor. A
    /// transaction at or before the last applied position changes nothing. `operator` is the
    /// address whose new registrations are the operator's own nodes.
    async fn apply(
        &self,
        frames: &[LedgerFrame],
        operator: Address,
    ) -> Result<Progress, StoreError>;

    /// How far the mirror is.
    async fn progress(&self) -> Result<Progress, StoreError>;

    /// Whether the mirror has met a transaction of the daemon's own.
    async fn has_met(&self, digest: Digest) -> Result<bool, StoreError>;

    /// Replaces the nodes that `operator` runs by those whose badges it owns on chain: badges can
    /// come and go without an event.
    async fn set_operator_nodes(
        &self,
        operator: Address,
        nodes: &[OperatorNode],
    ) -> Result<(), StoreError>;

    /// Notes the current epoch as the chain told it, between events.
    async fn note_epoch(&self, epoch: Epoch) -> Result<(), StoreError>;
}
