//! Rendering the ledger's records as protocol messages, limited to the fields of a field mask.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atoma_domain::ObjectId;
use prost_types::FieldMask;
use sui_rpc::field::{FieldMaskTree, FieldMaskUtil, MessageFields};
use sui_rpc::merge::Merge;
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_rpc::proto::timestamp_ms_to_proto;
use sui_sdk_types::{
    ExecutionStatus, Object, ObjectIn, ObjectOut, ObjectType, TransactionEffectsV2,
    UnchangedConsensusKind,
};
use tonic::Status;

use super::balance_changes::balance_changes;
use super::description::description;
use super::view::{DecodedTransaction, lost};
use crate::chain::{CheckpointRecord, Ledger, ObjectStore, TransactionRecord, coin_balance};
use crate::contract::ContractAddresses;
use crate::execution::Simulated;
use crate::execution::status::bad_request;
use crate::interface::json;

/// A request's mask for messages of type `M`, or the method's documented default.
///
/// # Errors
/// `INVALID_ARGUMENT` for a path that `M` does not have.
pub(crate) fn mask<M: MessageFields>(
    given: Option<&FieldMask>,
    default: &str,
) -> Result<FieldMaskTree, Status> {
    let Some(mask) = given else {
        return Ok(FieldMaskTree::from(FieldMask::from_str(default)));
    };
    mask.validate::<M>()
        .map_err(|path| bad_request("read_mask", &format!("invalid read_mask path: {path}")))?;
    Ok(FieldMaskTree::from(mask.clone()))
}

/// An object, with its balance if it is a coin, and its contents as JSON if their type is known.
pub(crate) fn object(
    object: &Object,
    contract: &ContractAddresses,
    mask: &FieldMaskTree,
) -> proto::Object {
    let mut message = proto::Object::merge_from(object.clone(), mask);
    if mask.contains("balance")
        && let Some((_, balance)) = coin_balance(object)
    {
        message.balance = Some(balance);
    }
    if mask.contains("json")
        && let Some(data) = object.as_struct()
    {
        message.json = json(contract, data.object_type(), data.contents()).map(Box::new);
    }
    message
}

/// An event, with its contents as JSON.
pub(crate) fn event(
    event: &sui_sdk_types::Event,
    contract: &ContractAddresses,
    mask: &FieldMaskTree,
) -> Option<Box<prost_types::Value>> {
    mask.contains("json")
        .then(|| json(contract, &event.type_, &event.contents).map(Box::new))
        .flatten()
}

/// The transaction at `position`, with its checkpoint if it is in one.
pub(crate) fn transaction(
    ledger: &Ledger,
    contract: &ContractAddresses,
    position: usize,
    view: &DecodedTransaction<'_>,
    mask: &FieldMaskTree,
) -> Result<proto::ExecutedTransaction, Status> {
    let mut message = body(ledger.objects(), contract, view, mask)?;
    if let Some((sequence, index)) = ledger.checkpoint_of(position) {
        if mask.contains("checkpoint") {
            message.checkpoint = Some(sequence);
        }
        if mask.contains("transaction_index") {
            message.transaction_index = u64::try_from(index).ok();
        }
        if mask.contains("timestamp") {
            message.timestamp = ledger
                .checkpoint(sequence)
                .map(|checkpoint| timestamp_ms_to_proto(checkpoint.timestamp_ms));
        }
    }
    Ok(message)
}

/// A transaction without its checkpoint.
pub(crate) fn body(
    objects: &ObjectStore,
    contract: &ContractAddresses,
    view: &DecodedTransaction<'_>,
    mask: &FieldMaskTree,
) -> Result<proto::ExecutedTransaction, Status> {
    body_with(&|id, version| objects.at(id, version), contract, view, mask)
}

fn body_with(
    lookup: &ObjectLookup<'_>,
    contract: &ContractAddresses,
    view: &DecodedTransaction<'_>,
    mask: &FieldMaskTree,
) -> Result<proto::ExecutedTransaction, Status> {
    let mut message = proto::ExecutedTransaction::default();
    let record = view.record();
    if mask.contains("digest") {
        message.digest = Some(record.digest.to_string());
    }
    if let Some(submask) = mask.subtree("transaction") {
        let transaction = view.signed()?.transaction.clone();
        message.transaction = Some(proto::Transaction::merge_from(transaction, &submask));
    }
    if let Some(submask) = mask.subtree("signatures") {
        message.signatures = view
            .signed()?
            .signatures
            .iter()
            .map(|signature| proto::UserSignature::merge_from(signature.clone(), &submask))
            .collect();
    }
    if let Some(submask) = mask.subtree("effects") {
        message.effects = Some(effects(view, lookup, &submask)?);
    }
    if let Some(submask) = mask.subtree("events") {
        message.events = view
            .events()?
            .map(|events| transaction_events(events, contract, &submask));
    }
    if mask.contains("balance_changes") {
        message.balance_changes = balance_changes(view.effects_v2()?, lookup)
            .into_iter()
            .map(Into::into)
            .collect();
    }
    if let Some(submask) = mask.subtree("objects") {
        message.objects = Some(object_set(view, lookup, contract, &submask)?);
    }
    Ok(message)
}

fn transaction_events(
    events: &sui_sdk_types::TransactionEvents,
    contract: &ContractAddresses,
    mask: &FieldMaskTree,
) -> proto::TransactionEvents {
    let mut message = proto::TransactionEvents::merge_from(events.clone(), mask);
    if let Some(submask) = mask.subtree("events") {
        for (message, rendered) in message.events.iter_mut().zip(&events.0) {
            message.json = event(rendered, contract, &submask);
        }
    }
    message
}

/// The outputs of a simulation, which are not in the ledger.
pub(crate) fn simulated(
    objects: &ObjectStore,
    contract: &ContractAddresses,
    simulated: &Simulated,
    mask: &FieldMaskTree,
) -> Result<proto::ExecutedTransaction, Status> {
    let outputs = &simulated.outputs;
    let record = TransactionRecord::new(outputs)
        .map_err(|error| Status::internal(format!("effects can't be encoded: {error}")))?;
    let view = DecodedTransaction::new(&record);
    let made_up: BTreeMap<(ObjectId, u64), Arc<Object>> = outputs
        .written
        .iter()
        .cloned()
        .map(Arc::new)
        .chain(simulated.mock_coin.clone())
        .map(|object| ((object.object_id(), object.version()), object))
        .collect();
    let lookup = |id: &ObjectId, version| {
        made_up
            .get(&(*id, version))
            .cloned()
            .or_else(|| objects.at(id, version))
    };
    body_with(&lookup, contract, &view, mask)
}

type ObjectLookup<'a> = dyn Fn(&ObjectId, u64) -> Option<Arc<Object>> + 'a;

fn effects(
    view: &DecodedTransaction<'_>,
    lookup: &ObjectLookup<'_>,
    mask: &FieldMaskTree,
) -> Result<proto::TransactionEffects, Status> {
    let mut message = proto::TransactionEffects::merge_from(view.effects()?, mask);
    if let (Some(status), ExecutionStatus::Failure { error, command }) =
        (&mut message.status, &view.effects_v2()?.status)
        && let Some(described) = &mut status.error
        && mask
            .subtree("status")
            .and_then(|mask| mask.subtree("error"))
            .is_some_and(|mask| mask.contains("description"))
    {
        described.description = Some(description(error, *command));
    }
    let requested = |field| {
        mask.subtree(field)
            .is_some_and(|m| m.contains("object_type"))
    };
    let [of_changed, of_gas, of_unchanged] = [
        "changed_objects",
        "gas_object",
        "unchanged_consensus_objects",
    ]
    .map(requested);
    let types = if of_changed || of_gas || of_unchanged {
        types(view.effects_v2()?, lookup)
    } else {
        BTreeMap::new()
    };
    let changed = message.changed_objects.iter_mut().filter(|_| of_changed);
    for change in changed.chain(message.gas_object.iter_mut().filter(|_| of_gas)) {
        change.object_type = types.get(change.object_id()).cloned();
    }
    if of_unchanged {
        for unchanged in &mut message.unchanged_consensus_objects {
            unchanged.object_type = types.get(unchanged.object_id()).cloned();
        }
    }
    if mask.contains("unchanged_loaded_runtime_objects") {
        message.unchanged_loaded_runtime_objects = view
            .record()
            .loaded
            .iter()
            .filter_map(|(id, version)| {
                let object = lookup(id, *version)?;
                Some(sui_sdk_types::ObjectReference::new(*id, *version, object.digest()).into())
            })
            .collect();
    }
    Ok(message)
}

/// The types of the objects in the effects, by id.
fn types(effects: &TransactionEffectsV2, lookup: &ObjectLookup<'_>) -> BTreeMap<String, String> {
    let mut types = BTreeMap::new();
    for (id, version) in touched(effects) {
        if let Some(object) = lookup(&id, version) {
            let name = match object.object_type() {
                ObjectType::Struct(tag) => tag.to_string(),
                ObjectType::Package => "package".to_owned(),
            };
            types.insert(id.to_string(), name);
        }
    }
    types
}

/// Every object version that is an input or output in the effects. Child objects that were only
/// read are not included.
fn touched(effects: &TransactionEffectsV2) -> BTreeSet<(ObjectId, u64)> {
    let mut touched = BTreeSet::new();
    for change in &effects.changed_objects {
        if let ObjectIn::Exist { version, .. } = change.input_state {
            touched.insert((change.object_id, version));
        }
        match change.output_state {
            ObjectOut::ObjectWrite { .. } => {
                touched.insert((change.object_id, effects.lamport_version));
            }
            ObjectOut::PackageWrite { version, .. } => {
                touched.insert((change.object_id, version));
            }
            _ => {}
        }
    }
    for unchanged in &effects.unchanged_consensus_objects {
        if let UnchangedConsensusKind::ReadOnlyRoot { version, .. } = unchanged.kind {
            touched.insert((unchanged.object_id, version));
        }
    }
    touched
}

fn object_set(
    view: &DecodedTransaction<'_>,
    lookup: &ObjectLookup<'_>,
    contract: &ContractAddresses,
    mask: &FieldMaskTree,
) -> Result<proto::ObjectSet, Status> {
    let mut versions = touched(view.effects_v2()?);
    versions.extend(view.record().loaded.iter().copied());
    let mut set = proto::ObjectSet::default();
    if let Some(submask) = mask.subtree("objects") {
        set.objects = versions
            .into_iter()
            .filter_map(|(id, version)| Some(object(&*lookup(&id, version)?, contract, &submask)))
            .collect();
    }
    Ok(set)
}

/// A checkpoint.
pub(crate) fn checkpoint(
    ledger: &Ledger,
    contract: &ContractAddresses,
    record: &CheckpointRecord,
    mask: &FieldMaskTree,
) -> Result<proto::Checkpoint, Status> {
    let mut message = proto::Checkpoint::default();
    message.merge(&ledger.summary(record).map_err(lost)?, mask);
    if mask.subtree("contents").is_some() {
        let contents = Ledger::contents_of(ledger.transactions_of(record)).map_err(lost)?;
        message.merge(contents, mask);
    }
    if let Some(submask) = mask.subtree("transactions") {
        for (index, executed) in ledger.transactions_of(record).enumerate() {
            let position = record.first_transaction + index;
            let executed = executed.map_err(lost)?;
            let view = DecodedTransaction::new(&executed);
            message
                .transactions
                .push(transaction(ledger, contract, position, &view, &submask)?);
        }
    }
    if let Some(submask) = mask.subtree("objects")
        && let Some(submask) = submask.subtree("objects")
    {
        let mut versions = BTreeSet::new();
        for executed in ledger.transactions_of(record) {
            let executed = executed.map_err(lost)?;
            versions.extend(touched(DecodedTransaction::new(&executed).effects_v2()?));
            versions.extend(executed.loaded.iter().copied());
        }
        let mut set = proto::ObjectSet::default();
        set.objects = versions
            .into_iter()
            .filter_map(|(id, version)| {
                Some(object(
                    &*ledger.objects().at(&id, version)?,
                    contract,
                    &submask,
                ))
            })
            .collect();
        message.objects = Some(set);
    }
    Ok(message)
}
