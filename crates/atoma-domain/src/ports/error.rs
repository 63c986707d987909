//! The errors of the ports, one enum for each family of operations.

use thiserror::Error;

use crate::journal::IntentStatus;
use crate::model::MessageId;
use crate::{ComputeUnits, Digest, IntentId, ObjectId, ReservationId, StackSmallId};

/// The cause of an adapter's error, independent of the library it comes from.
pub type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// Why an operation of the database failed. It has changed nothing.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database is closed or can't be reached.
    #[error("the database is not available")]
    Unavailable(#[source] BoxedError),
    /// The daemon's own connections to the database are in use for longer than the timeout: too much is
    /// asked of it, or the disk is slow.
    #[error("the database is busy: all connections of the daemon are in use")]
    Busy(#[source] BoxedError),
    /// Another process has held the database's lock for longer than the busy timeout.
    #[error("another process has locked the database: end its transaction")]
    Locked(#[source] BoxedError),
    /// The disk takes no more.
    #[error("the disk of the database is full: free some space")]
    DiskFull(#[source] BoxedError),
    /// The file is damaged.
    #[error("the database file is damaged: stop the daemon and restore a backup")]
    Damaged(#[source] BoxedError),
    /// The write would break a rule of the schema. The daemon checks every rule itself before it writes, so
    /// this is a bug, or other software has written to the database. Trying again does not help.
    #[error("the database rejects the write: it would break a rule of the schema")]
    Rejected(#[source] BoxedError),
    /// A stored value does not fit its type. The file is damaged, or other software has written to it.
    #[error("the database has an invalid value in {table}.{column} of row {row}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// What is wrong with the value.
        #[source]
        source: BoxedError,
    },
    /// The database belongs to another chain or contract.
    #[error("the database mirrors {stored}, but the daemon is configured for {configured}")]
    OtherChain {
        /// The chain and contract of the database.
        stored: String,
        /// The chain and contract of the configuration.
        configured: String,
    },
    /// The program has opened the database for reading only.
    #[error("this program has opened the database for reading only: it can't write")]
    ReadOnly,
    /// The database can't store a value.
    #[error("{what} is out of the database's range")]
    OutOfRange {
        /// Which value.
        what: String,
    },
    /// The journal does not allow a transition.
    #[error("transaction {id} can't change from {from:?} to {to:?}")]
    Transition {
        /// The intent.
        id: IntentId,
        /// Its status.
        from: IntentStatus,
        /// The status that it should get.
        to: IntentStatus,
    },
    /// A request with this key has been opened in the meantime. Recall it.
    #[error("a request with this key is already in the journal")]
    KnownRequest,
    /// The database lacks something that it must have.
    #[error("{what} is not in the database")]
    Missing {
        /// What is missing.
        what: String,
    },
}

impl StoreError {
    /// Whether the database itself failed, so that the same call may succeed later. A damaged file counts:
    /// nothing ends because of it, and everything waits for the operator.
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::Busy(_)
                | Self::Locked(_)
                | Self::DiskFull(_)
                | Self::Damaged(_)
        )
    }

    /// Whether it shows that the journal has moved on: the intent or attempt is not in the status, or not
    /// in the journal, that the transition needs.
    pub const fn is_superseded(&self) -> bool {
        matches!(self, Self::Transition { .. } | Self::Missing { .. })
    }
}

/// Why a message was not recorded. Nothing has changed.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The stack is not in the mirror.
    #[error("stack {0} is not known")]
    UnknownStack(StackSmallId),
    /// The selected node's record is closed: the stack is in settlement, or about to be, or a claim
    /// without a settlement is under way.
    #[error("stack {0} is in settlement")]
    InSettlement(StackSmallId),
    /// The stack was claimed.
    #[error("stack {0} has been claimed")]
    Claimed(StackSmallId),
    /// The reservation is one of another stack, or the message is not for the selected node's record.
    #[error("reservation {reservation} does not belong to this record of stack {stack}")]
    OtherReservation {
        /// The reservation.
        reservation: ReservationId,
        /// The stack of the message.
        stack: StackSmallId,
    },
    /// Another message was recorded under this id.
    #[error("message {id} of stack {stack} was recorded with another hash")]
    OtherMessage {
        /// The id.
        id: MessageId,
        /// The stack.
        stack: StackSmallId,
    },
    /// The request's key was used with another body.
    #[error("the request's key was used for another request")]
    OtherRequest,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why units were not reserved. Nothing has changed.
#[derive(Debug, Error)]
pub enum ReserveError {
    /// The owner has no such stack.
    #[error("the owner has no such stack")]
    NotFound,
    /// All such stacks are in settlement or claimed.
    #[error("stack {stack} is in settlement or claimed")]
    Locked {
        /// The first of them.
        stack: StackSmallId,
    },
    /// No such stack has enough free units.
    #[error("{wanted} units are wanted, but no such stack has more than {free} free")]
    Insufficient {
        /// The units wanted.
        wanted: ComputeUnits,
        /// The most that one stack has free.
        free: ComputeUnits,
    },
    /// The request's key was used with another body.
    #[error("the request's key was used for another request")]
    OtherRequest,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a reservation was not changed or released. Nothing has changed.
#[derive(Debug, Error)]
pub enum ReservationError {
    /// It has ended or was never made.
    #[error("reservation {0} is not open")]
    NotFound(ReservationId),
    /// Its stack lacks the units for the correction. Its own units are already among the free ones.
    #[error("{wanted} units are wanted, but stack {stack} has only {free} free")]
    Insufficient {
        /// The stack.
        stack: StackSmallId,
        /// The corrected units.
        wanted: ComputeUnits,
        /// The units that it could have.
        free: ComputeUnits,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a read of the chain failed. Repeating it is always safe.
#[derive(Debug, Error)]
pub enum ChainError {
    /// The Sui node can't be reached, or the connection broke.
    #[error("the Sui node can't be reached")]
    Unavailable(#[source] BoxedError),
    /// The Sui node returned an error.
    #[error("the Sui node returned an error")]
    Answer(#[source] BoxedError),
    /// The Sui node's response is malformed.
    #[error("the Sui node's response is malformed: {what} is missing or invalid")]
    Malformed {
        /// The part that is missing or invalid.
        what: &'static str,
    },
    /// A node of another chain answered. Nothing that it says counts.
    #[error(
        "the Sui node {node} is on chain {found}, but the daemon follows chain {expected}; \
         connect it to a node of that chain"
    )]
    OtherChain {
        /// The node's address, without secrets.
        node: String,
        /// The chain that the daemon follows.
        expected: Digest,
        /// The node's chain.
        found: Digest,
    },
    /// The Sui node lags behind the network by more than the configured limit.
    #[error(
        "the Sui node {node} lags: its newest checkpoint is {lag_s} s old, more than the limit of {limit_s} s; \
         if the node is up to date, check this machine's clock"
    )]
    Late {
        /// The node's address, without secrets.
        node: String,
        /// The age of the node's newest checkpoint, in seconds.
        lag_s: u64,
        /// The limit, in seconds.
        limit_s: u64,
    },
    /// The contract's ids do not belong together, or not to this chain.
    #[error("`{setting}` is wrong: {problem}")]
    Contract {
        /// The setting: `package_id` or `atoma_db_id`.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A required object does not exist.
    #[error("object {0} does not exist")]
    NoObject(ObjectId),
    /// The Sui node shows an older version of an object than is already known. Everything else that it
    /// shows may be as old.
    #[error(
        "the Sui node lags: it shows object {object} at version {}, but version {known} exists",
        .shown.map_or(String::from("none"), |shown| shown.to_string())
    )]
    Behind {
        /// The object.
        object: ObjectId,
        /// The version shown; `None` if it shows no such object.
        shown: Option<u64>,
        /// The newest version known.
        known: u64,
    },
    /// The plan can't be built into a transaction.
    #[error("the transaction can't be built")]
    Build(#[source] BoxedError),
    /// The Sui node has pruned history that is needed.
    #[error(
        "the Sui node keeps history from checkpoint {lowest} on, but the daemon needs it from {wanted} on; \
         use a node with more history"
    )]
    Pruned {
        /// The lowest checkpoint kept.
        lowest: u64,
        /// The first checkpoint needed.
        wanted: u64,
    },
}

/// Why a submission returned no effects.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// The network refused it before execution: *this* submission executed nothing. An earlier submission
    /// of the same bytes may still execute.
    #[error("the network refused the transaction before execution")]
    Refused(#[source] Refusal),
    /// The response was lost: the transaction may execute or not.
    #[error("the response was lost, so the outcome is unknown")]
    Unknown(#[source] BoxedError),
}

/// A refusal by the network.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct Refusal {
    /// Its class.
    pub kind: RefusalKind,
    /// The network's message.
    pub message: String,
}

/// The classes of refusals that the daemon treats differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// An input does not have its current version. Only the ledger shows whether it is older (stale) or
    /// newer (the node lags).
    ObjectVersion {
        /// The object, if the network names it.
        object: Option<ObjectId>,
    },
    /// An input does not exist or has another owner.
    ObjectNotUsable {
        /// The object, if the network names it.
        object: Option<ObjectId>,
    },
    /// The expiration epoch is over.
    Expired,
    /// The coins hold less than the budget.
    GasBalance,
    /// The gas price or the budget is outside the network's limits.
    GasTerms,
    /// The budget is less than any transaction costs.
    GasBudgetTooLow,
    /// The bytes themselves are invalid (signatures, sizes, combination of commands), for every validator
    /// at any time.
    Invalid,
    /// Any other refusal.
    Other,
}

/// Why a transaction could not be signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// The signer has no key for the sender.
    #[error("no key for address {0}")]
    NoKey(crate::Address),
    /// The signature library failed, or the bytes are not a transaction.
    #[error("signing failed")]
    Failed(#[source] BoxedError),
}
