//! Simulations: estimates, gas selection, balance changes, and what commands return.

use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_rpc::proto::sui::rpc::v2::simulate_transaction_request::TransactionChecks;
use sui_sdk_types::{
    Address, Argument, Command, Input, MergeCoins, ObjectReference, SplitCoins, Transaction,
};
use tonic::{Code, Status};

use crate::support::{Fixture, SUI, assert_success, effects, pure, transaction, transfer};

impl Fixture {
    async fn simulate(
        &self,
        transaction: proto::Transaction,
        select_gas: bool,
    ) -> Result<proto::SimulateTransactionResponse, Status> {
        let mut request = proto::SimulateTransactionRequest::new(transaction);
        request.set_checks(TransactionChecks::Enabled);
        request.do_gas_selection = Some(select_gas);
        let mut client = self.client.clone();
        let response = client
            .execution_client()
            .simulate_transaction(request)
            .await?;
        Ok(response.into_inner())
    }
}

/// The transaction as a client sends it that leaves gas to the node.
fn unpaid(transaction: &Transaction) -> proto::Transaction {
    let mut message = proto::Transaction::from(transaction.clone());
    message.bcs = None;
    message.digest = None;
    message.gas_payment = None;
    message.expiration = None;
    message
}

fn resolved(response: &proto::SimulateTransactionResponse) -> Transaction {
    response.transaction().transaction().try_into().unwrap()
}

fn change_of(executed: &proto::ExecutedTransaction, owner: Address) -> i128 {
    executed
        .balance_changes
        .iter()
        .filter(|change| change.address() == owner.to_string())
        .map(|change| change.amount().parse::<i128>().unwrap())
        .sum()
}

#[tokio::test]
async fn a_mock_coin_is_no_gain_of_the_sender() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let bob = Address::new([0xb0; 32]);
    let gas = fixture.coins(alice).await.remove(0);
    let mut transaction = transfer(alice, gas, 5, bob);
    transaction.gas_payment.objects.clear();
    let response = fixture.simulate(transaction.into(), false).await.unwrap();
    let simulated = response.transaction();
    assert_success(simulated);
    let spent = i128::from(effects(simulated).gas_used.net_gas_usage());
    assert_eq!(change_of(simulated, alice), -5 - spent);
    assert_eq!(change_of(simulated, bob), 5);
    // It is an object that the transaction changes, not one that it makes.
    let changes = effects(simulated).changed_objects;
    let mock = changes
        .iter()
        .find(|change| change.object_id == Address::new([0xff; 32]))
        .unwrap();
    assert!(matches!(
        mock.input_state,
        sui_sdk_types::ObjectIn::Exist { version: 1, .. }
    ));
}

#[tokio::test]
async fn a_transaction_without_gas_is_checked_like_any_other() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let mut transaction = transfer(alice, gas, 5, alice);
    transaction.gas_payment.objects.clear();
    transaction.gas_payment.price = 1;
    let status = fixture
        .simulate(transaction.into(), false)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        status.message(),
        "Error checking transaction input objects: Gas price 1 under reference gas price (RGP) 1000"
    );
}

#[tokio::test]
async fn gas_selection_takes_all_coins_and_execution_merges_them() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    fixture.network.faucet_coins(alice, &[SUI; 3]).unwrap();
    let coins = fixture.coins(alice).await;
    assert_eq!(coins.len(), 5);
    let bob = Address::new([0xb0; 32]);
    let message = unpaid(&transfer(alice, coins[0].clone(), 5, bob));
    let response = fixture.simulate(message, true).await.unwrap();
    let transaction = resolved(&response);
    assert_eq!(transaction.gas_payment.objects, coins, "largest first");
    let executed = fixture.execute(&transaction).await.unwrap();
    assert_success(&executed);
    assert_eq!(fixture.coins(alice).await.len(), 1);
    assert_eq!(effects(&executed), effects(response.transaction()));
}

#[tokio::test]
async fn gas_selection_leaves_coins_that_the_transaction_uses_and_those_over_the_limit() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    fixture.network.faucet_coins(alice, &[SUI; 258]).unwrap();
    let coins: Vec<ObjectReference> = fixture.coins(alice).await;
    let used = coins[0].clone();
    let merge = Command::MergeCoins(MergeCoins {
        coin: Argument::Gas,
        coins_to_merge: vec![Argument::Input(0)],
    });
    let inputs = vec![Input::ImmutableOrOwned(used.clone())];
    let message = unpaid(&transaction(alice, used, inputs, vec![merge]));
    let response = fixture.simulate(message, true).await.unwrap();
    assert_eq!(resolved(&response).gas_payment.objects, coins[1..257]);
}

/// The cost measured on Sui: the computation, the storage that is not refunded, and the margin of 1,000 units.
#[tokio::test]
async fn the_estimate_subtracts_the_rebate_and_the_mock_coins_storage() {
    let fixture = Fixture::start().await;
    fixture.node_and_task(0).await;
    let alice = fixture.alice.address;
    // One coin, so that loading others costs nothing.
    let coins = fixture.coins(alice).await;
    let mut all = transfer(alice, coins[0].clone(), 1, fixture.network.buyer());
    all.gas_payment.objects = coins;
    fixture.execute(&all).await.unwrap();
    let badge = fixture.badge(alice, "NodeBadge").await;
    let inputs = vec![fixture.db(), Input::ImmutableOrOwned(badge)];
    let call = fixture.call("withdraw_fees", inputs).await;
    let response = fixture.simulate(unpaid(&call), true).await.unwrap();
    assert_success(response.transaction());
    let transaction = resolved(&response);
    assert_eq!(transaction.gas_payment.price, 1_000);
    let gas = effects(response.transaction()).gas_used;
    let without_coin = gas.storage_cost - 988_000;
    let kept = without_coin - without_coin * 99 / 100;
    assert_eq!(
        transaction.gas_payment.budget,
        gas.computation_cost + kept + 1_000_000,
        "{gas:?}"
    );
    let executed = fixture.execute(&transaction).await.unwrap();
    assert_success(&executed);
}

#[tokio::test]
async fn the_estimate_counts_the_loading_of_further_coins() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let coins = fixture.coins(alice).await;
    let message = unpaid(&transfer(alice, coins[0].clone(), 5, alice));
    let two = resolved(&fixture.simulate(message.clone(), true).await.unwrap());
    fixture.network.faucet_coins(alice, &[SUI; 2]).unwrap();
    let four = resolved(&fixture.simulate(message, true).await.unwrap());
    // 600 units for one more coin are rounded to 1,000, and 1,800 for three to 2,000.
    assert_eq!(four.gas_payment.budget - two.gas_payment.budget, 1_000_000);
}

#[tokio::test]
async fn too_little_for_the_estimate_is_refused_in_the_nodes_words() {
    let fixture = Fixture::start().await;
    let poor = Address::new([0xbb; 32]);
    fixture.network.faucet(poor, 1_000, 0).unwrap();
    let coin = fixture.coins(poor).await.remove(0);
    let message = unpaid(&transfer(poor, coin.clone(), 5, poor));
    let status = fixture.simulate(message.clone(), true).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let text = format!(
        "Unable to perform gas selection due to insufficient SUI balance (in address balance or coins) for \
         account {poor} to satisfy required budget "
    );
    assert!(status.message().starts_with(&text), "{status}");

    let mut message = message;
    let mut payment = proto::GasPayment::default();
    payment.objects = vec![coin.into()];
    message.gas_payment = Some(payment);
    let status = fixture.simulate(message, true).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let text = "Insufficient gas balance to cover estimated transaction cost. Available gas balance: 1000 MIST. Estimated gas budget required: ";
    assert!(status.message().starts_with(text), "{status}");
}

#[tokio::test]
async fn a_missing_object_is_refused_in_the_nodes_words() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let nobody = Address::new([9; 32]);
    let unknown = ObjectReference::new(nobody, 3, *gas.digest());
    let inputs = vec![Input::ImmutableOrOwned(unknown)];
    let complete = transaction(alice, gas, inputs, vec![]);
    let status = fixture.simulate(complete.into(), false).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        status.message(),
        format!(
            "Error checking transaction input objects: Could not find the referenced object {nobody} at \
             version Some(SequenceNumber(3))"
        )
    );
    let mut input = proto::Input::default();
    input.object_id = Some(nobody.to_string());
    let mut programmable = proto::ProgrammableTransaction::default();
    programmable.inputs = vec![input];
    let mut message = proto::Transaction::default();
    message.sender = Some(alice.to_string());
    message.kind = Some(programmable.into());
    let status = fixture.simulate(message, true).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.message(), format!("Object {nobody} not found"));
}

#[tokio::test]
async fn each_command_has_a_result_with_what_it_returned_and_changed() {
    let fixture = Fixture::start().await;
    let (_, task) = fixture.node_and_task(0).await;
    let alice = fixture.alice.address;
    let badge = fixture.badge(alice, "NodeBadge").await;
    let gas = fixture.coins(alice).await.remove(0);
    let package = fixture.network.addresses().package;
    let call = Command::MoveCall(sui_sdk_types::MoveCall {
        package,
        module: "db".parse().unwrap(),
        function: "update_node_subscription".parse().unwrap(),
        type_arguments: vec![],
        arguments: (2..6).map(Argument::Input).collect(),
    });
    let split = Command::SplitCoins(SplitCoins {
        coin: Argument::Gas,
        amounts: vec![Argument::Input(0)],
    });
    let give = Command::TransferObjects(sui_sdk_types::TransferObjects {
        objects: vec![Argument::NestedResult(0, 0)],
        address: Argument::Input(1),
    });
    let inputs = vec![
        pure(&7_u64),
        pure(&alice),
        fixture.db(),
        Input::ImmutableOrOwned(badge.clone()),
        pure(&task),
        pure(&2_000_u64),
    ];
    let complete = transaction(alice, gas, inputs, vec![split, give, call]);
    let response = fixture.simulate(complete.into(), false).await.unwrap();
    assert_success(response.transaction());
    let [split, give, call] = &response.command_outputs[..] else {
        panic!("{:?}", response.command_outputs);
    };
    let coin = &split.return_values[0];
    let coin_type = sui_sdk_types::StructTag::gas_coin().to_string();
    assert_eq!(coin.value().name(), coin_type);
    assert_eq!(coin.value().value()[32..], 7_u64.to_le_bytes());
    assert!(coin.json.is_some());
    assert_eq!(split.mutated_by_ref.len(), 1);
    assert_eq!(
        Argument::try_from(split.mutated_by_ref[0].argument()).unwrap(),
        Argument::Gas
    );
    assert!(give.return_values.is_empty() && give.mutated_by_ref.is_empty());
    let changed: Vec<(Argument, String)> = call
        .mutated_by_ref
        .iter()
        .map(|output| {
            let argument = Argument::try_from(output.argument()).unwrap();
            (argument, output.value().name().to_owned())
        })
        .collect();
    let typed = |name| format!("{package}::db::{name}");
    assert_eq!(
        changed,
        [
            (Argument::Input(2), typed("AtomaDb")),
            (Argument::Input(3), typed("NodeBadge"))
        ]
    );
}

#[tokio::test]
async fn a_failure_is_described_with_its_command_and_has_no_results() {
    let fixture = Fixture::start().await;
    let (_, task) = fixture.node_and_task(0).await;
    let alice = fixture.alice.address;
    let badge = fixture.badge(alice, "NodeBadge").await;
    let inputs = vec![
        fixture.db(),
        Input::ImmutableOrOwned(badge),
        pure(&task),
        pure(&1_000_u64),
    ];
    let call = fixture.call("subscribe_node_to_task", inputs).await;
    let response = fixture.simulate(call.clone().into(), false).await.unwrap();
    assert!(response.command_outputs.is_empty());
    let simulated = response.transaction().effects().status().error().clone();
    let text = simulated.description();
    let package = fixture.network.addresses().package.to_string();
    let start = format!(
        "MoveAbort(MoveLocation {{ module: ModuleId {{ address: {}, name: Identifier(\"db\") }}",
        &package[2..]
    );
    assert!(text.starts_with(&start), "{text}");
    assert!(text.ends_with(" in command 0"), "{text}");
    let executed = fixture.execute(&call).await.unwrap();
    assert_eq!(executed.effects().status().error().description(), text);
}

/// Only errors of inputs are `INVALID_ARGUMENT` in a simulation.
#[tokio::test]
async fn an_expired_transaction_is_not_simulated() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let mut transaction = transfer(alice, gas, 1, alice);
    transaction.expiration = sui_sdk_types::TransactionExpiration::Epoch(0);
    let message: proto::Transaction = transaction.into();
    fixture.simulate(message.clone(), false).await.unwrap();
    fixture.network.advance_epoch().unwrap();
    let status = fixture.simulate(message, false).await.unwrap_err();
    let text = "Transaction Expired";
    crate::refusal_table::assert_refusal(&status, Code::Internal, text, "expired");
}
