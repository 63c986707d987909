//! What a transaction did, read from its effects.

use std::collections::BTreeMap;

use atoma_domain::contract::Abort;
use atoma_domain::ports::{ChainError, Executed, ExecutionOutcome};
use atoma_domain::{CheckpointNumber, Digest, Epoch, Mist, ObjectId, ObjectReference};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_rpc::proto::sui::rpc::v2::changed_object::OutputObjectState;
use sui_rpc::proto::sui::rpc::v2::execution_error::ExecutionErrorKind;

use crate::contract_events::EventTypes;

/// What must be read of an executed transaction, and no more, as far as a node goes by it: types of
/// objects, events' JSON and what was only looked at make up most of the rest.
pub(crate) const EXECUTED_MASK: [&str; 18] = [
    "digest",
    "events.events.event_type",
    "events.events.contents",
    "checkpoint",
    "effects.bcs",
    "effects.transaction_digest",
    "effects.status",
    "effects.epoch",
    "effects.gas_used",
    "effects.gas_object.object_id",
    "effects.gas_object.output_state",
    "effects.gas_object.output_version",
    "effects.gas_object.output_digest",
    "effects.lamport_version",
    "effects.changed_objects.object_id",
    "effects.changed_objects.output_state",
    "effects.changed_objects.output_version",
    "effects.changed_objects.output_digest",
];

/// Reads an executed transaction.
///
/// Events that can't be decoded are logged and left out: the transaction is executed whatever they
/// say, and its outcome must not be lost.
pub(crate) fn executed(
    transaction: &proto::ExecutedTransaction,
    digest: Digest,
    types: &EventTypes,
) -> Result<Executed, ChainError> {
    let effects = transaction.effects.as_ref().ok_or(lacks("effects"))?;
    let told = effects
        .transaction_digest_opt()
        .or(transaction.digest_opt())
        .ok_or(lacks("the transaction's digest"))?;
    if told != digest.to_string() {
        return Err(lacks("the transaction that was asked for"));
    }
    let gas = effects.gas_used.as_ref().ok_or(lacks("effects.gas_used"))?;
    let paid = gas_needed(gas).get();
    let events = transaction.events.as_ref().map_or_else(Vec::new, |events| {
        types.decode_leniently(&events.events, digest)
    });
    Ok(Executed {
        digest,
        outcome: outcome(effects.status.as_ref().ok_or(lacks("effects.status"))?)?,
        epoch: Epoch::new(effects.epoch.ok_or(lacks("effects.epoch"))?),
        gas_used: Mist::new(paid.saturating_sub(gas.storage_rebate.unwrap_or_default())),
        checkpoint: transaction.checkpoint.map(CheckpointNumber::new),
        written: written(effects)?,
        gas_coin: match &effects.gas_object {
            Some(object) => output(object, effects.lamport_version)?,
            None => None,
        },
        events,
        effects: effects
            .bcs
            .as_ref()
            .and_then(|bcs| bcs.value.as_ref())
            .ok_or(lacks("effects.bcs"))?
            .to_vec(),
    })
}

/// What a budget must cover: computation and storage, before the rebate.
pub(crate) fn gas_needed(gas: &proto::GasCostSummary) -> Mist {
    let computation = gas.computation_cost.unwrap_or_default();
    Mist::new(computation.saturating_add(gas.storage_cost.unwrap_or_default()))
}

/// Reads a status from its structured fields. A failure that the node does not tell the details of is
/// a failure all the same: its transaction is executed, and must not be waited for.
pub(crate) fn outcome(status: &proto::ExecutionStatus) -> Result<ExecutionOutcome, ChainError> {
    if status.success.ok_or(lacks("effects.status.success"))? {
        return Ok(ExecutionOutcome::Success);
    }
    let unexplained = proto::ExecutionError::default();
    let error = status.error.as_ref().unwrap_or(&unexplained);
    let kind = ExecutionErrorKind::try_from(error.kind.unwrap_or_default());
    if kind == Ok(ExecutionErrorKind::MoveAbort)
        && let Some(abort) = abort(error)
    {
        return Ok(ExecutionOutcome::Abort(abort));
    }
    Ok(match kind {
        Ok(
            kind @ (ExecutionErrorKind::ExecutionCanceledDueToConsensusObjectCongestion
            | ExecutionErrorKind::ExecutionCanceledDueToRandomnessUnavailable),
        ) => ExecutionOutcome::Cancelled {
            reason: kind.as_str_name().to_owned(),
        },
        kind => ExecutionOutcome::Failed {
            reason: reason(error, kind.ok()),
            out_of_gas: kind == Ok(ExecutionErrorKind::InsufficientGas),
        },
    })
}

fn abort(error: &proto::ExecutionError) -> Option<Abort> {
    let abort = error.abort_opt()?;
    let location = abort.location.as_ref()?;
    Some(Abort {
        module: location.module.clone()?,
        function: location.function_name.clone(),
        abort_code: abort.abort_code?,
        command: error.command,
    })
}

/// The kind's name, the command, and what the network says about it.
fn reason(error: &proto::ExecutionError, kind: Option<ExecutionErrorKind>) -> String {
    let mut reason = kind.map_or_else(
        || format!("error of kind {}", error.kind.unwrap_or_default()),
        |kind| kind.as_str_name().to_owned(),
    );
    if let Some(command) = error.command {
        reason = format!("{reason} in command {command}");
    }
    match error.description.as_deref() {
        Some(description) if !description.is_empty() => format!("{reason}: {description}"),
        _ => reason,
    }
}

fn written(
    effects: &proto::TransactionEffects,
) -> Result<BTreeMap<ObjectId, ObjectReference>, ChainError> {
    effects
        .changed_objects
        .iter()
        .filter_map(|object| output(object, effects.lamport_version).transpose())
        .map(|reference| reference.map(|reference| (*reference.object_id(), reference)))
        .collect()
}

/// The object's new version; `None` when it was deleted, wrapped or isn't written.
fn output(
    object: &proto::ChangedObject,
    lamport_version: Option<u64>,
) -> Result<Option<ObjectReference>, ChainError> {
    if object.output_state() != OutputObjectState::ObjectWrite {
        return Ok(None);
    }
    let id = parse(object.object_id.as_deref(), "a changed object's id")?;
    let digest = parse(object.output_digest.as_deref(), "a changed object's digest")?;
    let version = object
        .output_version
        .or(lamport_version)
        .ok_or(lacks("a changed object's version"))?;
    Ok(Some(ObjectReference::new(id, version, digest)))
}

/// Parses an id or digest.
pub(crate) fn parse<T: std::str::FromStr>(
    text: Option<&str>,
    what: &'static str,
) -> Result<T, ChainError> {
    text.and_then(|text| text.parse().ok()).ok_or(lacks(what))
}

/// An answer that lacks or garbles something.
pub(crate) const fn lacks(what: &'static str) -> ChainError {
    ChainError::Malformed { what }
}

#[cfg(test)]
mod tests;
