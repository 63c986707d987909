//! Refusals of transactions, which are then not executed and cost nothing.

use atoma_domain::{Digest, ObjectId};
use sui_sdk_types::{Address, ObjectReference, Owner};
use tonic::{Code, Status};

use super::status;

/// The network refuses a transaction. The messages are those of a Sui full node, because clients
/// recognize some of them (`UserInputError` and `SuiErrorKind` in Sui's `error.rs`).
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum TransactionRefusal {
    #[error("Size limit exceeded: {limit} is {value}")]
    SizeLimit { limit: String, value: usize },
    #[error(
        "TransferObjects, MergeCoin, and Publish cannot have empty arguments. If MakeMoveVec has empty arguments, it must have a type specified"
    )]
    EmptyCommandInput,
    #[error("Commands following a command with Random can only be TransferObjects or MergeCoins")]
    PostRandom,
    #[error("The transaction inputs contain duplicated ObjectRef's")]
    DuplicateInput,
    #[error("Mutable object {0} cannot appear more than one in one transaction")]
    MutableUsedMoreThanOnce(ObjectId),
    #[error("Transaction gas payment missing")]
    MissingGasPayment,
    /// Only a network sends them to itself.
    #[error("Feature is not supported: SenderSignedData must not contain system transaction")]
    SystemTransaction,
    /// No Sui network supports it.
    #[error("Feature is not supported: {0}")]
    Unsupported(&'static str),
    /// Sui networks support it, this one does not.
    #[error("Feature is not supported on this local network: {0}")]
    NotOnLocalNetwork(String),
    #[error("Transaction Expired")]
    Expired,
    #[error(
        "Transaction chain ID {} does not match network chain ID {}.",
        chain_text(.provided),
        chain_text(.expected)
    )]
    OtherChain { provided: Digest, expected: Digest },
    #[error("Signature is not valid: {0}")]
    InvalidSignature(String),
    #[error("Expect {expected} signer signatures but got {actual}")]
    SignatureCount { expected: usize, actual: usize },
    #[error("Required Signature from {required} is absent {present:?}")]
    SignerAbsent {
        required: Address,
        present: Vec<String>,
    },
    #[error("Gas price {price} under reference gas price (RGP) {reference}")]
    GasPriceUnderReference { price: u64, reference: u64 },
    #[error("Gas price cannot exceed {0} mist")]
    GasPriceTooHigh(u64),
    #[error("Gas budget: {budget} is higher than max: {max}")]
    BudgetTooHigh { budget: u64, max: u64 },
    #[error("Gas budget: {budget} is lower than min: {min}")]
    BudgetTooLow { budget: u64, min: u64 },
    #[error("Balance of gas object {balance} is lower than the needed amount: {needed}")]
    GasBalanceTooLow { balance: u128, needed: u128 },
    #[error("Object {0} is not a gas object")]
    NotAGasObject(ObjectId),
    #[error("Gas object is not an owned object with owner: {}", owner_text(.0))]
    GasObjectNotOwned(Owner),
    #[error("Could not find the referenced object {id} at version {}", version_text(.version))]
    ObjectNotFound { id: ObjectId, version: Option<u64> },
    #[error("Transaction needs to be rebuilt because object {} version {:#x} ({}) is unavailable for consumption, current version: {current:#x}", .provided.object_id(), .provided.version(), .provided.digest())]
    VersionUnavailable {
        provided: ObjectReference,
        current: u64,
    },
    #[error("Object ({}, SequenceNumber({}), o#{}) already locked by a different transaction: TransactionDigest({holder})", .locked.object_id(), .locked.version(), .locked.digest())]
    LockConflict {
        locked: ObjectReference,
        holder: Digest,
    },
    #[error("Invalid Object digest for object {id}. Expected digest : {expected}")]
    InvalidDigest { id: ObjectId, expected: Digest },
    #[error(
        "Transaction was not signed by the correct sender: Object {id} is owned by account address {owner}, but given owner/signer address is {signer}"
    )]
    WrongOwner {
        id: ObjectId,
        owner: Address,
        signer: Address,
    },
    #[error(
        "Object {child} is owned by object {parent}. Objects owned by other objects cannot be used as input arguments"
    )]
    ChildObject { child: ObjectId, parent: ObjectId },
    #[error("A move object is expected, instead a move package is passed: {0}")]
    PackageAsObject(ObjectId),
    #[error("A move package is expected, instead a move object is passed: {0}")]
    ObjectAsPackage(ObjectId),
    #[error("Dependent package not found on-chain: {0}")]
    PackageNotFound(ObjectId),
    #[error("Object used as shared is not shared")]
    NotShared,
    #[error("Object used as owned is not owned")]
    NotOwned,
    #[error("Wrong initial version given for shared object")]
    SharedStartVersion,
    #[error("Mutable parameter provided, immutable parameter expected")]
    ImmutableExpected,
    /// A part of the request that can't be read.
    #[error("{description}")]
    Malformed {
        field: &'static str,
        description: String,
    },
    /// An object that a simulation is to complete the transaction with.
    #[error("Object {0} not found")]
    Unresolved(ObjectId),
    /// The gas owner has less than a budget needs.
    #[error("{0}")]
    GasSelection(String),
}

fn version_text(version: &Option<u64>) -> String {
    version.map_or_else(
        || "None".to_owned(),
        |version| format!("Some(SequenceNumber({version}))"),
    )
}

fn owner_text(owner: &Owner) -> String {
    match owner {
        Owner::Shared(version) => {
            format!("Shared {{ initial_shared_version: SequenceNumber({version}) }}")
        }
        Owner::Object(parent) => format!("ObjectOwner({parent})"),
        _ => "Immutable".to_owned(),
    }
}

/// A chain as Sui prints it for debugging: its identifier is the digest of its first checkpoint.
fn chain_text(chain: &Digest) -> String {
    format!("ChainIdentifier(CheckpointDigest({chain}))")
}

/// Who finds a refusal, which decides how `ExecuteTransaction` words it.
enum Finder {
    /// The full node, when it reads the request.
    Request(&'static str),
    /// The full node, from the signatures.
    Signatures,
    /// The full node, from what it checks itself before it submits a transaction.
    Node,
    /// The validators, each of them for good.
    Validators(Code),
    /// The validators, but it may change.
    ValidatorsForNow,
    /// This network, which is not a Sui network in this.
    LocalNetwork,
}

/// The stake of this network's only validator.
const STAKE: u64 = 10_000;

impl TransactionRefusal {
    const fn finder(&self) -> Finder {
        match self {
            Self::Malformed { field, .. } => Finder::Request(field),
            Self::SystemTransaction
            | Self::InvalidSignature(_)
            | Self::SignatureCount { .. }
            | Self::SignerAbsent { .. } => Finder::Signatures,
            Self::VersionUnavailable { .. } => Finder::Validators(Code::InvalidArgument),
            Self::LockConflict { .. } => Finder::Validators(Code::FailedPrecondition),
            Self::ObjectNotFound { .. } | Self::PackageNotFound(_) => Finder::ValidatorsForNow,
            Self::NotOnLocalNetwork(_) => Finder::LocalNetwork,
            _ => Finder::Node,
        }
    }

    /// The message of a node: input errors are introduced as such.
    fn node_message(&self) -> String {
        match self {
            Self::Expired
            | Self::LockConflict { .. }
            | Self::InvalidSignature(_)
            | Self::SignatureCount { .. }
            | Self::SignerAbsent { .. }
            | Self::Unresolved(_)
            | Self::GasSelection(_) => self.to_string(),
            _ => format!("Error checking transaction input objects: {self}"),
        }
    }

    /// The status with which `ExecuteTransaction` refuses.
    ///
    /// What the full node finds itself is `INVALID_ARGUMENT` in its words. What only validators find is wrapped:
    /// a version that was consumed is `INVALID_ARGUMENT`, one that another transaction holds
    /// `FAILED_PRECONDITION`, and an object that is missing, which may still come, `ABORTED`.
    pub(crate) fn execution_status(&self) -> Status {
        match self.finder() {
            Finder::Request(field) => status::bad_request(field, &self.to_string()),
            Finder::Signatures => status::new(
                Code::InvalidArgument,
                format!("Invalid user signature: {self}"),
            ),
            Finder::Node => status::new(Code::InvalidArgument, self.node_message()),
            Finder::Validators(code) => status::new(
                code,
                format!(
                    "Transaction is rejected as invalid by more than 1/3 of validators by stake (non-retriable). Non-retriable errors: [{self} with {STAKE} stake]."
                ),
            ),
            Finder::ValidatorsForNow => status::new(
                Code::Aborted,
                format!(
                    "Transaction processing aborted (retriable with another submission). Retriable errors: [{self} with {STAKE} stake]."
                ),
            ),
            Finder::LocalNetwork => status::new(Code::Unimplemented, self.to_string()),
        }
    }

    /// The status with which `SimulateTransaction` refuses: always in the full node's words. Only errors of inputs
    /// are `INVALID_ARGUMENT` there.
    pub(crate) fn simulation_status(&self) -> Status {
        match (self, self.finder()) {
            (Self::Expired, _) => status::new(Code::Internal, self.to_string()),
            (Self::SystemTransaction, _) => status::new(
                Code::InvalidArgument,
                "Use of disabled feature: simulate does not support system transactions".to_owned(),
            ),
            (Self::Unresolved(_), _) => status::new(Code::NotFound, self.to_string()),
            (_, Finder::Request(field)) => status::bad_request(field, &self.to_string()),
            (_, Finder::LocalNetwork) => status::new(Code::Unimplemented, self.to_string()),
            _ => status::new(Code::InvalidArgument, self.node_message()),
        }
    }
}
