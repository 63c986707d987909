//! Classifying the errors of a Sui node: refused before execution, or outcome unknown; and if
//! refused, why.
//!
//! A node responds to `ExecuteTransaction` with effects or with a gRPC status. The status code
//! shows whether the transaction was refused before execution: a full node returns
//! `InvalidArgument` for what the validators found invalid, and `FailedPrecondition` for inputs
//! locked by another transaction (`sui-rpc-api`, `error.rs`). gRPC libraries and proxies never
//! produce these two codes themselves. Every other code leaves the outcome open, including
//! `Aborted` for an input that does not exist yet. Only the message says which input was at fault,
//! in the wording of `UserInputError` and related errors in Sui's sources. The table below is the
//! only place that depends on that wording.

use atoma_domain::ports::{ChainError, Refusal, RefusalKind, SubmitError};
use atoma_domain::{Digest, ObjectId};
use tonic::{Code, Status};

use crate::node::{NodeFault, answered};

/// The meaning of a phrase.
#[derive(Clone, Copy, Debug)]
enum Class {
    /// An object's current version is a different one.
    Version(IdPosition),
    /// An object is gone or has another owner.
    NotUsable(IdPosition),
    Expired,
    GasBalance,
    GasTerms,
    GasBudgetTooLow,
    Invalid,
}

/// Whether the object's id is before or after the phrase's end.
#[derive(Clone, Copy, Debug)]
enum IdPosition {
    Before,
    After,
}

/// Phrases of Sui's refusals in lower case and their meaning. A row matches when all its parts
/// occur in this order; the first matching row counts.
const PHRASES: &[(&[&str], Class)] = &[
    // ObjectVersionUnavailableForConsumption, in the wording since 2025 and the earlier one.
    (
        &["unavailable for consumption"],
        Class::Version(IdPosition::Before),
    ),
    (
        &["not available for consumption"],
        Class::Version(IdPosition::Before),
    ),
    // ObjectSequenceNumberTooHigh: the node doesn't have the version yet.
    (
        &["is higher than the latest"],
        Class::Version(IdPosition::Before),
    ),
    // A reference resolved by version.
    (
        &["provided version doesn't match"],
        Class::Version(IdPosition::After),
    ),
    // ObjectLockConflict, and the quorum driver's phrase for it: another transaction has locked
    // this version.
    (
        &["already locked by a different transaction"],
        Class::Version(IdPosition::Before),
    ),
    (
        &["because of locked objects"],
        Class::Version(IdPosition::After),
    ),
    // InvalidObjectDigest: the digest is not that of this version.
    (
        &["invalid object digest"],
        Class::Version(IdPosition::After),
    ),
    // ObjectNotFound without a version, and with one, which may be a version to come.
    (
        &["could not find the referenced object", "at version none"],
        Class::NotUsable(IdPosition::Before),
    ),
    (
        &["could not find the referenced object", "at version"],
        Class::Version(IdPosition::Before),
    ),
    (
        &["object", "with version", "not found"],
        Class::Version(IdPosition::Before),
    ),
    // ObjectDeleted, and ObjectNotFound in its later wording.
    (
        &["object deleted at reference"],
        Class::NotUsable(IdPosition::After),
    ),
    (
        &["could not find the referenced object"],
        Class::NotUsable(IdPosition::After),
    ),
    // DependentPackageNotFound.
    (
        &["dependent package not found"],
        Class::NotUsable(IdPosition::After),
    ),
    (
        &["object", "not found"],
        Class::NotUsable(IdPosition::Before),
    ),
    // IncorrectUserSignature, InvalidChildObjectArgument, GasObjectNotOwnedObject.
    (
        &["is owned by account address"],
        Class::NotUsable(IdPosition::Before),
    ),
    (
        &["is owned by object"],
        Class::NotUsable(IdPosition::Before),
    ),
    (&["not owned by"], Class::NotUsable(IdPosition::Before)),
    // InvalidGasObject.
    (
        &["is not a gas object"],
        Class::NotUsable(IdPosition::Before),
    ),
    (
        &["is not an owned object with owner"],
        Class::NotUsable(IdPosition::Before),
    ),
    // TransactionExpired.
    (&["transaction expired"], Class::Expired),
    (&["transactionexpired"], Class::Expired),
    // GasBalanceTooLow, InsufficientBalanceToCoverMinimalGas.
    (
        &["balance of gas object", "is lower than the needed"],
        Class::GasBalance,
    ),
    (&["enough balance to cover minimal gas"], Class::GasBalance),
    (&["insufficient gas balance"], Class::GasBalance),
    // GasPriceUnderRGP, GasPriceTooHigh, GasBudgetTooHigh, GasBudgetTooLow.
    (&["gas price", "under reference gas price"], Class::GasTerms),
    (&["gas price cannot exceed"], Class::GasTerms),
    (&["gas budget", "is higher than max"], Class::GasTerms),
    (&["gas budget", "is lower than min"], Class::GasBudgetTooLow),
    // InvalidSignature and related errors, SizeLimitExceeded, PostRandomCommandRestrictions,
    // EmptyCommandInput, MutableObjectUsedMoreThanOnce, MissingGasPayment, DuplicateObjectRefInput,
    // ImmutableParameterExpectedError, SharedObjectStartingVersionMismatch, NotSharedObjectError,
    // NotOwnedObjectError, InvalidChainId, Unsupported, MovePackageAsObject, MoveObjectAsPackage,
    // InaccessibleSystemObject, MutableParameterExpected, ObjectInputArityViolation, InvalidSequenceNumber,
    // MaxPublishCountExceeded, InvalidIdentifier, InvalidExpiration, MissingTransactionExpiration,
    // UnsupportedSponsoredTransactionKind.
    (&["invalid user signature"], Class::Invalid),
    (&["signature is not valid"], Class::Invalid),
    (&["required signature from", "is absent"], Class::Invalid),
    (&["expect", "signer signatures but got"], Class::Invalid),
    (&["size limit exceeded"], Class::Invalid),
    (
        &["commands following a command with random"],
        Class::Invalid,
    ),
    (&["cannot have empty arguments"], Class::Invalid),
    (
        &["cannot appear more than one in one transaction"],
        Class::Invalid,
    ),
    (&["transaction gas payment missing"], Class::Invalid),
    (
        &["transaction inputs contain duplicated objectref"],
        Class::Invalid,
    ),
    (
        &["mutable parameter provided, immutable parameter expected"],
        Class::Invalid,
    ),
    (
        &["wrong initial version given for shared object"],
        Class::Invalid,
    ),
    (&["object used as shared is not shared"], Class::Invalid),
    (&["object used as owned is not owned"], Class::Invalid),
    (
        &["transaction chain id", "does not match network chain id"],
        Class::Invalid,
    ),
    (&["feature is not supported"], Class::Invalid),
    (
        &["a move object is expected, instead a move package is passed"],
        Class::Invalid,
    ),
    (
        &["a move package is expected, instead a move object is passed"],
        Class::Invalid,
    ),
    (
        &["is a system object and cannot be accessed by user transactions"],
        Class::Invalid,
    ),
    (
        &["immutable parameter provided, mutable parameter expected"],
        Class::Invalid,
    ),
    (
        &["wrong number of parameters for the transaction"],
        Class::Invalid,
    ),
    (
        &["sequence numbers above the maximal value are not usable"],
        Class::Invalid,
    ),
    (&["max publish/upgrade commands allowed"], Class::Invalid),
    (
        &["invalid identifier found in the transaction"],
        Class::Invalid,
    ),
    (&["invalid transaction expiration"], Class::Invalid),
    (
        &["with empty gas payment must specify an expiration"],
        Class::Invalid,
    ),
    (&["does not support sponsored transaction"], Class::Invalid),
    // The same errors as older nodes show them in simulations: the variant with its fields.
    (
        &["objectversionunavailableforconsumption"],
        Class::Version(IdPosition::After),
    ),
    (
        &["objectsequencenumbertoohigh"],
        Class::Version(IdPosition::After),
    ),
    (&["objectlockconflict"], Class::Version(IdPosition::After)),
    (&["invalidobjectdigest"], Class::Version(IdPosition::After)),
    (
        &["objectnotfound", "version: none"],
        Class::NotUsable(IdPosition::Before),
    ),
    (&["objectnotfound"], Class::Version(IdPosition::After)),
    (&["objectdeleted"], Class::NotUsable(IdPosition::After)),
    (
        &["incorrectusersignature"],
        Class::NotUsable(IdPosition::After),
    ),
    (&["gasbalancetoolow"], Class::GasBalance),
    (&["insufficientbalancetocoverminimalgas"], Class::GasBalance),
    (&["gaspriceunderrgp"], Class::GasTerms),
    (&["gaspricetoohigh"], Class::GasTerms),
    (&["gasbudgettoohigh"], Class::GasTerms),
    (&["gasbudgettoolow"], Class::GasBudgetTooLow),
    (&["invalidsignature"], Class::Invalid),
    (&["sizelimitexceeded"], Class::Invalid),
    (&["postrandomcommandrestrictions"], Class::Invalid),
];

/// Phrases that say that these exact bytes have already executed.
const ALREADY_EXECUTED: &[&str] = &[
    "already been executed",
    "already executed",
    "already finalized",
];

/// The meaning of an error status from `ExecuteTransaction`.
pub(crate) fn submit_error(status: Status) -> SubmitError {
    if is_already_executed(&status) || !is_refused(&status) {
        return SubmitError::Unknown(read_error(status).into());
    }
    SubmitError::Refused(refusal(&status))
}

/// Whether the status says that the transaction has already executed.
pub(crate) fn is_already_executed(status: &Status) -> bool {
    let message = status.message().to_lowercase();
    ALREADY_EXECUTED
        .iter()
        .any(|phrase| message.contains(phrase))
}

/// Whether the code says that this submission was refused before execution. Other codes don't,
/// because a broken connection, a proxy or gateway, an overloaded or failing node, or this side's
/// own decoding (`OutOfRange`) can produce them.
pub(crate) fn is_refused(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::InvalidArgument | Code::FailedPrecondition
    )
}

/// Whether a node says that it does not have the transaction with that digest. A bare `NotFound`
/// can come from a proxy or gateway in front of the node.
pub(crate) fn is_absence(status: &Status, digest: Digest) -> bool {
    status.code() == Code::NotFound && status.message().contains(&digest.to_string())
}

/// The meaning of an error status from `SimulateTransaction`. A refusal is a
/// [`ChainError::Answer`] whose source is a [`Refusal`]. Older nodes return codes that say nothing,
/// all nodes return `Internal` for what has expired, and no irreversible decision depends on a
/// simulation, so here the message counts as well.
pub(crate) fn simulation_error(status: Status) -> ChainError {
    const PHRASE: &str = "error checking transaction input objects";
    const EXPIRED: &str = "transaction expired";
    let message = status.message().to_lowercase();
    let by_message = matches!(status.code(), Code::NotFound | Code::Internal)
        && (message.contains(PHRASE) || message == EXPIRED);
    if is_refused(&status) || by_message {
        return ChainError::Answer(refusal(&status).into());
    }
    read_error(status)
}

/// Classifies the refusal in a status by its message.
pub(crate) fn refusal(status: &Status) -> Refusal {
    let message = status.message().to_owned();
    let lower = message.to_lowercase();
    let class = PHRASES
        .iter()
        .find_map(|(parts, class)| end_of(&lower, parts).map(|end| (class, end)));
    let kind = match class {
        Some((Class::Version(position), end)) => RefusalKind::ObjectVersion {
            object: object_near(&lower, end, *position),
        },
        Some((Class::NotUsable(position), end)) => RefusalKind::ObjectNotUsable {
            object: object_near(&lower, end, *position),
        },
        Some((Class::Expired, _)) => RefusalKind::Expired,
        Some((Class::GasBalance, _)) => RefusalKind::GasBalance,
        Some((Class::GasTerms, _)) => RefusalKind::GasTerms,
        Some((Class::GasBudgetTooLow, _)) => RefusalKind::GasBudgetTooLow,
        Some((Class::Invalid, _)) => RefusalKind::Invalid,
        // Whatever the wording: another transaction has locked an input.
        None if status.code() == Code::FailedPrecondition => {
            RefusalKind::ObjectVersion { object: None }
        }
        None => RefusalKind::Other,
    };
    Refusal { kind, message }
}

/// The meaning of an error status from a read.
pub(crate) fn read_error(status: Status) -> ChainError {
    if let Some(fault) = NodeFault::of(&status) {
        return fault.into();
    }
    match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unknown
        | Code::Aborted
        | Code::ResourceExhausted => ChainError::Unavailable(answered(&status)),
        _ => ChainError::Answer(answered(&status)),
    }
}

/// Where the last of the parts ends, if the text contains them all in this order.
fn end_of(text: &str, parts: &[&str]) -> Option<usize> {
    let mut from = 0;
    for part in parts {
        from += text.get(from..)?.find(part)? + part.len();
    }
    Some(from)
}

/// The object id nearest to the phrase. A message can quote several validators about several
/// objects.
fn object_near(text: &str, end: usize, position: IdPosition) -> Option<ObjectId> {
    let (before, after) = text.split_at_checked(end)?;
    match position {
        IdPosition::Before => ids(before).last(),
        IdPosition::After => ids(after).next(),
    }
}

fn ids(text: &str) -> impl Iterator<Item = ObjectId> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() == 66 && word.starts_with("0x"))
        .filter_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests;
