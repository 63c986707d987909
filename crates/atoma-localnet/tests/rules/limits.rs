//! Every limit at its boundary: the last value that is allowed and the first that is refused.

use sui_sdk_types::{
    Address, Argument, Command, Input, MergeCoins, MoveCall, ObjectReference, SplitCoins,
    Transaction, TransferObjects,
};
use tonic::Code;

use crate::refusals::refused;
use crate::support::{Fixture, SUI, assert_success, pure, transaction};

fn split_into(amounts: usize) -> Vec<Command> {
    let first = u16::try_from(amounts).unwrap();
    vec![
        Command::SplitCoins(SplitCoins {
            coin: Argument::Gas,
            amounts: vec![Argument::Input(0); amounts],
        }),
        Command::TransferObjects(TransferObjects {
            objects: (0..first).map(|i| Argument::NestedResult(0, i)).collect(),
            address: Argument::Input(1),
        }),
    ]
}

/// Commands that merge nothing into the gas coin, or rather a coin split off it.
fn commands(count: usize) -> Vec<Command> {
    let mut commands = Vec::new();
    while commands.len() < count {
        let split = u16::try_from(commands.len()).unwrap();
        commands.push(Command::SplitCoins(SplitCoins {
            coin: Argument::Gas,
            amounts: vec![Argument::Input(0)],
        }));
        if commands.len() < count {
            commands.push(Command::MergeCoins(MergeCoins {
                coin: Argument::Gas,
                coins_to_merge: vec![Argument::NestedResult(split, 0)],
            }));
        }
    }
    // An odd number ends with a transfer of nothing that is left over.
    if count % 2 == 1 {
        *commands.last_mut().unwrap() = Command::MakeMoveVector(sui_sdk_types::MakeMoveVector {
            type_: Some("u64".parse().unwrap()),
            elements: vec![],
        });
    }
    commands
}

struct Boundary {
    allowed: Transaction,
    refused: Transaction,
    text: String,
}

async fn check(fixture: &Fixture, name: &str, boundary: Boundary) {
    let status = refused(fixture, &boundary.refused).await;
    assert_eq!(status.code(), Code::InvalidArgument, "{name}: {status}");
    let text = format!(
        "Error checking transaction input objects: Size limit exceeded: {}",
        boundary.text
    );
    assert_eq!(status.message(), text, "{name}");
    let executed = fixture.execute(&boundary.allowed).await;
    let executed = executed.unwrap_or_else(|status| panic!("{name}: {status}"));
    assert_success(&executed);
}

#[tokio::test]
async fn commands_arguments_and_pure_bytes_compare_with_less() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let build = async |inputs: Vec<Input>, commands: Vec<Command>| {
        let gas = fixture.coins(alice).await.remove(0);
        let mut transaction = transaction(alice, gas, inputs, commands);
        transaction.gas_payment.budget = 5 * SUI;
        transaction
    };
    let boundary = Boundary {
        allowed: build(vec![pure(&1_u64)], commands(1_023)).await,
        refused: build(vec![pure(&1_u64)], commands(1_024)).await,
        text: "maximum commands in a programmable transaction is 1024".to_owned(),
    };
    check(&fixture, "commands", boundary).await;

    let inputs = vec![pure(&1_u64), pure(&alice)];
    let boundary = Boundary {
        allowed: build(inputs.clone(), split_into(511)).await,
        refused: build(inputs, split_into(512)).await,
        text: "maximum arguments in a programmable transaction command is 512".to_owned(),
    };
    check(&fixture, "split amounts", boundary).await;

    // The bytes of an input that no command uses may be anything.
    let boundary = Boundary {
        allowed: build(vec![Input::Pure(vec![0; 16_383])], vec![]).await,
        refused: build(vec![Input::Pure(vec![0; 16_384])], vec![]).await,
        text: "maximum pure argument size is 16384".to_owned(),
    };
    check(&fixture, "pure bytes", boundary).await;
}

#[tokio::test]
async fn a_call_has_fewer_than_512_arguments() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let call = |count| {
        vec![Command::MoveCall(MoveCall {
            package: fixture.network.addresses().package,
            module: "db".parse().unwrap(),
            function: "claim_funds".parse().unwrap(),
            type_arguments: vec![],
            arguments: vec![Argument::Input(0); count],
        })]
    };
    let gas = fixture.coins(alice).await.remove(0);
    let build = |commands| transaction(alice, gas.clone(), vec![pure(&1_u64)], commands);
    let status = refused(&fixture, &build(call(512))).await;
    assert_eq!(
        status.message(),
        "Error checking transaction input objects: Size limit exceeded: maximum arguments in a move call is 512"
    );
    // It executes, and fails because the function has other parameters.
    fixture.execute(&build(call(511))).await.unwrap();
}

#[tokio::test]
async fn the_serialized_size_includes_the_signatures() {
    const MAX: usize = 131_072;
    /// The intent and two lengths, then one signature with its length.
    const AROUND: usize = 5 + 98;
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let of_size = |size: usize| {
        let build = |last: usize| {
            let mut inputs = vec![Input::Pure(vec![0; 16_000]); 8];
            inputs.push(Input::Pure(vec![0; last]));
            transaction(alice, gas.clone(), inputs, vec![])
        };
        // A length of two bytes.
        let base = bcs::serialized_size(&build(1_000)).unwrap() - 1_000;
        let transaction = build(size - AROUND - base);
        assert_eq!(bcs::serialized_size(&transaction).unwrap() + AROUND, size);
        transaction
    };
    let boundary = Boundary {
        allowed: of_size(MAX),
        refused: of_size(MAX + 1),
        text: "serialized transaction size exceeded maximum of 131072 is 131073".to_owned(),
    };
    check(&fixture, "size", boundary).await;
}

#[tokio::test]
async fn gas_coins_are_at_most_256() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    fixture
        .network
        .faucet_coins(alice, &vec![SUI / 10; 257])
        .unwrap();
    let coins: Vec<ObjectReference> = fixture.coins(alice).await;
    let paid_by = |count: usize| {
        let mut transaction = transaction(alice, coins[0].clone(), vec![], vec![]);
        transaction.gas_payment.objects = coins[..count].to_vec();
        transaction
    };
    let boundary = Boundary {
        allowed: paid_by(256),
        refused: paid_by(257),
        text: "maximum number of gas payment objects is 256".to_owned(),
    };
    check(&fixture, "gas coins", boundary).await;
}

#[tokio::test]
async fn input_objects_are_at_most_2048() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    // Whether they exist is looked at later: the last that is allowed is refused for another reason.
    let with = |count: u16| {
        let inputs = (0..count)
            .map(|number| {
                let mut id = [0xaa; 32];
                id[..2].copy_from_slice(&number.to_be_bytes());
                Input::Shared(sui_sdk_types::SharedInput::new(Address::new(id), 1, false))
            })
            .collect();
        transaction(alice, gas.clone(), inputs, vec![])
    };
    let status = refused(&fixture, &with(2_049)).await;
    assert_eq!(
        status.message(),
        "Error checking transaction input objects: Size limit exceeded: maximum input + receiving objects in a transaction is 2048"
    );
    let status = refused(&fixture, &with(2_048)).await;
    assert_eq!(status.code(), Code::Aborted, "{status}");
}
