//! What the ports' operations can fail with: one enum per family.

use thiserror::Error;

use crate::journal::{Failure, IntentStatus};
use crate::model::ReservationId;
use crate::{IntentId, ObjectId};

/// The cause of an adapter's error, whatever library it came from.
pub type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// The database could not do what was asked; nothing was changed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It can't be reached, is locked or its disk is full.
    #[error("the database is not available")]
    Unavailable(#[source] BoxedError),
    /// A stored value is outside its type's range: the file was damaged or written by others.
    #[error("the database holds an impossible value in {table}.{column} of row {row}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// What is wrong with it.
        #[source]
        source: BoxedError,
    },
    /// It belongs to another chain or contract.
    #[error("the database mirrors {stored}, the daemon is configured for {configured}")]
    OtherChain {
        /// What it was bound to first.
        stored: String,
        /// What it is to be opened for.
        configured: String,
    },
    /// A value that the database can't hold.
    #[error("{what} is out of the database's range")]
    OutOfRange {
        /// Which value.
        what: String,
    },
    /// A transition that the journal doesn't allow.
    #[error("transaction {id} can't go from {from:?} to {to:?}")]
    Transition {
        /// The intent.
        id: IntentId,
        /// Where it stands.
        from: IntentStatus,
        /// Where it was to go.
        to: IntentStatus,
    },
    /// A request with this key was opened already, a moment ago: recall it.
    #[error("a request with this idempotency key is known already")]
    KnownRequest,
    /// Something that must be in the database isn't.
    #[error("{what} is not in the database")]
    Missing {
        /// What.
        what: String,
    },
}

/// Recording served work was refused, or the database failed.
#[derive(Debug, Error)]
pub enum WorkError {
    /// It can't be recorded; the reason is one for the caller.
    #[error("{0}")]
    Refused(Failure),
    /// The reservation was given back already, or never made.
    #[error("reservation {} does not exist", .0.get())]
    UnknownReservation(ReservationId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A question to the chain was not answered. Asking again is always safe.
#[derive(Debug, Error)]
pub enum ChainError {
    /// The Sui node can't be reached, or broke off.
    #[error("the Sui node can't be reached")]
    Unavailable(#[source] BoxedError),
    /// It answered with an error.
    #[error("the Sui node answered with an error")]
    Answer(#[source] BoxedError),
    /// It answered something that can't be understood.
    #[error("the Sui node's answer lacks or garbles {what}")]
    Malformed {
        /// Which part.
        what: &'static str,
    },
    /// An object that must exist does not.
    #[error("object {0} does not exist")]
    NoObject(ObjectId),
    /// It shows an object as it was before a version that is known already: all that it shows may be
    /// as old.
    #[error(
        "the Sui node lags behind: it shows object {object} at version {}, which is at {known} by now",
        .shown.map_or(String::from("none"), |shown| shown.to_string())
    )]
    Behind {
        /// Which object.
        object: ObjectId,
        /// The version shown; `None` when it shows no such object.
        shown: Option<u64>,
        /// The newest version known.
        known: u64,
    },
    /// The plan can't be made into a transaction.
    #[error("the transaction can't be built")]
    Build(#[source] BoxedError),
    /// The history that is wanted is no longer kept by the node.
    #[error(
        "the Sui node keeps history from checkpoint {lowest} on, the daemon needs it from {wanted}: \
         use a node with more history"
    )]
    Pruned {
        /// The lowest checkpoint kept.
        lowest: u64,
        /// The checkpoint wanted.
        wanted: u64,
    },
}

/// Why a sent transaction has no effects to show.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// Refused before execution: nothing was executed by *this* submission. An earlier one of the
    /// same bytes may still execute.
    #[error("refused before execution")]
    Refused(#[source] Refusal),
    /// The answer was lost: it may or may not execute.
    #[error("no answer, the outcome is unknown")]
    Unknown(#[source] BoxedError),
}

/// The network's refusal.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct Refusal {
    /// Its class.
    pub kind: RefusalKind,
    /// The network's own words.
    pub message: String,
}

/// The classes of refusals that a sender treats differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// An input's version is not the current one. Whether it is older (stale) or newer (the node
    /// lags) only the ledger tells.
    ObjectVersion {
        /// Which object, where the network names it.
        object: Option<ObjectId>,
    },
    /// An input does not exist or is another's.
    ObjectNotUsable {
        /// Which object, where the network names it.
        object: Option<ObjectId>,
    },
    /// The expiration epoch is past.
    Expired,
    /// The coins hold less than the budget.
    GasBalance,
    /// Price or budget are outside the network's limits.
    GasTerms,
    /// The budget is less than any transaction costs.
    GasBudgetTooLow,
    /// The bytes themselves: signatures, sizes, commands that don't go together. They are not valid
    /// for anybody at any time.
    Invalid,
    /// Anything else, in words that are not known.
    Other,
}

/// A transaction could not be signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// There is no key for the sender.
    #[error("no key for address {0}")]
    NoKey(crate::Address),
    /// The key's library failed, or the bytes are no transaction.
    #[error("signing failed")]
    Failed(#[source] BoxedError),
}
