//! Executing one transaction.

use std::sync::Arc;

use atoma_domain::{Digest, ObjectId, StackSmallId};
use sui_sdk_types::hash::Hasher;
use sui_sdk_types::{
    Argument, Command, ExecutionError, Input, Object, ProgrammableTransaction, SignedTransaction,
    Transaction, TransactionKind, UserSignature,
};

use super::commands::{CommandFailure, CommandOutput, CommandsRun, Interpreter};
use super::effects::EffectsBuilder;
use super::environment::Environment;
use super::gas::Meter;
use super::inputs::{GasSource, InputAccess, InputObjects};
use super::refusal::TransactionRefusal;
use super::{checks, inputs, limits, objects, signatures};
use crate::chain::{Ledger, ObjectStore, TransactionOutputs};
use crate::vm::{Execution, ExecutionResults, ObjectReader, TxContext};

/// Checks everything that needs no objects, including signatures. Takes no lock.
///
/// # Errors
/// The first [`TransactionRefusal`] that applies.
pub(crate) fn precheck(
    transaction: &Transaction,
    signatures: &[UserSignature],
) -> Result<(), TransactionRefusal> {
    checks::programmable(transaction)?;
    signatures::verify(transaction, signatures)?;
    checks::size(transaction, signatures)?;
    checks::shape(transaction)
}

/// Executes a prechecked transaction without committing it. `is_congested` is called only if
/// congestion would cancel the transaction.
///
/// # Errors
/// A [`TransactionRefusal`] when it can't be executed now.
pub(crate) fn execute(
    ledger: &Ledger,
    environment: &Environment<'_>,
    signed: SignedTransaction,
    is_congested: impl FnOnce() -> bool,
) -> Result<TransactionOutputs, TransactionRefusal> {
    let transaction = &signed.transaction;
    checks::expiration(transaction, environment.epoch.epoch, ledger.chain_id())?;
    checks::payment(transaction)?;
    let inputs = inputs::load(
        environment.store,
        transaction,
        environment.contract,
        &GasSource::Payment,
        Some(environment.epoch.reference_gas_price),
    )?;
    Ok(run(environment, &inputs, signed, is_congested, false).outputs)
}

/// What executing a transaction gives.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) outputs: TransactionOutputs,
    /// The outputs of each command, if they were recorded and all succeeded.
    pub(super) commands: Vec<CommandOutput>,
}

/// Executes a transaction whose inputs have been loaded. With `records`, the outputs of its commands are
/// recorded.
pub(super) fn run(
    environment: &Environment<'_>,
    inputs: &InputObjects,
    signed: SignedTransaction,
    is_congested: impl FnOnce() -> bool,
    records: bool,
) -> Run {
    let shared: Vec<ObjectId> = inputs
        .objects
        .iter()
        .flatten()
        .filter(|input| input.access == InputAccess::SharedWrite)
        .map(|input| input.object.object_id())
        .collect();
    let effects = |meter, signed| EffectsBuilder {
        store: environment.store,
        inputs,
        signed,
        epoch: environment.epoch.epoch,
        meter,
    };
    if !shared.is_empty() && is_congested() {
        return Run {
            outputs: effects(Meter::default(), signed).cancelled(shared),
            commands: Vec::new(),
        };
    }
    let (run, results, status) = run_commands(environment, inputs, &signed.transaction, records);
    Run {
        outputs: effects(run.meter, signed).finish(results, run.packages, status),
        commands: run.outputs,
    }
}

fn run_commands(
    environment: &Environment<'_>,
    inputs: &InputObjects,
    transaction: &Transaction,
    records: bool,
) -> (CommandsRun, ExecutionResults, Result<(), CommandFailure>) {
    let empty = ProgrammableTransaction {
        inputs: Vec::new(),
        commands: Vec::new(),
    };
    let programmable = match &transaction.kind {
        TransactionKind::ProgrammableTransaction(programmable) => programmable,
        _ => &empty,
    };
    let reader = StoreWithGas {
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
    let mut execution = Execution::new(&reader, context, randomness(environment.seed, &digest));
    for stack in settled_stacks(programmable) {
        if let Some(nodes) = environment.forced.attesters.get(&stack) {
            execution.force_attesters(stack, nodes.clone());
        }
    }
    if let Some(node) = environment.forced.selected_node {
        execution.force_selected_node(node);
    }
    let gas = reader
        .gas
        .as_ref()
        .map_or(ObjectId::ZERO, |coin| coin.object_id());
    let immutable =
        |id: &ObjectId| {
            inputs.objects.iter().flatten().any(|input| {
                input.access == InputAccess::Immutable && input.object.object_id() == *id
            })
        };
    let interpreter = Interpreter::new(
        &mut execution,
        environment.contract,
        environment.store,
        programmable,
        gas,
        immutable,
    );
    let (run, status) = interpreter.recording(records).run(programmable);
    let results = execution.finish();
    let status = match status {
        Ok(()) if results.events.len() > limits::MAX_EVENTS => Err(CommandFailure {
            error: Box::new(ExecutionError::MovePrimitiveRuntimeError { location: None }),
            command: None,
        }),
        status => status,
    };
    (run, results, status)
}

/// The stacks that a transaction's calls settle.
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

/// A transaction's randomness, derived from the seed and its digest.
fn randomness(seed: u64, digest: &Digest) -> [u8; 32] {
    let mut hasher = Hasher::new();
    hasher.update(b"atoma-localnet randomness");
    hasher.update(seed.to_le_bytes());
    hasher.update(digest.as_bytes());
    hasher.finalize().into_inner()
}

/// The object store with the gas coins as commands see them: all merged into the first.
#[derive(Debug)]
struct StoreWithGas<'a> {
    store: &'a ObjectStore,
    gas: Option<Arc<Object>>,
    smashed: Vec<ObjectId>,
}

impl ObjectReader for StoreWithGas<'_> {
    fn object(&self, id: &ObjectId) -> Option<Arc<Object>> {
        match &self.gas {
            Some(gas) if gas.object_id() == *id => Some(Arc::clone(gas)),
            _ if self.smashed.contains(id) => None,
            _ => self.store.live(id),
        }
    }
}
