//! Transactions that are built and signed without a connection, by the public API alone.
//!
//! `tests/vectors/transactions.json` has what the TypeScript SDK built from the same inputs.

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{Signer as _, TransactionPlan};
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{
    ComputeUnits, Digest, Epoch, Hash32, Mist, ObjectReference, PricePerMillion, StackSmallId,
    TaskSmallId,
};
use atoma_sui::{ContractInputs, KeystoreSigner};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sui_sdk_types::{
    Command, Input, MoveCall, Transaction, TransactionExpiration, TransactionKind,
};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/transactions.json")).unwrap()
}

fn number(value: &Value) -> u64 {
    value
        .as_str()
        .map_or_else(|| value.as_u64().unwrap(), |text| text.parse().unwrap())
}

fn reference(value: &Value) -> ObjectReference {
    let byte = u8::try_from(number(&value["digest_byte"])).unwrap();
    ObjectReference::new(
        value["id"].as_str().unwrap().parse().unwrap(),
        number(&value["version"]),
        Digest::new([byte; 32]),
    )
}

fn contract(inputs: &Value) -> ContractInputs {
    ContractInputs {
        package: inputs["package"].as_str().unwrap().parse().unwrap(),
        atoma_db: inputs["db"]["id"].as_str().unwrap().parse().unwrap(),
        atoma_db_initial_version: number(&inputs["db"]["initial_shared_version"]),
        random_initial_version: number(&inputs["random_initial_shared_version"]),
    }
}

/// The pure arguments of a command, in order.
fn pure_of(call: &MoveCall, inputs: &[Input]) -> Vec<Vec<u8>> {
    let pure = call.arguments.iter().filter_map(|argument| match argument {
        sui_sdk_types::Argument::Input(index) => match &inputs[usize::from(*index)] {
            Input::Pure(bytes) => Some(bytes.clone()),
            _ => None,
        },
        other => panic!("{other:?}"),
    });
    pure.collect()
}

/// Decodes a call from a command of a recorded transaction.
fn read_call(call: &MoveCall, inputs: &[Input]) -> ContractCall {
    let pure = pure_of(call, inputs);
    let u64_at = |index: usize| bcs::from_bytes::<u64>(&pure[index]).unwrap();
    let hash_at = |index: usize| {
        Hash32::try_from(bcs::from_bytes::<Vec<u8>>(&pure[index]).unwrap().as_slice()).unwrap()
    };
    let ids_at = |index: usize| bcs::from_bytes::<Vec<u64>>(&pure[index]).unwrap();
    match call.function.as_str() {
        "register_node_entry" => ContractCall::RegisterNode,
        "subscribe_node_to_task" => ContractCall::SubscribeToTask {
            task: TaskSmallId::new(u64_at(0)),
            price: PricePerMillion::new(u64_at(1)),
        },
        "try_settle_stack" => ContractCall::TrySettleStack {
            stack: StackSmallId::new(u64_at(0)),
            claimed: ComputeUnits::new(u64_at(1)),
            proof: SettlementProof {
                commitment: hash_at(2),
                leaf: hash_at(3),
            },
        },
        "submit_stack_settlement_attestation" => ContractCall::SubmitAttestation {
            stack: StackSmallId::new(u64_at(0)),
            proof: SettlementProof {
                commitment: hash_at(1),
                leaf: hash_at(2),
            },
        },
        "claim_funds" => ContractCall::ClaimFunds {
            stacks: ids_at(0).into_iter().map(StackSmallId::new).collect(),
        },
        "claim_funds_for_stacks" => ContractCall::ClaimFundsForStacks {
            stacks: ids_at(0)
                .into_iter()
                .map(StackSmallId::new)
                .zip(ids_at(1).into_iter().map(ComputeUnits::new))
                .collect(),
        },
        other => panic!("unexpected function {other}"),
    }
}

fn plan_of(recorded: &Transaction, inputs: &Value) -> TransactionPlan {
    let TransactionKind::ProgrammableTransaction(programmable) = &recorded.kind else {
        panic!("{:?}", recorded.kind);
    };
    let calls = programmable.commands.iter().map(|command| match command {
        Command::MoveCall(call) => read_call(call, &programmable.inputs),
        other => panic!("{other:?}"),
    });
    let epoch = match recorded.expiration {
        TransactionExpiration::Epoch(epoch) => epoch,
        _ => 0,
    };
    TransactionPlan {
        split: Vec::new(),
        sender: recorded.sender,
        badge: Some(reference(&inputs["badge"])),
        calls: calls.collect(),
        gas: vec![reference(&inputs["gas"][0])],
        gas_price: Mist::new(number(&inputs["gas_price"])),
        gas_budget: Mist::new(number(&inputs["gas_budget"])),
        expires_after: Epoch::new(epoch),
    }
}

#[tokio::test]
async fn bytes_digests_and_signatures_are_those_of_the_typescript_sdk() {
    let vectors = vectors();
    let inputs = &vectors["inputs"];
    let contract = contract(inputs);
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 6);
    let (mut expiring, mut signed) = (0, 0);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let bytes = STANDARD.decode(case["tx_bytes"].as_str().unwrap()).unwrap();
        let recorded: Transaction = bcs::from_bytes(&bytes).unwrap();
        let plan = plan_of(&recorded, inputs);
        let built = match recorded.expiration {
            TransactionExpiration::Epoch(_) => {
                expiring += 1;
                contract.build(&plan).unwrap()
            }
            _ => contract.build_unexpiring(&plan).unwrap(),
        };
        assert_eq!(built.bytes, bytes, "{name}");
        assert_eq!(built.digest.to_string(), case["digest"].as_str().unwrap());
        for (scheme, key) in vectors["keys"].as_object().unwrap() {
            let text = key["suiprivkey"].as_str().unwrap();
            let signer = KeystoreSigner::from_suiprivkey(text).unwrap();
            if signer.address() != recorded.sender {
                continue;
            }
            signed += 1;
            let signed = signer.sign(built.clone()).await.unwrap();
            assert_eq!(signed.bytes, bytes, "{name}");
            assert_eq!(
                STANDARD.encode(&signed.signatures[0]),
                case["signatures"][scheme].as_str().unwrap(),
                "{name} by {scheme}"
            );
        }
    }
    assert_eq!(signed, cases.len(), "every sender has one of the keys");
    assert!(expiring > 0, "no case has an expiration");
}
