//! Buying a stack with the public builder, on the local network.

use atoma_domain::contract::stack_price;
use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{Chain as _, ExecutionOutcome, Signer as _, ViewQuery};
use atoma_domain::{
    Address, ComputeUnits, ObjectId, ObjectReference, PricePerMillion, SecurityLevel,
};
use atoma_sui::{ContractInputs, StackPurchase};
use futures::StreamExt as _;
use sui_rpc::Client;
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::StructTag;

use crate::support::{BUDGET, TestNetwork, written};

/// Micro-USDC in each of the buyer's coins.
const EACH: u64 = 700;

#[tokio::test]
async fn a_stack_is_bought_for_its_exact_price() {
    let network = TestNetwork::start().await;
    let task = network.task(2);
    let seller = network.operator(0, &[task]).await;
    let buyer = network.funded(1);
    let client = Client::new(network.localnet.url()).unwrap();
    for _ in 0..2 {
        network.localnet.faucet(buyer.address(), 0, EACH).unwrap();
    }
    let usdc = StructTag::coin(network.localnet.addresses().usdc()).to_string();
    let coins = owned(&client, buyer.address(), &usdc).await;
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
    let contract = contract(&network, &client).await;
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
    let left = owned(&client, buyer.address(), &usdc).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].object_id(), coins[0].object_id());
    let left = object(&client, *coins[0].object_id()).await;
    assert_eq!(left.balance(), 2 * EACH - amount.get());
}

async fn object(client: &Client, id: ObjectId) -> proto::Object {
    let request = proto::GetObjectRequest::new(&id).with_read_mask(FieldMask::from_str("*"));
    let mut client = client.clone();
    let response = client.ledger_client().get_object(request).await.unwrap();
    response.into_inner().object.unwrap()
}

async fn owned(client: &Client, owner: Address, object_type: &str) -> Vec<ObjectReference> {
    let request = proto::ListOwnedObjectsRequest::default()
        .with_owner(owner.to_string())
        .with_object_type(object_type)
        .with_read_mask(FieldMask::from_str("object_id,version,digest"));
    let objects = client.list_owned_objects(request);
    let reference = |object: Result<proto::Object, _>| {
        (&object.unwrap().object_reference()).try_into().unwrap()
    };
    objects.map(reference).collect().await
}

/// What a proxy is configured with: ids, and the shared objects' initial versions.
async fn contract(network: &TestNetwork, client: &Client) -> ContractInputs {
    let addresses = network.localnet.addresses();
    let random = "0x8".parse().unwrap();
    let initial_version = async |id| object(client, id).await.owner().version();
    ContractInputs {
        package: addresses.package,
        atoma_db: addresses.atoma_db,
        atoma_db_initial_version: initial_version(addresses.atoma_db).await,
        random_initial_version: initial_version(random).await,
    }
}
