//! Simulation: completing a transaction and executing it without committing it.

use std::collections::BTreeSet;
use std::sync::Arc;

use atoma_domain::ObjectId;
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{
    Address, Argument, Command, GasPayment, Input, Object, ObjectReference, Owner,
    ProgrammableTransaction, SharedInput, SignedTransaction, StructTag, Transaction,
    TransactionEffects, TransactionExpiration, TransactionKind,
};

use super::checks;
use super::environment::Environment;
use super::executor::run;
use super::inputs::{self, InputObjects};
use super::limits::{MAX_TX_GAS, MIN_COMPUTATION_UNITS, REFERENCE_GAS_PRICE};
use super::objects::object_of;
use super::refusal::TransactionRefusal;
use crate::chain::{Ledger, ObjectStore, TransactionOutputs, coin_balance};
use crate::contract::abi::{self, Passing};

/// The number of gas coins that a selection takes at most.
const MAX_SELECTED_COINS: usize = 250;
/// The balance of the mock gas coin for a transaction without gas coins, in MIST.
const MOCK_GAS_BALANCE: u64 = 1_000_000_000_000_000;

/// A simulation's options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SimulationOptions {
    /// Whether to check price and budget as for an execution.
    pub(crate) checks: bool,
    /// Whether to estimate the budget and select gas coins.
    pub(crate) select_gas: bool,
}

/// Resolves `message` to a complete transaction and executes it without committing it.
///
/// # Errors
/// A [`TransactionRefusal`] when the message can't be resolved or the transaction would be refused.
pub(crate) fn simulate(
    ledger: &Ledger,
    environment: &Environment<'_>,
    message: &proto::Transaction,
    options: SimulationOptions,
) -> Result<TransactionOutputs, TransactionRefusal> {
    let mut transaction = resolve(environment, message)?;
    checks::shape(&transaction)?;
    checks::expiration(&transaction, environment.epoch.epoch, ledger.chain_id())?;
    if options.checks && options.select_gas {
        select_gas(environment, message, &mut transaction)?;
    }
    let mocked = transaction.gas_payment.objects.is_empty();
    if options.checks && !mocked {
        checks::price_and_budget(&transaction)?;
    }
    attempt(environment, transaction, mocked)
}

fn attempt(
    environment: &Environment<'_>,
    transaction: Transaction,
    mocked: bool,
) -> Result<TransactionOutputs, TransactionRefusal> {
    let mut inputs = inputs::load(
        environment.store,
        &zero_budget_if(&transaction, mocked),
        environment.contract.package,
    )?;
    if mocked {
        mock_gas(&mut inputs, transaction.gas_payment.owner);
    }
    let signed = SignedTransaction {
        transaction,
        signatures: Vec::new(),
    };
    Ok(run(environment, &inputs, signed, || false))
}

fn zero_budget_if(transaction: &Transaction, mocked: bool) -> Transaction {
    let mut transaction = transaction.clone();
    if mocked {
        transaction.gas_payment.budget = 0;
    }
    transaction
}

/// Pays with a gas coin that exists in the simulation only.
fn mock_gas(inputs: &mut InputObjects, owner: Address) {
    let state = crate::vm::ObjectState {
        object_type: StructTag::gas_coin(),
        has_public_transfer: true,
        owner: Some(Owner::Address(owner)),
        contents: [
            ObjectId::new([0xee; 32]).as_bytes(),
            &MOCK_GAS_BALANCE.to_le_bytes(),
        ]
        .concat(),
    };
    if let Some(coin) = object_of(&state, 1, sui_sdk_types::Digest::ZERO) {
        inputs.gas = vec![Arc::new(coin)];
        inputs.gas_balance = MOCK_GAS_BALANCE;
    }
}

/// Estimates the budget with a mock coin unless one is given, then selects coins that cover it.
fn select_gas(
    environment: &Environment<'_>,
    message: &proto::Transaction,
    transaction: &mut Transaction,
) -> Result<(), TransactionRefusal> {
    let given_budget = message
        .gas_payment
        .as_ref()
        .and_then(|payment| payment.budget)
        .or_else(|| {
            message
                .bcs
                .is_some()
                .then_some(transaction.gas_payment.budget)
        })
        .filter(|budget| *budget > 0);
    let budget = match given_budget {
        Some(budget) => budget,
        None => {
            let mut trial = transaction.clone();
            trial.gas_payment.objects.clear();
            trial.gas_payment.budget = MAX_TX_GAS;
            let outputs = attempt(environment, trial, true)?;
            estimate(&outputs.effects, transaction.gas_payment.price)
        }
    };
    transaction.gas_payment.budget = budget;
    if transaction.gas_payment.objects.is_empty() {
        transaction.gas_payment.objects = coins_for(environment.store, transaction, budget)?;
    }
    Ok(())
}

/// The computation cost with a margin of 1,000 units, plus the storage cost before the rebate.
fn estimate(effects: &TransactionEffects, price: u64) -> u64 {
    let gas = effects.gas_summary();
    let overhead = MIN_COMPUTATION_UNITS.saturating_mul(price);
    gas.computation_cost
        .saturating_add(overhead)
        .saturating_add(gas.storage_cost)
        .min(MAX_TX_GAS)
}

fn coins_for(
    store: &ObjectStore,
    transaction: &Transaction,
    budget: u64,
) -> Result<Vec<ObjectReference>, TransactionRefusal> {
    let used: BTreeSet<ObjectId> = match &transaction.kind {
        TransactionKind::ProgrammableTransaction(programmable) => programmable
            .inputs
            .iter()
            .filter_map(|input| match input {
                Input::ImmutableOrOwned(reference) => Some(*reference.object_id()),
                _ => None,
            })
            .collect(),
        _ => BTreeSet::new(),
    };
    let sui = StructTag::sui().into();
    let mut coins: Vec<(u64, &Arc<Object>)> = store
        .owned_by(&transaction.gas_payment.owner)
        .filter(|object| !used.contains(&object.object_id()))
        .filter_map(|object| match coin_balance(object) {
            Some((coin_type, balance)) if coin_type == sui => Some((balance, object)),
            _ => None,
        })
        .collect();
    coins.sort_by_key(|(balance, object)| (std::cmp::Reverse(*balance), object.object_id()));
    let mut selected = Vec::new();
    let mut sum = 0_u128;
    for (balance, object) in coins.into_iter().take(MAX_SELECTED_COINS) {
        selected.push(ObjectReference::new(
            object.object_id(),
            object.version(),
            object.digest(),
        ));
        sum += u128::from(balance);
        if sum >= u128::from(budget) {
            return Ok(selected);
        }
    }
    Err(TransactionRefusal::GasBalanceTooLow {
        balance: sum,
        needed: u128::from(budget),
    })
}

/// The complete transaction for a message that may name objects by their ids only.
fn resolve(
    environment: &Environment<'_>,
    message: &proto::Transaction,
) -> Result<Transaction, TransactionRefusal> {
    if message.bcs.is_some() {
        return Transaction::try_from(message)
            .map_err(|error| TransactionRefusal::Malformed(format!("transaction: {error}")));
    }
    let malformed = |what: &str, error: &dyn std::fmt::Display| {
        TransactionRefusal::Malformed(format!("transaction.{what}: {error}"))
    };
    let sender: Address = message
        .sender()
        .parse()
        .map_err(|error| malformed("sender", &error))?;
    let programmable = message.kind().programmable_transaction();
    let commands = programmable
        .commands()
        .iter()
        .map(Command::try_from)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| malformed("kind.programmable_transaction.commands", &error))?;
    let mut inputs = Vec::with_capacity(programmable.inputs().len());
    for (index, input) in programmable.inputs().iter().enumerate() {
        inputs.push(resolve_input(environment, input, index, &commands)?);
    }
    let payment = message.gas_payment.clone().unwrap_or_default();
    let owner = match &payment.owner {
        Some(owner) => owner
            .parse()
            .map_err(|error| malformed("gas_payment.owner", &error))?,
        None => sender,
    };
    let objects = payment
        .objects
        .iter()
        .map(|object| resolve_reference(environment.store, object))
        .collect::<Result<_, _>>()?;
    let expiration = match &message.expiration {
        Some(expiration) => TransactionExpiration::try_from(expiration)
            .map_err(|error| malformed("expiration", &error))?,
        None => TransactionExpiration::None,
    };
    Ok(Transaction {
        kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
            inputs,
            commands,
        }),
        sender,
        gas_payment: GasPayment {
            objects,
            owner,
            price: payment.price.unwrap_or(REFERENCE_GAS_PRICE),
            budget: payment.budget.unwrap_or(MAX_TX_GAS),
        },
        expiration,
    })
}

fn resolve_reference(
    store: &ObjectStore,
    message: &proto::ObjectReference,
) -> Result<ObjectReference, TransactionRefusal> {
    if let Ok(reference) = ObjectReference::try_from(message) {
        return Ok(reference);
    }
    let id: ObjectId = message
        .object_id()
        .parse()
        .map_err(|error| TransactionRefusal::Malformed(format!("object_id: {error}")))?;
    let object = store
        .live(&id)
        .ok_or(TransactionRefusal::ObjectNotFound { id, version: None })?;
    Ok(ObjectReference::new(id, object.version(), object.digest()))
}

fn resolve_input(
    environment: &Environment<'_>,
    message: &proto::Input,
    index: usize,
    commands: &[Command],
) -> Result<Input, TransactionRefusal> {
    if let Ok(input) = Input::try_from(message) {
        return Ok(input);
    }
    if let Some(pure) = &message.pure {
        return Ok(Input::Pure(pure.to_vec()));
    }
    let Some(id) = &message.object_id else {
        return Err(TransactionRefusal::Malformed(format!(
            "input {index} is neither pure nor an object"
        )));
    };
    let id: ObjectId = id
        .parse()
        .map_err(|error| TransactionRefusal::Malformed(format!("input {index}: {error}")))?;
    let object = environment
        .store
        .live(&id)
        .ok_or(TransactionRefusal::ObjectNotFound { id, version: None })?;
    Ok(match object.owner() {
        Owner::Shared(start) => {
            let mutable = message
                .mutable
                .unwrap_or_else(|| used_mutably(index, commands));
            Input::Shared(SharedInput::new(id, *start, mutable))
        }
        _ => Input::ImmutableOrOwned(ObjectReference::new(id, object.version(), object.digest())),
    })
}

/// Whether any call takes the input by mutable reference or by value.
fn used_mutably(index: usize, commands: &[Command]) -> bool {
    commands.iter().any(|command| match command {
        Command::MoveCall(call) => {
            let function = abi::function(call.function.as_str());
            call.arguments.iter().enumerate().any(|(at, argument)| {
                let named = matches!(
                    argument,
                    Argument::Input(input) if usize::from(*input) == index
                );
                let reads = function
                    .and_then(|function| function.parameters.get(at))
                    .is_some_and(|parameter| parameter.passing() == Passing::Reference);
                named && !reads
            })
        }
        _ => false,
    })
}
