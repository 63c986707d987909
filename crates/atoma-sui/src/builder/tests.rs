use atoma_domain::settlement::SettlementProof;
use atoma_domain::{
    ComputeUnits, Digest, Hash32, Mist, PricePerMillion, StackSmallId, TaskSmallId,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sui_sdk_types::{Command, Input, MoveCall, TransactionKind};

use super::*;
use crate::keystore::KeystoreSigner;

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

#[test]
fn bytes_digests_and_signatures_are_those_of_the_typescript_sdk() {
    let vectors = vectors();
    let inputs = &vectors["inputs"];
    let contract = contract(inputs);
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 6);
    let mut expiring = 0;
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let bytes = STANDARD.decode(case["tx_bytes"].as_str().unwrap()).unwrap();
        let recorded: Transaction = bcs::from_bytes(&bytes).unwrap();
        let plan = plan_of(&recorded, inputs);
        let built = match recorded.expiration {
            TransactionExpiration::Epoch(_) => {
                expiring += 1;
                build(&contract, &plan).unwrap()
            }
            _ => {
                let built = transaction(&contract, &plan, None).unwrap();
                UnsignedTransaction {
                    bytes: bcs::to_bytes(&built).unwrap(),
                    digest: built.digest(),
                }
            }
        };
        assert_eq!(built.bytes, bytes, "{name}");
        assert_eq!(built.digest.to_string(), case["digest"].as_str().unwrap());
        for (scheme, key) in vectors["keys"].as_object().unwrap() {
            let signer =
                KeystoreSigner::from_suiprivkey(key["suiprivkey"].as_str().unwrap()).unwrap();
            let signature = signer.sign_unchecked(&recorded).unwrap();
            assert_eq!(
                STANDARD.encode(signature),
                case["signatures"][scheme].as_str().unwrap(),
                "{name} by {scheme}"
            );
        }
    }
    assert!(expiring > 0, "no case has an expiration");
}

fn plan(calls: Vec<ContractCall>) -> (ContractInputs, TransactionPlan) {
    let vectors = vectors();
    let inputs = &vectors["inputs"];
    let plan = TransactionPlan {
        split: Vec::new(),
        sender: Address::ZERO,
        badge: Some(reference(&inputs["badge"])),
        calls,
        gas: vec![reference(&inputs["gas"][0])],
        gas_price: Mist::new(1_000),
        gas_budget: Mist::new(1_000_000),
        expires_after: Epoch::new(7),
    };
    (contract(inputs), plan)
}

fn settle(stack: u64) -> ContractCall {
    ContractCall::TrySettleStack {
        stack: StackSmallId::new(stack),
        claimed: ComputeUnits::new(1),
        proof: SettlementProof {
            commitment: Hash32::ZERO,
            leaf: Hash32::ZERO,
        },
    }
}

#[test]
fn every_transaction_expires_with_its_epoch() {
    let (contract, plan) = plan(vec![ContractCall::WithdrawFees]);
    let built = build(&contract, &plan).unwrap();
    let read: Transaction = bcs::from_bytes(&built.bytes).unwrap();
    assert_eq!(read.expiration, TransactionExpiration::Epoch(7));
}

#[test]
fn several_calls_share_the_database_and_the_badge() {
    let claim = |id| ContractCall::ClaimFunds {
        stacks: vec![StackSmallId::new(id)],
    };
    let (contract, plan) = plan(vec![claim(1), claim(1), settle(2)]);
    let built = build(&contract, &plan).unwrap();
    let read: Transaction = bcs::from_bytes(&built.bytes).unwrap();
    let TransactionKind::ProgrammableTransaction(programmable) = read.kind else {
        panic!("{:?}", read.kind);
    };
    // AtomaDb, badge, one list per claim, four values of the settlement, Random.
    assert_eq!(programmable.inputs.len(), 2 + 2 + 4 + 1);
    assert_eq!(programmable.commands.len(), 3);
}

#[test]
fn coins_are_split_before_the_calls_and_transferred_after_them() {
    use sui_sdk_types::Command;
    let (contract, mut plan) = plan(vec![settle(1)]);
    plan.split = vec![Mist::new(5)];
    let built = build(&contract, &plan).unwrap();
    let read: Transaction = bcs::from_bytes(&built.bytes).unwrap();
    let TransactionKind::ProgrammableTransaction(programmable) = read.kind else {
        panic!("{:?}", read.kind);
    };
    assert!(matches!(
        programmable.commands.as_slice(),
        [
            Command::SplitCoins(_),
            Command::MoveCall(_),
            Command::TransferObjects(_)
        ]
    ));
}

#[test]
fn invalid_plans_are_rejected() {
    let (contract, mut none) = plan(Vec::new());
    assert!(matches!(build(&contract, &none), Err(BuildError::NoCalls)));
    none.calls = vec![settle(1), settle(2)];
    assert!(matches!(
        build(&contract, &none),
        Err(BuildError::RandomNotLast)
    ));
    none.calls = vec![ContractCall::ClaimFunds {
        stacks: (0..2_048).map(StackSmallId::new).collect(),
    }];
    assert!(matches!(
        build(&contract, &none),
        Err(BuildError::Limit { actual: 16_386, .. })
    ));
    none.calls = vec![ContractCall::WithdrawFees];
    none.badge = None;
    assert!(matches!(
        build(&contract, &none),
        Err(BuildError::NoBadge { .. })
    ));
    none.calls = vec![ContractCall::AddNodeToModel {
        model_name: "modèle".to_owned(),
        echelon: atoma_domain::EchelonId::new(1),
    }];
    none.badge = plan(Vec::new()).1.badge;
    assert!(matches!(
        build(&contract, &none),
        Err(BuildError::NotAscii(_))
    ));
}
