//! A transaction's way from bytes to effects: checks that need no objects, signatures, inputs,
//! commands, effects.

mod checks;
mod commands;
mod effects;
mod gas;
mod inputs;
pub(crate) mod limits;
mod objects;
mod refusal;
mod signatures;
mod simulation;

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::{Digest, NodeSmallId, ObjectId, StackSmallId};
use sui_sdk_types::hash::Hasher;
use sui_sdk_types::{
    Argument, Command, ExecutionError, Input, Object, ProgrammableTransaction, SignedTransaction,
    Transaction, TransactionKind, UserSignature,
};

pub(crate) use objects::object_of;
pub(crate) use refusal::Refusal;
pub(crate) use simulation::{Simulation, simulate};

use crate::chain::{EpochRecord, Executed, Ledger, ObjectStore};
use crate::contract::ContractAddresses;
use crate::vm::{Execution, ObjectReader, Outcome, TxContext};
use commands::{Failure, Interpreter};
use effects::Draft;
use gas::Meter;
use inputs::{Access, Inputs};

/// Draws that a test or demonstration has decided beforehand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forced {
    /// The attesters of each stack's settlement; shared, since there can be thousands.
    pub(crate) attesters: Arc<BTreeMap<StackSmallId, Vec<NodeSmallId>>>,
    /// The node that a buyer's next purchase selects.
    pub(crate) selected_node: Option<NodeSmallId>,
}

/// What a transaction executes against.
pub(crate) struct Environment<'a> {
    pub(crate) store: &'a ObjectStore,
    pub(crate) contract: &'a ContractAddresses,
    pub(crate) epoch: EpochRecord,
    pub(crate) seed: u64,
    pub(crate) forced: &'a Forced,
}

/// Everything that can be checked without objects, signatures included. It takes no lock.
///
/// # Errors
/// The first [`Refusal`] that applies.
pub(crate) fn precheck(
    transaction: &Transaction,
    signatures: &[UserSignature],
) -> Result<(), Refusal> {
    checks::shape(transaction)?;
    signatures::verify(transaction, signatures)
}

/// Executes a prechecked transaction, without writing it down. Whether there is congestion is asked
/// only where it would cancel the transaction.
///
/// # Errors
/// A [`Refusal`] when it can't be executed now.
pub(crate) fn execute(
    ledger: &Ledger,
    environment: &Environment<'_>,
    signed: SignedTransaction,
    is_congested: impl FnOnce() -> bool,
) -> Result<Executed, Refusal> {
    let transaction = &signed.transaction;
    checks::expiration(transaction, environment.epoch.epoch, ledger.chain_id())?;
    checks::price_and_budget(transaction)?;
    let inputs = inputs::load(environment.store, transaction, environment.contract.package)?;
    Ok(run(environment, &inputs, signed, is_congested))
}

fn run(
    environment: &Environment<'_>,
    inputs: &Inputs,
    signed: SignedTransaction,
    is_congested: impl FnOnce() -> bool,
) -> Executed {
    let shared: Vec<ObjectId> = inputs
        .objects
        .iter()
        .flatten()
        .filter(|input| input.access == Access::SharedWrite)
        .map(|input| input.object.object_id())
        .collect();
    let draft = |meter, signed| Draft {
        store: environment.store,
        inputs,
        signed,
        epoch: environment.epoch.epoch,
        meter,
    };
    if !shared.is_empty() && is_congested() {
        return draft(Meter::default(), signed).cancelled(shared);
    }
    let (meter, outcome, result) = commands(environment, inputs, &signed.transaction);
    draft(meter, signed).finish(outcome, result)
}

fn commands(
    environment: &Environment<'_>,
    inputs: &Inputs,
    transaction: &Transaction,
) -> (Meter, Outcome, Result<(), Failure>) {
    let empty = ProgrammableTransaction {
        inputs: Vec::new(),
        commands: Vec::new(),
    };
    let programmable = match &transaction.kind {
        TransactionKind::ProgrammableTransaction(programmable) => programmable,
        _ => &empty,
    };
    let view = View {
        store: environment.store,
        gas: objects::gas_coin_for_commands(inputs, transaction.gas_payment.budget),
        smashed: inputs.gas.iter().skip(1).map(|c| c.object_id()).collect(),
    };
    let digest = transaction.digest();
    let context = TxContext {
        digest,
        sender: transaction.sender,
        epoch: environment.epoch.epoch,
        epoch_timestamp_ms: environment.epoch.start_ms,
    };
    let mut execution = Execution::new(&view, context, randomness(environment.seed, &digest));
    for stack in settled_stacks(programmable) {
        if let Some(nodes) = environment.forced.attesters.get(&stack) {
            execution.force_attesters(stack, nodes.clone());
        }
    }
    if let Some(node) = environment.forced.selected_node {
        execution.force_selected_node(node);
    }
    let gas = view
        .gas
        .as_ref()
        .map_or(ObjectId::ZERO, |coin| coin.object_id());
    let immutable = |id: &ObjectId| {
        inputs
            .objects
            .iter()
            .flatten()
            .any(|input| input.access == Access::Immutable && input.object.object_id() == *id)
    };
    let interpreter = Interpreter::new(
        &mut execution,
        environment.contract,
        programmable,
        gas,
        immutable,
    );
    let (meter, result) = interpreter.run(programmable);
    let outcome = execution.finish();
    let result = match result {
        Ok(()) if outcome.events.len() > limits::MAX_EVENTS => Err(Failure {
            error: Box::new(ExecutionError::MovePrimitiveRuntimeError { location: None }),
            command: None,
        }),
        result => result,
    };
    (meter, outcome, result)
}

/// The stacks that a transaction's calls name for settlement.
fn settled_stacks(programmable: &ProgrammableTransaction) -> impl Iterator<Item = StackSmallId> {
    let input = |argument: &Argument| match argument {
        Argument::Input(index) => programmable.inputs.get(usize::from(*index)),
        _ => None,
    };
    programmable
        .commands
        .iter()
        .filter_map(move |command| match command {
            Command::MoveCall(call) if call.function.as_str() == "try_settle_stack" => {
                match input(call.arguments.get(2)?)? {
                    Input::Pure(bytes) => bcs::from_bytes(bytes).ok(),
                    _ => None,
                }
            }
            _ => None,
        })
}

/// The randomness of a transaction follows from the seed and its bytes.
fn randomness(seed: u64, digest: &Digest) -> [u8; 32] {
    let mut hasher = Hasher::new();
    hasher.update(b"atoma-localnet randomness");
    hasher.update(seed.to_le_bytes());
    hasher.update(digest.as_bytes());
    hasher.finalize().into_inner()
}

/// The store with the gas coins as commands see them.
#[derive(Debug)]
struct View<'a> {
    store: &'a ObjectStore,
    gas: Option<Arc<Object>>,
    smashed: Vec<ObjectId>,
}

impl ObjectReader for View<'_> {
    fn object(&self, id: &ObjectId) -> Option<Arc<Object>> {
        match &self.gas {
            Some(gas) if gas.object_id() == *id => Some(Arc::clone(gas)),
            _ if self.smashed.contains(id) => None,
            _ => self.store.live(id).cloned(),
        }
    }
}
