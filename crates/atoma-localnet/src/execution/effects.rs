//! Building effects from what commands changed: versions, owners, gas and dependencies.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atoma_domain::ObjectId;
use sui_sdk_types::{
    ChangedObject, Digest, ExecutionError, ExecutionStatus, IdOperation, MovePackage, Object,
    ObjectData, ObjectIn, ObjectOut, Owner, SignedTransaction, TransactionEffects,
    TransactionEffectsV2, TransactionEvents, UnchangedConsensusKind, UnchangedConsensusObject,
};

use super::commands::CommandFailure;
use super::gas::{self, Meter, Storage};
use super::inputs::{InputAccess, InputObjects};
use super::objects::{object_of, set_value, settle};
use crate::chain::{ObjectStore, TransactionOutputs};
use crate::vm::{ExecutionResults, ObjectState};

/// Builds the effects of one transaction.
pub(crate) struct EffectsBuilder<'a> {
    pub(crate) store: &'a ObjectStore,
    pub(crate) inputs: &'a InputObjects,
    pub(crate) signed: SignedTransaction,
    pub(crate) epoch: u64,
    pub(crate) meter: Meter,
}

/// The version of a cancelled transaction's shared objects (Sui's `SequenceNumber::CONGESTED`).
const CONGESTED: u64 = 0x8000_0000_0000_0001;
/// The same for shared objects taken immutably.
const CANCELLED_READ: u64 = 0x8000_0000_0000_0000;

/// What the commands wrote, deleted and read.
struct WriteSet {
    states: BTreeMap<ObjectId, ObjectState>,
    deleted: BTreeSet<ObjectId>,
    loaded: BTreeSet<ObjectId>,
    events: Vec<sui_sdk_types::Event>,
    packages: Vec<MovePackage>,
}

impl EffectsBuilder<'_> {
    /// The effects of commands that succeeded, or failed, by `status`.
    ///
    /// In `results` the gas coin lacks the budget; the unspent part is added back here.
    pub(crate) fn finish(
        self,
        results: ExecutionResults,
        packages: Vec<MovePackage>,
        status: Result<(), CommandFailure>,
    ) -> TransactionOutputs {
        let transaction = &self.signed.transaction;
        let computation = self.meter.cost(transaction.gas_payment.price);
        let budget = transaction.gas_payment.budget;
        let unaffordable = |command| CommandFailure {
            error: Box::new(ExecutionError::InsufficientGas),
            command,
        };
        let status = match status {
            Ok(()) if computation > budget => Err(unaffordable(None)),
            status => status,
        };
        let computation = computation.min(budget);
        match status {
            Ok(()) => {
                match self.attempt(write_set(results, packages), computation, Ok(()), false) {
                    Some(outputs) => outputs,
                    None => self.failed(computation, unaffordable(None), false),
                }
            }
            Err(failure) => self.failed(computation, failure, false),
        }
    }

    /// The effects of a transaction cancelled by consensus: gas is charged and nothing else changes.
    pub(crate) fn cancelled(self, congested: Vec<ObjectId>) -> TransactionOutputs {
        let price = self.signed.transaction.gas_payment.price;
        let failure = CommandFailure {
            error: Box::new(
                ExecutionError::ExecutionCanceledDueToConsensusObjectCongestion {
                    congested_objects: congested,
                },
            ),
            command: None,
        };
        let computation = Meter::default().cost(price);
        self.failed(computation, failure, true)
    }

    fn failed(
        self,
        computation: u64,
        failure: CommandFailure,
        cancelled: bool,
    ) -> TransactionOutputs {
        let budget = self.signed.transaction.gas_payment.budget;
        let empty = || WriteSet {
            states: BTreeMap::new(),
            deleted: BTreeSet::new(),
            loaded: BTreeSet::new(),
            events: Vec::new(),
            packages: Vec::new(),
        };
        self.attempt(empty(), computation, Err(failure.clone()), cancelled)
            .unwrap_or_else(|| {
                // The budget does not even cover the inputs' storage: charge all of it.
                let insufficient = CommandFailure {
                    error: Box::new(ExecutionError::InsufficientGas),
                    command: failure.command,
                };
                let status = Err(insufficient);
                self.charge(empty(), status, cancelled, Storage::UNCHARGED, budget)
            })
    }

    /// The outputs, unless the budget does not cover their gas.
    fn attempt(
        &self,
        written: WriteSet,
        computation: u64,
        status: Result<(), CommandFailure>,
        cancelled: bool,
    ) -> Option<TransactionOutputs> {
        let outputs = self.charge(written, status, cancelled, Storage::CHARGED, computation);
        let budget = self.signed.transaction.gas_payment.budget;
        gas::affordable(outputs.effects.gas_summary(), budget).then_some(outputs)
    }

    fn charge(
        &self,
        mut written: WriteSet,
        status: Result<(), CommandFailure>,
        cancelled: bool,
        mut storage: Storage,
        computation: u64,
    ) -> TransactionOutputs {
        let digest = self.signed.transaction.digest();
        let lamport = self.lamport(cancelled);
        let gas_id = self.add_inputs(&mut written, cancelled);

        let mut objects: BTreeMap<ObjectId, Object> = BTreeMap::new();
        for (id, state) in &written.states {
            if let Some(object) = object_of(state, lamport, digest) {
                let old = self.store.live(id);
                objects.insert(*id, storage.write(object, old.as_deref()));
            }
        }
        for package in &written.packages {
            let data = ObjectData::Package(package.clone());
            let object = Object::new(data, Owner::Immutable, digest, 0);
            objects.insert(package.id, storage.write(object, None));
        }
        for id in &written.deleted {
            if let Some(old) = self.store.live(id) {
                storage.delete(&old);
            }
        }
        let gas_used = storage.summary(computation);
        if let Some(coin) = gas_id.and_then(|id| objects.get_mut(&id)) {
            let budget = self.signed.transaction.gas_payment.budget;
            *coin = settle(coin, budget, &gas_used);
        }
        let events =
            (!written.events.is_empty()).then(|| TransactionEvents(written.events.clone()));
        let changed_objects = self.changes(&objects, &written.deleted);
        let gas_object_index = gas_id
            .and_then(|id| {
                changed_objects
                    .iter()
                    .position(|change| change.object_id == id)
            })
            .and_then(|index| u32::try_from(index).ok());
        let effects = TransactionEffectsV2 {
            status: match status {
                Ok(()) => ExecutionStatus::Success,
                Err(CommandFailure { error, command }) => ExecutionStatus::Failure {
                    error: *error,
                    command,
                },
            },
            epoch: self.epoch,
            gas_used,
            transaction_digest: digest,
            gas_object_index,
            events_digest: events.as_ref().map(TransactionEvents::digest),
            dependencies: self.dependencies(&written),
            lamport_version: lamport,
            changed_objects,
            unchanged_consensus_objects: self.unchanged(cancelled),
            auxiliary_data_digest: None,
        };
        TransactionOutputs {
            signed: self.signed.clone(),
            effects: TransactionEffects::V2(Box::new(effects)),
            events,
            loaded: self.loaded(&written, &objects),
            written: objects.into_values().collect(),
            deleted: written.deleted.into_iter().collect(),
        }
    }

    /// The lamport version: one more than the highest version among the inputs.
    fn lamport(&self, cancelled: bool) -> u64 {
        self.inputs
            .objects
            .iter()
            .flatten()
            .filter(|input| !cancelled || !is_shared(input.access))
            .map(|input| &input.object)
            .chain(&self.inputs.gas)
            .map(|object| object.version())
            .max()
            .map_or(1, |highest| highest + 1)
    }

    /// Adds all mutable inputs, which get a new version even if unchanged, and merges the gas coins
    /// into the first, whose id is returned.
    fn add_inputs(&self, written: &mut WriteSet, cancelled: bool) -> Option<ObjectId> {
        for input in self.inputs.objects.iter().flatten() {
            let id = input.object.object_id();
            let writes = match input.access {
                InputAccess::Owned => true,
                InputAccess::SharedWrite => !cancelled,
                InputAccess::Immutable | InputAccess::SharedRead => false,
            };
            if writes
                && !written.deleted.contains(&id)
                && !written.states.contains_key(&id)
                && let Some(state) = ObjectState::of(&input.object)
            {
                written.states.insert(id, state);
            }
        }
        let (first, rest) = self.inputs.gas.split_first()?;
        let id = first.object_id();
        if let Entry::Vacant(untouched) = written.states.entry(id) {
            let budget = self.signed.transaction.gas_payment.budget;
            let mut state = ObjectState::of(first)?;
            set_value(&mut state.contents, self.inputs.gas_balance - budget);
            untouched.insert(state);
        }
        written
            .deleted
            .extend(rest.iter().map(|coin| coin.object_id()));
        Some(id)
    }

    /// An object as it was before the transaction. The mock gas coin of a simulation is not in the store.
    fn before(&self, id: &ObjectId) -> Option<Arc<Object>> {
        let mut gas = self.inputs.gas.iter();
        let coin = gas.find(|coin| coin.object_id() == *id);
        coin.cloned().or_else(|| self.store.live(id))
    }

    fn changes(
        &self,
        objects: &BTreeMap<ObjectId, Object>,
        deleted: &BTreeSet<ObjectId>,
    ) -> Vec<ChangedObject> {
        let before = |id: &ObjectId| match self.before(id) {
            Some(old) => ObjectIn::Exist {
                version: old.version(),
                digest: old.digest(),
                owner: *old.owner(),
            },
            None => ObjectIn::NotExist,
        };
        let mut changes: Vec<ChangedObject> = objects
            .iter()
            .map(|(id, object)| {
                let input_state = before(id);
                let id_operation = match input_state {
                    ObjectIn::NotExist => IdOperation::Created,
                    _ => IdOperation::None,
                };
                ChangedObject {
                    object_id: *id,
                    input_state,
                    output_state: match object.data() {
                        ObjectData::Struct(_) => ObjectOut::ObjectWrite {
                            digest: object.digest(),
                            owner: *object.owner(),
                        },
                        ObjectData::Package(package) => ObjectOut::PackageWrite {
                            version: package.version,
                            digest: object.digest(),
                        },
                    },
                    id_operation,
                }
            })
            .collect();
        changes.extend(deleted.iter().map(|id| ChangedObject {
            object_id: *id,
            input_state: before(id),
            output_state: ObjectOut::NotExist,
            id_operation: IdOperation::Deleted,
        }));
        changes.sort_by_key(|change| change.object_id);
        changes
    }

    fn unchanged(&self, cancelled: bool) -> Vec<UnchangedConsensusObject> {
        let mut unchanged: Vec<_> = self
            .inputs
            .objects
            .iter()
            .flatten()
            .filter_map(|input| {
                let kind = match (input.access, cancelled) {
                    (InputAccess::SharedRead, false) => UnchangedConsensusKind::ReadOnlyRoot {
                        version: input.object.version(),
                        digest: input.object.digest(),
                    },
                    (InputAccess::SharedRead, true) => UnchangedConsensusKind::Canceled {
                        version: CANCELLED_READ,
                    },
                    (InputAccess::SharedWrite, true) => {
                        UnchangedConsensusKind::Canceled { version: CONGESTED }
                    }
                    _ => return None,
                };
                Some(UnchangedConsensusObject {
                    object_id: input.object.object_id(),
                    kind,
                })
            })
            .collect();
        unchanged.sort_by_key(|object| object.object_id);
        unchanged
    }

    /// The transactions that last wrote this one's inputs and the objects it read.
    fn dependencies(&self, written: &WriteSet) -> Vec<Digest> {
        let inputs = self.inputs.objects.iter().flatten().map(|i| &i.object);
        let read = written.loaded.iter().filter_map(|id| self.store.live(id));
        let mut dependencies: BTreeSet<Digest> = inputs
            .chain(&self.inputs.gas)
            .cloned()
            .chain(read)
            .map(|object| object.previous_transaction())
            .collect();
        dependencies.remove(&Digest::ZERO);
        dependencies.into_iter().collect()
    }

    /// Objects that were read but are neither inputs nor changed, with their versions.
    fn loaded(
        &self,
        written: &WriteSet,
        objects: &BTreeMap<ObjectId, Object>,
    ) -> Vec<(ObjectId, u64)> {
        let inputs: BTreeSet<ObjectId> = self
            .inputs
            .objects
            .iter()
            .flatten()
            .map(|input| input.object.object_id())
            .collect();
        written
            .loaded
            .iter()
            .filter(|id| {
                !inputs.contains(*id)
                    && !objects.contains_key(*id)
                    && !written.deleted.contains(*id)
            })
            .filter_map(|id| Some((*id, self.store.live(id)?.version())))
            .collect()
    }
}

fn write_set(results: ExecutionResults, packages: Vec<MovePackage>) -> WriteSet {
    WriteSet {
        states: results.written,
        deleted: results.deleted,
        loaded: results.read,
        events: results.events,
        packages,
    }
}

const fn is_shared(access: InputAccess) -> bool {
    matches!(access, InputAccess::SharedRead | InputAccess::SharedWrite)
}
