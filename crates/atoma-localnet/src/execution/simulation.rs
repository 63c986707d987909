//! Simulation: executing a transaction without committing it, and finding coins that pay for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use atoma_domain::ObjectId;
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{
    Address, GasCostSummary, GasPayment, Input, Object, ObjectReference, Owner, SignedTransaction,
    StructTag, Transaction,
};

use super::checks;
use super::commands::CommandOutput;
use super::environment::Environment;
use super::executor::run;
use super::inputs::{self, GasSource};
use super::limits::{MAX_GAS_PAYMENT_OBJECTS, MAX_INPUT_OBJECTS, MAX_TX_GAS};
use super::objects::object_of;
use super::refusal::TransactionRefusal;
use super::resolution::resolve;
use crate::chain::{Ledger, ObjectStore, TransactionOutputs, coin_balance};

/// The balance of the mock gas coin for a transaction without gas coins, in MIST.
const MOCK_GAS_BALANCE: u64 = 1_000_000_000_000_000;
/// The mock gas coin's id, which no object has.
const MOCK_GAS_ID: ObjectId = ObjectId::new([0xff; 32]);
/// What a budget estimate adds to the measured cost, in computation units.
const SAFE_OVERHEAD_UNITS: u64 = 1_000;
/// The computation units for loading a gas coin, rounded up to Sui's step: 40 bytes at 15 units each.
const COIN_LOADING_UNITS: u64 = 40 * 15;
const ROUNDING_STEP_UNITS: u64 = 1_000;

/// A simulation's options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SimulationOptions {
    /// Whether to check price and budget as for an execution.
    pub(crate) checks: bool,
    /// Whether to estimate the budget and select gas coins.
    pub(crate) select_gas: bool,
}

/// What a simulation gives.
#[derive(Debug)]
pub(crate) struct Simulated {
    pub(crate) outputs: TransactionOutputs,
    /// The gas coin made up for it, as it was before the transaction.
    pub(crate) mock_coin: Option<Arc<Object>>,
    /// One output for each command, unless one failed.
    pub(crate) commands: Vec<CommandOutput>,
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
) -> Result<Simulated, TransactionRefusal> {
    let mut transaction = resolve(environment, message)?;
    checks::shape(&transaction)?;
    checks::expiration(&transaction, environment.epoch.epoch, ledger.chain_id())?;
    if options.checks && options.select_gas {
        select_gas(environment, message, &mut transaction)?;
    }
    attempt(environment, transaction, options.checks)
}

/// Executes a transaction. One without gas coins is paid by a coin that exists only here.
fn attempt(
    environment: &Environment<'_>,
    transaction: Transaction,
    checks: bool,
) -> Result<Simulated, TransactionRefusal> {
    let mock_coin = transaction
        .gas_payment
        .objects
        .is_empty()
        .then(|| mock_coin(transaction.gas_payment.owner))
        .flatten();
    let gas = mock_coin
        .clone()
        .map_or(GasSource::Payment, GasSource::Mock);
    let (store, contract) = (environment.store, environment.contract);
    let reference = checks.then_some(environment.epoch.reference_gas_price);
    let inputs = inputs::load(store, &transaction, contract, &gas, reference)?;
    let signed = SignedTransaction {
        transaction,
        signatures: Vec::new(),
    };
    let run = run(environment, &inputs, signed, || false, true);
    Ok(Simulated {
        outputs: run.outputs,
        mock_coin,
        commands: run.commands,
    })
}

fn mock_coin(owner: Address) -> Option<Arc<Object>> {
    let state = crate::vm::ObjectState {
        object_type: StructTag::gas_coin(),
        has_public_transfer: true,
        owner: Some(Owner::Address(owner)),
        contents: [MOCK_GAS_ID.as_bytes(), &MOCK_GAS_BALANCE.to_le_bytes()].concat(),
    };
    object_of(&state, 1, sui_sdk_types::Digest::ZERO).map(Arc::new)
}

/// Estimates the budget unless one is given, then pays with all coins that may pay unless some are named.
fn select_gas(
    environment: &Environment<'_>,
    message: &proto::Transaction,
    transaction: &mut Transaction,
) -> Result<(), TransactionRefusal> {
    let payment = message.gas_payment.as_ref();
    let is_estimated = message.bcs.is_none() && payment.is_none_or(|gas| gas.budget.is_none());
    if is_estimated {
        let named = transaction.gas_payment.objects.len();
        let estimate = estimate_budget(environment, transaction, named)?;
        let available = named_balance(environment.store, transaction);
        if named > 0 && available < u128::from(estimate) {
            return Err(TransactionRefusal::GasSelection(format!(
                "Insufficient gas balance to cover estimated transaction cost. Available gas balance: {available} MIST. Estimated gas budget required: {estimate} MIST"
            )));
        }
        transaction.gas_payment.budget = estimate;
    }
    if transaction.gas_payment.objects.is_empty() {
        let (coins, balance) = spendable_coins(environment.store, transaction)?;
        if is_estimated {
            let loading = loading_cost(coins.len(), environment.epoch.reference_gas_price);
            let budget = transaction.gas_payment.budget.saturating_add(loading);
            transaction.gas_payment.budget = budget.min(MAX_TX_GAS);
        }
        let GasPayment { owner, budget, .. } = transaction.gas_payment;
        if balance < u128::from(budget) {
            return Err(TransactionRefusal::GasSelection(format!(
                "Unable to perform gas selection due to insufficient SUI balance (in address balance or coins) for account {owner} to satisfy required budget {budget}."
            )));
        }
        transaction.gas_payment.objects = coins;
    }
    Ok(())
}

/// The cost of the transaction with a mock coin, less what storing that coin costs, plus a margin.
fn estimate_budget(
    environment: &Environment<'_>,
    transaction: &Transaction,
    named_coins: usize,
) -> Result<u64, TransactionRefusal> {
    let mut trial = transaction.clone();
    trial.gas_payment.objects.clear();
    trial.gas_payment.budget = MAX_TX_GAS;
    let simulated = attempt(environment, trial, true)?;
    let mock_storage = simulated
        .outputs
        .written
        .iter()
        .find(|object| object.object_id() == MOCK_GAS_ID)
        .map_or(0, Object::storage_rebate);
    let gas = simulated.outputs.effects.gas_summary();
    let reference_price = environment.epoch.reference_gas_price;
    let budget = budget_for(gas, mock_storage, reference_price)
        .saturating_add(loading_cost(named_coins, reference_price));
    Ok(budget.min(MAX_TX_GAS))
}

/// The budget for a measured cost: what is not refunded, at least the computation, and a margin.
fn budget_for(gas: &GasCostSummary, mock_storage: u64, reference_price: u64) -> u64 {
    let spent = gas
        .computation_cost
        .saturating_add(gas.storage_cost.saturating_sub(mock_storage));
    let net = spent.saturating_sub(gas.storage_rebate);
    let margin = SAFE_OVERHEAD_UNITS.saturating_mul(reference_price);
    gas.computation_cost.max(net).saturating_add(margin)
}

/// The cost of loading gas coins beyond the first.
fn loading_cost(coins: usize, reference_price: u64) -> u64 {
    let extra = u64::try_from(coins.saturating_sub(1)).unwrap_or(u64::MAX);
    extra
        .saturating_mul(COIN_LOADING_UNITS)
        .div_ceil(ROUNDING_STEP_UNITS)
        .saturating_mul(ROUNDING_STEP_UNITS)
        .saturating_mul(reference_price)
}

/// The total balance of the gas coins that the transaction names.
fn named_balance(store: &ObjectStore, transaction: &Transaction) -> u128 {
    let coins = transaction.gas_payment.objects.iter();
    coins
        .filter_map(|coin| coin_balance(&*store.at(coin.object_id(), coin.version())?))
        .map(|(_, balance)| u128::from(balance))
        .sum()
}

/// All SUI coins of the gas owner that the transaction does not use otherwise, the largest first, up to the
/// limits; and their total balance.
fn spendable_coins(
    store: &ObjectStore,
    transaction: &Transaction,
) -> Result<(Vec<ObjectReference>, u128), TransactionRefusal> {
    let programmable = checks::programmable(transaction)?;
    let used: BTreeSet<ObjectId> = programmable
        .inputs
        .iter()
        .filter_map(|input| match input {
            Input::ImmutableOrOwned(reference) => Some(*reference.object_id()),
            Input::Shared(shared) => Some(shared.object_id()),
            _ => None,
        })
        .collect();
    let limit = MAX_GAS_PAYMENT_OBJECTS.min(MAX_INPUT_OBJECTS.saturating_sub(used.len()));
    let sui = StructTag::sui().into();
    let owner = &transaction.gas_payment.owner;
    let coins: Vec<(u64, Arc<Object>)> = store
        .coins(owner, &sui)
        .filter(|(_, id)| !used.contains(id))
        .filter_map(|(balance, id)| Some((balance, store.live(&id)?)))
        .take(limit)
        .collect();
    let balance = coins.iter().map(|(balance, _)| u128::from(*balance)).sum();
    let references = coins
        .into_iter()
        .map(|(_, coin)| ObjectReference::new(coin.object_id(), coin.version(), coin.digest()))
        .collect();
    Ok((references, balance))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `withdraw_fees`, with the costs measured for it.
    #[test]
    fn a_budget_is_what_a_full_node_estimates() {
        let gas = GasCostSummary::new(1_000_000, 8_679_200, 7_614_288, 76_912);
        assert_eq!(budget_for(&gas, 988_000, 1_000), 2_076_912);
        // A rebate above the cost leaves the computation.
        let gas = GasCostSummary::new(1_000_000, 0, 7_614_288, 0);
        assert_eq!(budget_for(&gas, 0, 1_000), 2_000_000);
    }
}
