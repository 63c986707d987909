//! Telling refusals from lost answers, and refusals from each other.
//!
//! A node answers `ExecuteTransaction` with effects or with a gRPC status. The status' code tells
//! whether the transaction was refused before execution: a full node says `InvalidArgument` of what
//! the validators found invalid and `FailedPrecondition` of inputs that another transaction holds
//! (`sui-rpc-api`, `error.rs`); every other code leaves the outcome open, an input that does not
//! exist yet (`Aborted`) included. gRPC libraries and proxies never make up those two. Which input
//! was at fault is told in words only, those of `UserInputError` and its kin in Sui's sources; the
//! table below is the one place that knows them.

use atoma_domain::ports::{ChainError, Refusal, RefusalKind, SubmitError};
use atoma_domain::{Digest, ObjectId};
use tonic::{Code, Status};

/// What a phrase means.
#[derive(Clone, Copy, Debug)]
enum Class {
    /// Another version of an object is current.
    Version(Side),
    /// An object is gone or another's.
    NotUsable(Side),
    Expired,
    GasBalance,
    GasTerms,
    GasBudgetTooLow,
    Invalid,
}

/// Where the object's id stands, seen from the phrase's end.
#[derive(Clone, Copy, Debug)]
enum Side {
    Before,
    After,
}

/// Phrases of Sui's refusals in lower case, all parts in this order, and what they mean. The first
/// row that fits counts.
const PHRASES: &[(&[&str], Class)] = &[
    // ObjectVersionUnavailableForConsumption, in its words since 2025 and before.
    (
        &["unavailable for consumption"],
        Class::Version(Side::Before),
    ),
    (
        &["not available for consumption"],
        Class::Version(Side::Before),
    ),
    // ObjectSequenceNumberTooHigh: the node hasn't seen the version yet.
    (&["is higher than the latest"], Class::Version(Side::Before)),
    // A reference resolved by version.
    (
        &["provided version doesn't match"],
        Class::Version(Side::After),
    ),
    // ObjectLockConflict and the quorum's word for it: another transaction holds this version.
    (
        &["already locked by a different transaction"],
        Class::Version(Side::Before),
    ),
    (&["because of locked objects"], Class::Version(Side::After)),
    // InvalidObjectDigest: not this version's contents.
    (&["invalid object digest"], Class::Version(Side::After)),
    // ObjectNotFound, without a version and with one: the latter can be a version to come.
    (
        &["could not find the referenced object", "at version none"],
        Class::NotUsable(Side::Before),
    ),
    (
        &["could not find the referenced object", "at version"],
        Class::Version(Side::Before),
    ),
    (
        &["object", "with version", "not found"],
        Class::Version(Side::Before),
    ),
    // ObjectDeleted, and ObjectNotFound of later words.
    (
        &["object deleted at reference"],
        Class::NotUsable(Side::After),
    ),
    (
        &["could not find the referenced object"],
        Class::NotUsable(Side::After),
    ),
    (&["object", "not found"], Class::NotUsable(Side::Before)),
    // IncorrectUserSignature, InvalidChildObjectArgument, GasObjectNotOwnedObject.
    (
        &["is owned by account address"],
        Class::NotUsable(Side::Before),
    ),
    (&["is owned by object"], Class::NotUsable(Side::Before)),
    (&["not owned by"], Class::NotUsable(Side::Before)),
    (
        &["is not an owned object with owner"],
        Class::NotUsable(Side::Before),
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
    // InvalidSignature and its kin, SizeLimitExceeded, PostRandomCommandRestrictions, EmptyCommandInput,
    // MutableObjectUsedMoreThanOnce, MissingGasPayment.
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
    // The same as older nodes show them in simulations: the variant with its fields.
    (
        &["objectversionunavailableforconsumption"],
        Class::Version(Side::After),
    ),
    (
        &["objectsequencenumbertoohigh"],
        Class::Version(Side::After),
    ),
    (&["objectlockconflict"], Class::Version(Side::After)),
    (&["invalidobjectdigest"], Class::Version(Side::After)),
    (
        &["objectnotfound", "version: none"],
        Class::NotUsable(Side::Before),
    ),
    (&["objectnotfound"], Class::Version(Side::After)),
    (&["objectdeleted"], Class::NotUsable(Side::After)),
    (&["incorrectusersignature"], Class::NotUsable(Side::After)),
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

/// Words that say that these very bytes have been executed already.
const ALREADY_EXECUTED: &[&str] = &[
    "already been executed",
    "already executed",
    "already finalized",
];

/// What an error status to `ExecuteTransaction` means.
pub(crate) fn submit_error(status: Status) -> SubmitError {
    if is_already_executed(&status) || !is_refused(&status) {
        return SubmitError::Unknown(status.into());
    }
    SubmitError::Refused(refusal(&status))
}

/// Whether the status says that the transaction has been executed already.
pub(crate) fn is_already_executed(status: &Status) -> bool {
    let message = status.message().to_lowercase();
    ALREADY_EXECUTED
        .iter()
        .any(|phrase| message.contains(phrase))
}

/// Whether the code says that this submission was refused before execution. Codes that a broken
/// connection, a proxy or gateway, an overloaded or failing node or this side's own decoding
/// (`OutOfRange`) can give say nothing about it.
pub(crate) fn is_refused(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::InvalidArgument | Code::FailedPrecondition
    )
}

/// Whether a node says that it does not have the transaction of that digest. A bare `NotFound` can
/// come from whatever stands before the node.
pub(crate) fn is_absence(status: &Status, digest: Digest) -> bool {
    status.code() == Code::NotFound && status.message().contains(&digest.to_string())
}

/// What an error status to `SimulateTransaction` means. A refusal is an [`ChainError::Answer`] whose
/// source is a [`Refusal`]. Nothing depends on it for good, so the words count where older nodes
/// give codes that say nothing.
pub(crate) fn simulation_error(status: Status) -> ChainError {
    const WORDS: &str = "error checking transaction input objects";
    let in_words = matches!(status.code(), Code::NotFound | Code::Internal)
        && status.message().to_lowercase().contains(WORDS);
    if is_refused(&status) || in_words {
        return ChainError::Answer(refusal(&status).into());
    }
    read_error(status)
}

/// The refusal in a status.
pub(crate) fn refusal(status: &Status) -> Refusal {
    let message = status.message().to_owned();
    let lower = message.to_lowercase();
    let class = PHRASES
        .iter()
        .find_map(|(parts, class)| end_of(&lower, parts).map(|end| (class, end)));
    let kind = match class {
        Some((Class::Version(side), end)) => RefusalKind::ObjectVersion {
            object: object_near(&lower, end, *side),
        },
        Some((Class::NotUsable(side), end)) => RefusalKind::ObjectNotUsable {
            object: object_near(&lower, end, *side),
        },
        Some((Class::Expired, _)) => RefusalKind::Expired,
        Some((Class::GasBalance, _)) => RefusalKind::GasBalance,
        Some((Class::GasTerms, _)) => RefusalKind::GasTerms,
        Some((Class::GasBudgetTooLow, _)) => RefusalKind::GasBudgetTooLow,
        Some((Class::Invalid, _)) => RefusalKind::Invalid,
        // In whatever words: another transaction holds an input.
        None if status.code() == Code::FailedPrecondition => {
            RefusalKind::ObjectVersion { object: None }
        }
        None => RefusalKind::Other,
    };
    Refusal { kind, message }
}

/// An error status to a question.
pub(crate) fn read_error(status: Status) -> ChainError {
    match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unknown
        | Code::Aborted
        | Code::ResourceExhausted => ChainError::Unavailable(status.into()),
        _ => ChainError::Answer(status.into()),
    }
}

/// Where the last of the parts ends, if they all stand in the text in this order.
fn end_of(text: &str, parts: &[&str]) -> Option<usize> {
    let mut from = 0;
    for part in parts {
        from += text.get(from..)?.find(part)? + part.len();
    }
    Some(from)
}

/// The object id next to the phrase. A message can quote several validators, about several
/// objects; the nearest is meant.
fn object_near(text: &str, end: usize, side: Side) -> Option<ObjectId> {
    let (before, after) = text.split_at_checked(end)?;
    match side {
        Side::Before => ids(before).last(),
        Side::After => ids(after).next(),
    }
}

fn ids(text: &str) -> impl Iterator<Item = ObjectId> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() == 66 && word.starts_with("0x"))
        .filter_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests;
