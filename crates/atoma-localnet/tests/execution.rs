//! Executing transactions over gRPC: effects, versions, gas, and repeated submissions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{
    Address, Argument, Command, CommandArgumentError, ExecutionError, ExecutionStatus, IdOperation,
    Input, MergeCoins, MoveCall, ObjectIn, ObjectOut, SharedInput, SplitCoins, StructTag,
};
use support::{Fixture, SUI, assert_success, effects, pure, random, transaction, transfer};

#[tokio::test]
async fn a_transfer_has_the_same_effects_as_on_sui() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let bob = Address::new([0xb0; 32]);
    let gas = fixture.coins(alice).await.remove(0);
    let executed = fixture
        .execute(&transfer(alice, gas.clone(), 5, bob))
        .await
        .unwrap();
    assert_success(&executed);
    assert_eq!(executed.checkpoint, None);

    let effects = effects(&executed);
    assert_eq!(effects.lamport_version, gas.version() + 1);
    assert_eq!(effects.changed_objects.len(), 2);
    let gas_used = &effects.gas_used;
    assert_eq!(gas_used.computation_cost, 1_000_000);
    assert_eq!(gas_used.storage_cost, 2 * 988_000);
    assert_eq!(gas_used.storage_rebate, 978_120);
    let created = effects
        .changed_objects
        .iter()
        .find(|change| change.id_operation == IdOperation::Created)
        .unwrap();
    assert_eq!(created.input_state, ObjectIn::NotExist);
    assert_eq!(
        created.object_id,
        Address::derive_id(effects.transaction_digest, 0)
    );
    let coin = fixture.object(&created.object_id).await;
    assert_eq!(coin.balance(), 5);
    assert_eq!(coin.version(), effects.lamport_version);
    let ObjectOut::ObjectWrite { digest, .. } = created.output_state else {
        panic!("not written");
    };
    assert_eq!(coin.digest(), digest.to_string());
    let object = sui_sdk_types::Object::try_from(&coin).unwrap();
    assert_eq!(object.digest(), digest);
    assert_eq!(object.previous_transaction(), effects.transaction_digest);

    let spent = i128::from(gas_used.net_gas_usage());
    let changes: Vec<(String, i128)> = executed
        .balance_changes
        .iter()
        .map(|change| {
            (
                change.address().to_owned(),
                change.amount().parse().unwrap(),
            )
        })
        .collect();
    assert!(changes.contains(&(alice.to_string(), -5 - spent)));
    assert!(changes.contains(&(bob.to_string(), 5)));
    let left = fixture.object(gas.object_id()).await.balance();
    assert_eq!(i128::from(left), i128::from(20 * SUI) - 5 - spent);
}

#[tokio::test]
async fn the_same_bytes_are_executed_once() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let transaction = transfer(alice, gas, 5, alice);
    let first = fixture.execute(&transaction).await.unwrap();
    let height = fixture.network.step().unwrap();
    let second = fixture.execute(&transaction).await.unwrap();
    assert_eq!(first.effects, second.effects);
    assert_eq!(fixture.network.step().unwrap(), height + 1);
}

#[tokio::test]
async fn an_abort_is_charged_and_has_a_location() {
    let fixture = Fixture::start().await;
    let (_, task) = fixture.node_and_task(0).await;
    let badge = fixture.badge(fixture.alice.address, "NodeBadge").await;
    // The node is already subscribed.
    let inputs = vec![
        fixture.db(),
        Input::ImmutableOrOwned(badge.clone()),
        pure(&task),
        pure(&1_000_u64),
    ];
    let call = fixture.call("subscribe_node_to_task", inputs).await;
    let executed = fixture.execute(&call).await.unwrap();
    let effects = effects(&executed);
    let ExecutionStatus::Failure {
        error: ExecutionError::MoveAbort { location, code },
        command,
    } = &effects.status
    else {
        panic!("no abort: {:?}", effects.status);
    };
    assert_eq!(*command, Some(0));
    assert_eq!(location.package, fixture.network.addresses().package);
    assert_eq!(location.module.as_str(), "db");
    assert!(location.function_name.is_some());
    assert!((312_012_000..312_013_000).contains(code), "{code}");
    assert!(effects.gas_used.computation_cost >= 1_000_000);
    assert_eq!(effects.events_digest, None);
    // Inputs get a new version nevertheless.
    let badge_now = fixture.object(badge.object_id()).await;
    assert_eq!(badge_now.version(), effects.lamport_version);
}

#[tokio::test]
async fn a_failure_reverts_all_commands() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let mut coins = fixture.coins(alice).await;
    let gas = coins.remove(0);
    let coin = coins.remove(0);
    let before = fixture.object(coin.object_id()).await.balance();
    let commands = vec![
        Command::MergeCoins(MergeCoins {
            coin: Argument::Gas,
            coins_to_merge: vec![Argument::Input(0)],
        }),
        Command::SplitCoins(SplitCoins {
            coin: Argument::Gas,
            amounts: vec![Argument::Input(1)],
        }),
    ];
    let inputs = vec![Input::ImmutableOrOwned(coin.clone()), pure(&(u64::MAX / 2))];
    let executed = fixture
        .execute(&transaction(alice, gas, inputs, commands))
        .await
        .unwrap();
    let status = effects(&executed).status;
    assert_eq!(
        status,
        ExecutionStatus::Failure {
            error: ExecutionError::InsufficientCoinBalance,
            command: Some(1)
        }
    );
    let after = fixture.object(coin.object_id()).await;
    assert_eq!(after.balance(), before);
    assert!(after.version() > coin.version());
}

#[tokio::test]
async fn gas_coins_are_merged_into_the_first() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let coins = fixture.coins(alice).await;
    let mut transaction = transfer(alice, coins[0].clone(), 25 * SUI, alice);
    transaction.gas_payment.objects = coins.clone();
    let executed = fixture.execute(&transaction).await.unwrap();
    assert_success(&executed);
    let effects = effects(&executed);
    let deleted = effects
        .changed_objects
        .iter()
        .find(|change| change.id_operation == IdOperation::Deleted)
        .unwrap();
    assert_eq!(deleted.object_id, *coins[1].object_id());
    let first = fixture.object(coins[0].object_id()).await.balance();
    assert_eq!(
        i64::try_from(first).unwrap(),
        i64::try_from(5 * SUI).unwrap() - effects.gas_used.net_gas_usage()
    );
}

#[tokio::test]
async fn a_budget_that_is_too_small_fails_the_transaction_and_is_spent() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let mut transaction = transfer(alice, gas, 5, alice);
    transaction.gas_payment.budget = 1_000_001;
    let executed = fixture.execute(&transaction).await.unwrap();
    let effects = effects(&executed);
    let ExecutionStatus::Failure { error, .. } = &effects.status else {
        panic!("it succeeded");
    };
    assert_eq!(*error, ExecutionError::InsufficientGas);
    assert!(effects.gas_used.net_gas_usage() <= 1_000_001);
    assert_eq!(effects.changed_objects.len(), 1);
}

#[tokio::test]
async fn a_leftover_coin_fails_the_transaction() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let split = Command::SplitCoins(SplitCoins {
        coin: Argument::Gas,
        amounts: vec![Argument::Input(0)],
    });
    let executed = fixture
        .execute(&transaction(alice, gas, vec![pure(&1_u64)], vec![split]))
        .await
        .unwrap();
    let ExecutionStatus::Failure { error, .. } = effects(&executed).status else {
        panic!("it succeeded");
    };
    assert_eq!(
        error,
        ExecutionError::UnusedValueWithoutDrop {
            result: 0,
            subresult: 0
        }
    );
}

#[tokio::test]
async fn a_settlement_reads_random_and_emits_events() {
    let fixture = Fixture::start().await;
    let (node, task) = fixture.node_and_task(0).await;
    let stacks = fixture
        .network
        .buy_stacks(&atoma_localnet::Purchase {
            task_small_id: atoma_domain::TaskSmallId::new(task),
            num_compute_units: 100,
            price: 1_000,
            count: 1,
            node_small_id: Some(atoma_domain::NodeSmallId::new(node)),
        })
        .unwrap();
    let badge = fixture.badge(fixture.alice.address, "NodeBadge").await;
    let inputs = vec![
        fixture.db(),
        Input::ImmutableOrOwned(badge),
        pure(&stacks[0].get()),
        pure(&60_u64),
        pure(&vec![1_u8; 32]),
        pure(&vec![2_u8; 32]),
        random(),
    ];
    let call = fixture.call("try_settle_stack", inputs).await;
    let executed = fixture.execute(&call).await.unwrap();
    assert_success(&executed);
    let effects = effects(&executed);
    assert_eq!(effects.unchanged_consensus_objects.len(), 1);
    let db = fixture.network.addresses().atoma_db;
    assert!(effects.changed_objects.iter().any(|c| c.object_id == db));
    let names: Vec<&str> = executed
        .events()
        .events
        .iter()
        .map(|event| event.event_type().rsplit("::").next().unwrap())
        .collect();
    assert!(names.contains(&"StackTrySettleEvent"), "{names:?}");
    let request = proto::GetTransactionRequest::new(&effects.transaction_digest)
        .with_read_mask(FieldMask::from_str("*"));
    let stored = fixture
        .client
        .clone()
        .ledger_client()
        .get_transaction(request)
        .await
        .unwrap()
        .into_inner()
        .transaction
        .unwrap();
    assert_eq!(stored.effects, executed.effects);
    assert_eq!(stored.events, executed.events);
    assert!(stored.checkpoint.is_some());
    assert_eq!(
        fixture.network.state().unwrap()["tickets"]
            .as_object()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn only_transfers_and_merges_may_follow_random() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let call = MoveCall {
        package: fixture.network.addresses().package,
        module: "db".parse().unwrap(),
        function: "try_settle_stack".parse().unwrap(),
        type_arguments: vec![],
        arguments: vec![Argument::Input(0)],
    };
    let split = Command::SplitCoins(SplitCoins {
        coin: Argument::Gas,
        amounts: vec![Argument::Input(1)],
    });
    let gas = fixture.coins(alice).await.remove(0);
    let commands = vec![Command::MoveCall(call), split];
    let transaction = transaction(alice, gas, vec![random(), pure(&1_u64)], commands);
    let refused = fixture.execute(&transaction).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    assert!(refused.message().contains(
        "Commands following a command with Random can only be TransferObjects or MergeCoins"
    ));
}

#[tokio::test]
async fn results_of_commands_can_be_arguments_of_later_ones() {
    let fixture = Fixture::start().await;
    let (_, task) = fixture.node_and_task(0).await;
    let alice = fixture.alice.address;
    fixture.network.faucet(alice, 0, 1_000_000).unwrap();
    let usdc = StructTag::coin(fixture.network.addresses().usdc()).to_string();
    let coin = fixture.owned(alice, &usdc).await.remove(0);
    let split = Command::SplitCoins(SplitCoins {
        coin: Argument::Input(0),
        amounts: vec![Argument::Input(1)],
    });
    let buy = Command::MoveCall(MoveCall {
        package: fixture.network.addresses().package,
        module: "db".parse().unwrap(),
        function: "acquire_new_stack_entry".parse().unwrap(),
        type_arguments: vec![],
        arguments: vec![
            Argument::Input(2),
            Argument::NestedResult(0, 0),
            Argument::Input(3),
            Argument::Input(4),
            Argument::Input(5),
            Argument::Input(6),
        ],
    });
    let back = Command::MergeCoins(MergeCoins {
        coin: Argument::Input(0),
        coins_to_merge: vec![Argument::Result(0)],
    });
    let inputs = vec![
        Input::ImmutableOrOwned(coin.clone()),
        pure(&400_000_u64),
        fixture.db(),
        pure(&task),
        pure(&100_000_u64),
        pure(&1_000_000_u64),
        random(),
    ];
    let gas = fixture.coins(alice).await.remove(0);
    let executed = fixture
        .execute(&transaction(alice, gas, inputs, vec![split, buy, back]))
        .await
        .unwrap();
    assert_success(&executed);
    // 100,000 units at 1 USDC per million cost 0.1 USDC; the split coin is merged back.
    assert_eq!(fixture.object(coin.object_id()).await.balance(), 900_000);
    assert_eq!(fixture.owned(alice, &usdc).await.len(), 1);
    let stack = fixture.badge(alice, "StackBadge").await;
    assert_eq!(stack.version(), effects(&executed).lamport_version);
}

#[tokio::test]
async fn a_shared_object_taken_immutably_is_not_written() {
    let fixture = Fixture::start().await;
    let addresses = fixture.network.addresses();
    let db = Input::Shared(SharedInput::new(
        addresses.atoma_db,
        addresses.atoma_db_initial_shared_version,
        false,
    ));
    let before = fixture.object(&addresses.atoma_db).await;
    let call = fixture.call("register_node_entry", vec![db]).await;
    let executed = fixture.execute(&call).await.unwrap();
    let effects = effects(&executed);
    assert_eq!(
        effects.status,
        ExecutionStatus::Failure {
            error: ExecutionError::CommandArgumentError {
                argument: 0,
                kind: CommandArgumentError::InvalidObjectByMutRef
            },
            command: Some(0)
        }
    );
    assert_eq!(effects.unchanged_consensus_objects.len(), 1);
    assert_eq!(fixture.object(&addresses.atoma_db).await, before);
}
