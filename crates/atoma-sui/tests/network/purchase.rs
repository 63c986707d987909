//! Buying a stack with the public builder, on the local network.

use atoma_domain::contract::stack_price;
use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{Chain as _, ExecutionOutcome, Signer as _, ViewQuery};
use atoma_domain::{ComputeUnits, ObjectReference, PricePerMillion, SecurityLevel};
use atoma_sui::StackPurchase;

use crate::support::{BUDGET, TestNetwork, written};

/// Micro-USDC in each of the buyer's coins.
const EACH: u64 = 700;

#[tokio::test]
async fn a_stack_is_bought_for_its_exact_price() {
    let network = TestNetwork::start().await;
    let task = network.task(2);
    let seller = network.operator(0, &[task]).await;
    let buyer = network.funded(1);
    for _ in 0..2 {
        network.localnet.faucet(buyer.address(), 0, EACH).unwrap();
    }
    let usdc = network.localnet.addresses().usdc();
    let owned = async || network.chain.coins(buyer.address(), &usdc).await.unwrap();
    let coins: Vec<_> = owned()
        .await
        .into_iter()
        .map(|coin| coin.reference)
        .collect();
    assert_eq!(coins.len(), 2);
    let view = network.chain.view(&ViewQuery::default()).await.unwrap();
    let (units, price) = (ComputeUnits::new(1_000_000), PricePerMillion::new(1_000));
    let level = SecurityLevel::SAMPLING_CONSENSUS;
    let amount = stack_price(level, units, price, &view.parameters).unwrap();
    assert_eq!(amount.get(), 1_212);
    let gas = network.chain.gas_coins(buyer.address()).await.unwrap();
    let mut purchase = StackPurchase {
        buyer: buyer.address(),
        task,
        units,
        price,
        coins: coins.clone(),
        amount: amount.get(),
        type_argument: None,
        gas: vec![gas[0].reference.clone()],
        gas_price: view.epoch.reference_gas_price,
        gas_budget: BUDGET,
        expires_after: view.epoch.epoch,
    };
    let contract = network.chain.contract_inputs().await.unwrap();
    let execute = async |purchase: &StackPurchase| {
        let unsigned = contract.build_purchase(purchase).unwrap();
        let signed = buyer.sign(unsigned).await.unwrap();
        network.chain.execute(&signed).await.unwrap()
    };
    // One unit less than the price: the contract gets no more than the amount.
    purchase.amount -= 1;
    let refused = execute(&purchase).await;
    let ExecutionOutcome::Abort(abort) = &refused.outcome else {
        panic!("{:?}", refused.outcome);
    };
    assert_eq!(abort.info().unwrap().name, "EInsufficientBalance");

    let moved = |coin: &ObjectReference| written(&refused, *coin.object_id());
    purchase.coins = coins.iter().map(moved).collect();
    purchase.gas = vec![refused.gas_coin.clone().unwrap()];
    purchase.amount = amount.get();
    let bought = execute(&purchase).await;
    assert_eq!(bought.outcome, ExecutionOutcome::Success);
    let [ContractEvent::StackCreated(event)] = bought.events.as_slice() else {
        panic!("{:?}", bought.events);
    };
    assert_eq!(
        (event.owner, event.selected_node_id, event.num_compute_units),
        (buyer.address(), seller.node, units)
    );
    // The second coin was merged into the first, which has the rest.
    let left = owned().await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].reference.object_id(), coins[0].object_id());
    assert_eq!(left[0].balance, 2 * EACH - amount.get());
}
