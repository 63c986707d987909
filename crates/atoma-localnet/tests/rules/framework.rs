//! Functions of the framework that ordinary SDK helpers call, and `MakeMoveVec`.

use sui_sdk_types::{
    Argument, Command, ExecutionError, ExecutionStatus, Input, MakeMoveVector, MoveCall, StructTag,
    Transaction, TransferObjects, TypeTag,
};

use crate::support::{Fixture, assert_success, effects, pure, transaction};

fn coin_call(function: &str, currency: TypeTag, arguments: Vec<Argument>) -> Command {
    Command::MoveCall(MoveCall {
        package: sui_sdk_types::Address::TWO,
        module: "coin".parse().unwrap(),
        function: function.parse().unwrap(),
        type_arguments: vec![currency],
        arguments,
    })
}

fn give(object: Argument) -> Command {
    Command::TransferObjects(TransferObjects {
        objects: vec![object],
        address: Argument::Input(0),
    })
}

async fn build(fixture: &Fixture, more: Vec<Input>, commands: Vec<Command>) -> Transaction {
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let mut inputs = vec![pure(&alice)];
    inputs.extend(more);
    transaction(alice, gas, inputs, commands)
}

async fn status(fixture: &Fixture, more: Vec<Input>, commands: Vec<Command>) -> ExecutionStatus {
    let transaction = build(fixture, more, commands).await;
    effects(&fixture.execute(&transaction).await.unwrap()).status
}

#[tokio::test]
async fn a_coin_of_zero_is_made_and_destroyed() {
    let fixture = Fixture::start().await;
    let usdc = fixture.network.addresses().usdc();
    let zero = coin_call("zero", usdc.clone(), vec![]);
    let made = build(
        &fixture,
        vec![],
        vec![zero.clone(), give(Argument::Result(0))],
    )
    .await;
    assert_success(&fixture.execute(&made).await.unwrap());
    let coin_type = StructTag::coin(usdc.clone()).to_string();
    let coin = fixture
        .owned(fixture.alice.address, &coin_type)
        .await
        .remove(0);
    assert_eq!(fixture.object(coin.object_id()).await.balance(), 0);
    let destroy = coin_call("destroy_zero", usdc.clone(), vec![Argument::Input(1)]);
    let inputs = vec![Input::ImmutableOrOwned(coin)];
    let destroyed = build(&fixture, inputs, vec![destroy]).await;
    assert_success(&fixture.execute(&destroyed).await.unwrap());
    assert!(
        fixture
            .owned(fixture.alice.address, &coin_type)
            .await
            .is_empty()
    );
    // In one transaction, nothing is left.
    let destroy = coin_call("destroy_zero", usdc, vec![Argument::Result(0)]);
    let both = build(&fixture, vec![], vec![zero, destroy]).await;
    let executed = fixture.execute(&both).await.unwrap();
    assert_success(&executed);
    assert_eq!(effects(&executed).changed_objects.len(), 1);
}

#[tokio::test]
async fn a_coin_with_value_is_not_destroyed() {
    let fixture = Fixture::start().await;
    let sui: TypeTag = StructTag::sui().into();
    let coin = fixture.coins(fixture.alice.address).await.remove(1);
    let destroy = coin_call("destroy_zero", sui, vec![Argument::Input(1)]);
    let inputs = vec![Input::ImmutableOrOwned(coin)];
    let ExecutionStatus::Failure {
        error: ExecutionError::MoveAbort { location, code },
        ..
    } = status(&fixture, inputs, vec![destroy]).await
    else {
        panic!("it succeeded");
    };
    assert_eq!(location.module.as_str(), "balance");
    assert_eq!(code, 0);
}

#[tokio::test]
async fn a_coin_becomes_a_balance_and_a_coin_again() {
    let fixture = Fixture::start().await;
    let sui: TypeTag = StructTag::sui().into();
    let alice = fixture.alice.address;
    let coin = fixture.coins(alice).await.remove(1);
    let value = fixture.object(coin.object_id()).await.balance();
    let commands = vec![
        coin_call("into_balance", sui.clone(), vec![Argument::Input(1)]),
        coin_call("from_balance", sui.clone(), vec![Argument::Result(0)]),
        give(Argument::Result(1)),
    ];
    let inputs = vec![Input::ImmutableOrOwned(coin.clone())];
    let executed = build(&fixture, inputs, commands).await;
    assert_success(&fixture.execute(&executed).await.unwrap());
    let mut values = Vec::new();
    for coin in fixture.coins(alice).await {
        values.push(fixture.object(coin.object_id()).await.balance());
    }
    assert!(values.contains(&value), "{values:?}");

    // A balance can't be dropped, used twice, or be one of another currency.
    let coin = fixture.coins(alice).await.remove(1);
    let into = coin_call("into_balance", sui.clone(), vec![Argument::Input(1)]);
    let inputs = vec![Input::ImmutableOrOwned(coin)];
    let left = status(&fixture, inputs, vec![into.clone()]).await;
    assert!(
        matches!(
            left,
            ExecutionStatus::Failure {
                error: ExecutionError::UnusedValueWithoutDrop { result: 0, .. },
                ..
            }
        ),
        "{left:?}"
    );
    let usdc = fixture.network.addresses().usdc();
    for (currency, twice) in [(sui, true), (usdc, false)] {
        let coin = fixture.coins(alice).await.remove(1);
        let from = coin_call("from_balance", currency, vec![Argument::Result(0)]);
        let mut commands = vec![into.clone(), from.clone(), give(Argument::Result(1))];
        if twice {
            commands.push(from);
        }
        let inputs = vec![Input::ImmutableOrOwned(coin)];
        let wrong = status(&fixture, inputs, commands).await;
        assert!(
            matches!(
                wrong,
                ExecutionStatus::Failure {
                    error: ExecutionError::CommandArgumentError { argument: 0, .. },
                    ..
                }
            ),
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn a_vector_of_numbers_is_an_argument_of_a_call() {
    let fixture = Fixture::start().await;
    fixture.node_and_task(1).await;
    let badge = fixture.badge(fixture.alice.address, "NodeBadge").await;
    let vector = |inputs: Vec<Argument>, tag: &str| {
        Command::MakeMoveVector(MakeMoveVector {
            type_: Some(tag.parse().unwrap()),
            elements: inputs,
        })
    };
    let claim = Command::MoveCall(MoveCall {
        package: fixture.network.addresses().package,
        module: "db".parse().unwrap(),
        function: "claim_funds".parse().unwrap(),
        type_arguments: vec![],
        arguments: vec![Argument::Input(1), Argument::Input(2), Argument::Result(0)],
    });
    let inputs = vec![
        fixture.db(),
        Input::ImmutableOrOwned(badge),
        pure(&7_u64),
        pure(&8_u64),
    ];
    let elements = vec![Argument::Input(3), Argument::Input(4)];
    // No such stacks: the contract, not the network, finds that.
    let made = vec![vector(elements.clone(), "u64"), claim.clone()];
    let found = status(&fixture, inputs.clone(), made).await;
    assert!(
        matches!(
            found,
            ExecutionStatus::Failure {
                error: ExecutionError::MoveAbort { .. },
                command: Some(1)
            }
        ),
        "{found:?}"
    );
    let badge = fixture.badge(fixture.alice.address, "NodeBadge").await;
    let mut inputs = inputs;
    inputs[1] = Input::ImmutableOrOwned(badge);
    // Bytes that are no element of the type, and a vector of another type.
    for (tag, command) in [("u8", 0), ("address", 0)] {
        let wrong = vec![vector(elements.clone(), tag), claim.clone()];
        let found = status(&fixture, inputs.clone(), wrong).await;
        assert!(
            matches!(
                found,
                ExecutionStatus::Failure {
                    error: ExecutionError::CommandArgumentError { argument: 0, .. },
                    command: Some(at)
                } if at == command
            ),
            "{found:?}"
        );
        let badge = fixture.badge(fixture.alice.address, "NodeBadge").await;
        inputs[1] = Input::ImmutableOrOwned(badge);
    }
    // An empty vector can be dropped.
    assert_eq!(
        status(&fixture, vec![], vec![vector(vec![], "u64")]).await,
        ExecutionStatus::Success
    );
}

#[tokio::test]
async fn a_vector_of_coins_cannot_be_dropped() {
    let fixture = Fixture::start().await;
    let coin = fixture.coins(fixture.alice.address).await.remove(1);
    let vector = Command::MakeMoveVector(MakeMoveVector {
        type_: None,
        elements: vec![Argument::Input(1)],
    });
    let found = status(
        &fixture,
        vec![Input::ImmutableOrOwned(coin.clone())],
        vec![vector],
    )
    .await;
    assert!(
        matches!(
            found,
            ExecutionStatus::Failure {
                error: ExecutionError::UnusedValueWithoutDrop { .. },
                ..
            }
        ),
        "{found:?}"
    );
    assert!(fixture.object(coin.object_id()).await.version() > coin.version());
}
