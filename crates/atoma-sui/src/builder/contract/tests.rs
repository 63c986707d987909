use atoma_domain::settlement::SettlementProof;
use atoma_domain::{ComputeUnits, Digest, Hash32, Mist, StackSmallId};
use serde_json::Value;
use sui_sdk_types::TransactionKind;

use super::*;

fn vectors() -> Value {
    serde_json::from_str(include_str!(
        "../../../../../tests/vectors/transactions.json"
    ))
    .unwrap()
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
    let built = contract.build(&plan).unwrap();
    let read: Transaction = bcs::from_bytes(&built.bytes).unwrap();
    assert_eq!(read.expiration, TransactionExpiration::Epoch(7));
}

#[test]
fn several_calls_share_the_database_and_the_badge() {
    let claim = |id| ContractCall::ClaimFunds {
        stacks: vec![StackSmallId::new(id)],
    };
    let (contract, plan) = plan(vec![claim(1), claim(1), settle(2)]);
    let built = contract.build(&plan).unwrap();
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
    let built = contract.build(&plan).unwrap();
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
    assert!(matches!(contract.build(&none), Err(BuildError::NoCalls)));
    none.calls = vec![settle(1), settle(2)];
    assert!(matches!(
        contract.build(&none),
        Err(BuildError::RandomNotLast)
    ));
    none.calls = vec![ContractCall::ClaimFunds {
        stacks: (0..2_048).map(StackSmallId::new).collect(),
    }];
    assert!(matches!(
        contract.build(&none),
        Err(BuildError::Limit { actual: 16_386, .. })
    ));
    none.calls = vec![ContractCall::WithdrawFees];
    none.badge = None;
    assert!(matches!(
        contract.build(&none),
        Err(BuildError::NoBadge { .. })
    ));
    none.calls = vec![ContractCall::AddNodeToModel {
        model_name: "modèle".to_owned(),
        echelon: atoma_domain::EchelonId::new(1),
    }];
    none.badge = plan(Vec::new()).1.badge;
    assert!(matches!(
        contract.build(&none),
        Err(BuildError::NotAscii(_))
    ));
}
