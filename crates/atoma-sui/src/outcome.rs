//! Reading a transaction's outcome from its effects.

use std::collections::BTreeMap;

use atoma_domain::contract::Abort;
use atoma_domain::ports::{ChainError, Executed, ExecutionOutcome};
use atoma_domain::{CheckpointNumber, Digest, Epoch, Mist, ObjectId, ObjectReference};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_rpc::proto::sui::rpc::v2::changed_object::OutputObjectState;
use sui_rpc::proto::sui::rpc::v2::execution_error::ExecutionErrorKind;

use crate::contract_events::EventTypes;
use crate::response::{malformed, parse};

/// The fields needed of an executed transaction. Leaving out the rest, which is mostly object
/// types, the events' JSON and unchanged inputs, keeps the response of a node that honours the
/// mask small.
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
/// Events that can't be decoded are logged and skipped: the transaction has executed regardless,
/// and its outcome must not be lost.
///
/// # Errors
/// [`ChainError::Malformed`] when a field is missing, or when these are the effects of another
/// transaction.
pub(crate) fn executed(
    transaction: &proto::ExecutedTransaction,
    digest: Digest,
    types: &EventTypes,
) -> Result<Executed, ChainError> {
    let effects = transaction.effects.as_ref().ok_or(malformed("effects"))?;
    let effects_digest = effects
        .transaction_digest_opt()
        .or(transaction.digest_opt())
        .ok_or(malformed("the transaction's digest"))?;
    if effects_digest != digest.to_string() {
        return Err(malformed("the requested transaction"));
    }
    let gas = effects
        .gas_used
        .as_ref()
        .ok_or(malformed("effects.gas_used"))?;
    let status = effects.status.as_ref().ok_or(malformed("effects.status"))?;
    let paid = gas_needed(gas).get();
    let rebate = gas.storage_rebate.unwrap_or_default();
    let events = transaction.events.as_ref().map_or_else(Vec::new, |events| {
        types.decode_leniently(&events.events, digest)
    });
    let emitted = transaction
        .events
        .as_ref()
        .map_or(0, |events| events.events.len());
    Ok(Executed {
        digest,
        outcome: outcome(status)?,
        epoch: Epoch::new(effects.epoch.ok_or(malformed("effects.epoch"))?),
        gas_used: Mist::new(paid.saturating_sub(rebate)),
        gas_returned: Mist::new(rebate.saturating_sub(paid)),
        checkpoint: transaction.checkpoint.map(CheckpointNumber::new),
        written: written(effects)?,
        gas_coin: match &effects.gas_object {
            Some(object) => output(object, effects.lamport_version)?,
            None => None,
        },
        other_events: emitted.saturating_sub(events.len()),
        events,
        effects: effects
            .bcs
            .as_ref()
            .and_then(|bcs| bcs.value.as_ref())
            .ok_or(malformed("effects.bcs"))?
            .to_vec(),
    })
}

/// The gas that a budget must cover: computation and storage cost, before the rebate.
pub(crate) fn gas_needed(gas: &proto::GasCostSummary) -> Mist {
    let computation = gas.computation_cost.unwrap_or_default();
    Mist::new(computation.saturating_add(gas.storage_cost.unwrap_or_default()))
}

/// Reads a status from its structured fields. A failure without details is still a failure: the
/// transaction has executed, so nothing may wait for it.
pub(crate) fn outcome(status: &proto::ExecutionStatus) -> Result<ExecutionOutcome, ChainError> {
    let success = status.success.ok_or(malformed("effects.status.success"))?;
    if success {
        return Ok(ExecutionOutcome::Success);
    }
    let without_details = proto::ExecutionError::default();
    let error = status.error.as_ref().unwrap_or(&without_details);
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

/// The kind's name, the command, and the network's description.
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

/// The object's new version; `None` when it was deleted, wrapped or not written.
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
        .ok_or(malformed("a changed object's version"))?;
    Ok(Some(ObjectReference::new(id, version, digest)))
}

#[cfg(test)]
mod tests;
