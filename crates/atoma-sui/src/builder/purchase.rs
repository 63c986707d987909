//! Buying stacks, for proxies and other programs of buyers. The daemon itself buys none.

use std::collections::BTreeSet;

use atoma_domain::ports::UnsignedTransaction;
use atoma_domain::{
    Address, ComputeUnits, Epoch, Mist, ObjectId, ObjectReference, PricePerMillion, TaskSmallId,
};
use sui_sdk_types::{Identifier, Transaction, TransactionExpiration, TypeTag};
use sui_transaction_builder::{Argument, Function, ObjectInput, TransactionBuilder};

use super::contract::{ContractInputs, RANDOM, owned, unsigned};
use super::error::{BuildError, MAX_ARGUMENTS, MAX_GAS_OBJECTS, check_limit};
use crate::abi::MODULE;

/// The purchase of a stack (`acquire_new_stack_entry`), with coins that the caller selected.
///
/// The coins may be of any type: the transaction merges them, splits off the exact amount, and gives the contract
/// that coin alone, so that it can't take more. What is left of it goes back into the first coin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackPurchase {
    /// The buyer, who signs, pays the gas and gets the stack's badge.
    pub buyer: Address,
    /// The task.
    pub task: TaskSmallId,
    /// The units to buy.
    pub units: ComputeUnits,
    /// The highest price that the selected node may ask.
    pub price: PricePerMillion,
    /// The coins that pay, all of one type, each once and none of them a gas coin. They are merged into the first.
    pub coins: Vec<ObjectReference>,
    /// What the contract may take, in the smallest unit of the coins' type
    /// ([`stack_price`](atoma_domain::contract::stack_price)). It aborts if that is too little.
    pub amount: u64,
    /// The type of the coins, if the contract's function is generic over it. `None` for the published contract,
    /// whose function takes one type only.
    pub type_argument: Option<TypeTag>,
    /// The gas coins. They are merged into the first one, which keeps the change.
    pub gas: Vec<ObjectReference>,
    /// The gas price, in MIST per gas unit.
    pub gas_price: Mist,
    /// The gas budget.
    pub gas_budget: Mist,
    /// The last epoch in which it can execute.
    pub expires_after: Epoch,
}

impl ContractInputs {
    /// Builds the transaction of a purchase.
    ///
    /// # Errors
    /// When there is no coin, a coin is named twice, or a limit of the network is exceeded.
    pub fn build_purchase(
        &self,
        purchase: &StackPurchase,
    ) -> Result<UnsignedTransaction, BuildError> {
        unsigned(&transaction(self, purchase)?)
    }
}

fn transaction(
    contract: &ContractInputs,
    purchase: &StackPurchase,
) -> Result<Transaction, BuildError> {
    check(purchase)?;
    let mut builder = TransactionBuilder::new();
    let mut coins: Vec<Argument> = purchase
        .coins
        .iter()
        .map(|coin| builder.object(owned(coin)))
        .collect();
    if coins.is_empty() {
        return Err(BuildError::NoCoins);
    }
    let others = coins.split_off(1);
    let wallet = coins.remove(0);
    if !others.is_empty() {
        builder.merge_coins(wallet, others);
    }
    let amount = builder.pure_unique(&purchase.amount);
    let exact = builder.split_coins(wallet, vec![amount]);
    let Some(exact) = exact.into_iter().next() else {
        return Err(BuildError::NoCoins);
    };
    let db = contract.atoma_db_initial_version;
    let random = contract.random_initial_version;
    let arguments = vec![
        builder.object(ObjectInput::shared(contract.atoma_db, db, true)),
        exact,
        builder.pure_unique(&purchase.task.get()),
        builder.pure_unique(&purchase.units.get()),
        builder.pure_unique(&purchase.price.get()),
        builder.object(ObjectInput::shared(RANDOM, random, false)),
    ];
    let function = Function::new(
        contract.package,
        Identifier::new(MODULE).map_err(BuildError::refused)?,
        Identifier::new("acquire_new_stack_entry").map_err(BuildError::refused)?,
    )
    .with_type_args(purchase.type_argument.iter().cloned().collect());
    builder.move_call(function, arguments);
    // After a call with `Random`, the network allows nothing but transfers and merges.
    builder.merge_coins(wallet, vec![exact]);
    builder.set_sender(purchase.buyer);
    builder.set_gas_price(purchase.gas_price.get());
    builder.set_gas_budget(purchase.gas_budget.get());
    builder.add_gas_objects(purchase.gas.iter().map(owned));
    let epoch = purchase.expires_after.get();
    builder.set_expiration(TransactionExpiration::Epoch(epoch));
    builder.try_build().map_err(BuildError::refused)
}

fn check(purchase: &StackPurchase) -> Result<(), BuildError> {
    check_limit("coins", purchase.coins.len(), MAX_ARGUMENTS)?;
    check_limit("gas coins", purchase.gas.len(), MAX_GAS_OBJECTS - 1)?;
    let mut seen: BTreeSet<ObjectId> = BTreeSet::new();
    for coin in purchase.coins.iter().chain(&purchase.gas) {
        if !seen.insert(*coin.object_id()) {
            return Err(BuildError::CoinTwice(*coin.object_id()));
        }
    }
    Ok(())
}
