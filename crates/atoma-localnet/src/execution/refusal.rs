//! Refusals of transactions, which are then not executed and cost nothing.

use atoma_domain::{Digest, ObjectId};
use sui_sdk_types::{Address, ObjectReference};

/// The network refuses a transaction. The messages are those of a Sui full node, because clients
/// recognize some of them.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum TransactionRefusal {
    #[error("Size limit exceeded: {limit} is {value}")]
    SizeLimit { limit: &'static str, value: usize },
    #[error(
        "TransferObjects, MergeCoin, and Publish cannot have empty arguments. If MakeMoveVec has empty arguments, it must have a type specified"
    )]
    EmptyCommandInput,
    #[error("Commands following a command with Random can only be TransferObjects or MergeCoins")]
    PostRandom,
    #[error("Mutable object {0} cannot appear more than one in one transaction")]
    MutableUsedMoreThanOnce(ObjectId),
    #[error("Transaction gas payment missing")]
    MissingGasPayment,
    #[error("Feature is not supported: {0}")]
    Unsupported(String),
    #[error("Transaction Expired")]
    Expired,
    #[error("Invalid transaction expiration: {0}")]
    InvalidExpiration(String),
    #[error("Invalid user signature: {0}")]
    InvalidSignature(String),
    #[error("Invalid user signature: Expect {expected} signer signatures but got {actual}.")]
    SignatureCount { expected: usize, actual: usize },
    #[error("Invalid user signature: Required Signature from {required} is absent {present}.")]
    SignerAbsent { required: Address, present: String },
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
    #[error("Gas object {id} is not an owned object with owner: {owner}")]
    GasObjectNotOwned { id: ObjectId, owner: Address },
    #[error("Could not find the referenced object {id} at version {}", version_text(.version))]
    ObjectNotFound { id: ObjectId, version: Option<u64> },
    #[error("Transaction needs to be rebuilt because object {} version {:#x} ({}) is unavailable for consumption, current version: {current:#x}", .provided.object_id(), .provided.version(), .provided.digest())]
    VersionUnavailable {
        provided: ObjectReference,
        current: u64,
    },
    #[error("Invalid Object digest for object {id}. Expected digest : {expected}")]
    InvalidDigest { id: ObjectId, expected: Digest },
    #[error(
        "Object {id} is owned by account address {owner}, but given owner/signer address is {signer}"
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
    #[error("Dependent package not found on-chain: {0}")]
    PackageNotFound(ObjectId),
    #[error("Object used as shared is not shared: {0}")]
    NotShared(ObjectId),
    #[error("Object used as owned is not owned: {0}")]
    NotOwned(ObjectId),
    #[error("The initial shared version given for object {id} does not match: it is {actual:#x}")]
    SharedStartVersion { id: ObjectId, actual: u64 },
    #[error("Immutable parameter expected, mutable parameter provided: {0}")]
    ImmutableExpected(ObjectId),
    #[error("{0}")]
    Malformed(String),
}

fn version_text(version: &Option<u64>) -> String {
    version.map_or_else(|| "None".to_owned(), |version| format!("{version:#x}"))
}

impl TransactionRefusal {
    /// The gRPC status: `NOT_FOUND` for an object that does not exist, `FAILED_PRECONDITION` for an
    /// object at another version, `UNIMPLEMENTED` for unsupported features, and `INVALID_ARGUMENT`
    /// for the rest.
    pub(crate) fn into_status(self) -> tonic::Status {
        use tonic::Code;
        let code = match &self {
            Self::ObjectNotFound { .. } | Self::PackageNotFound(_) => Code::NotFound,
            Self::VersionUnavailable { .. } => Code::FailedPrecondition,
            Self::Unsupported(_) => Code::Unimplemented,
            _ => Code::InvalidArgument,
        };
        let message = match &self {
            Self::InvalidSignature(_)
            | Self::SignatureCount { .. }
            | Self::SignerAbsent { .. }
            | Self::Unsupported(_)
            | Self::Expired
            | Self::Malformed(_) => self.to_string(),
            _ => format!("Error checking transaction input objects: {self}"),
        };
        tonic::Status::new(code, message)
    }
}
