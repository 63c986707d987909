use atoma_domain::{EchelonId, HexBytes, PricePerMillion, TaskSmallId};
use serde_json::Value;

use super::*;

/// One call of each kind.
fn every_call() -> Vec<ContractCall> {
    let proof = SettlementProof {
        commitment: Hash32::new([1; 32]),
        leaf: Hash32::new([2; 32]),
    };
    let task = TaskSmallId::new(1);
    let stack = StackSmallId::new(2);
    let price = PricePerMillion::new(3);
    vec![
        ContractCall::RegisterNode,
        ContractCall::AddNodeToModel {
            model_name: "m".to_owned(),
            echelon: EchelonId::new(4),
        },
        ContractCall::SubscribeToTask { task, price },
        ContractCall::UpdateSubscription { task, price },
        ContractCall::UnsubscribeFromTask { task },
        ContractCall::TrySettleStack {
            stack,
            claimed: ComputeUnits::new(5),
            proof,
        },
        ContractCall::SubmitAttestation { stack, proof },
        ContractCall::StartDispute {
            stack,
            commitment: Hash32::ZERO,
        },
        ContractCall::ClaimFunds {
            stacks: vec![stack],
        },
        ContractCall::ClaimFundsForStacks {
            stacks: vec![(stack, ComputeUnits::new(6))],
        },
        ContractCall::WithdrawFees,
        ContractCall::RotateNodePublicKey {
            commitment: HexBytes(vec![1]),
            evidence: HexBytes(vec![2]),
            key_rotation_counter: 7,
            device_type: 8,
        },
        ContractCall::PermanentlyDisableNode,
        ContractCall::DestroyDisabledNode,
    ]
}

/// Whether the argument is of the kind that `interface.json` describes.
fn matches_interface(argument: &CallArgument, interface: &str) -> bool {
    match argument {
        CallArgument::AtomaDb => interface == "shared object, mutable",
        CallArgument::Badge => interface.starts_with("owned object, by"),
        CallArgument::Random => interface == "shared object 0x8, immutable",
        CallArgument::U16(_) => interface == "pure u16",
        CallArgument::U64(_) => interface == "pure u64",
        CallArgument::Ascii(_) => interface == "pure ascii string",
        CallArgument::Bytes(_) => interface == "pure vector<u8>",
        CallArgument::U64s(_) => interface == "pure vector<u64>",
    }
}

#[test]
fn every_call_has_the_arguments_of_the_contracts_interface() {
    let interface: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/interface.json")).unwrap();
    for call in every_call() {
        let expected = interface["functions"][call.function()]["ptb_arguments"]
            .as_array()
            .unwrap_or_else(|| panic!("{} is in the interface", call.function()));
        let actual = arguments(&call);
        assert_eq!(actual.len(), expected.len(), "{}", call.function());
        for (argument, expected) in actual.iter().zip(expected) {
            let expected = expected["ptb_argument"].as_str().unwrap();
            assert!(
                matches_interface(argument, expected),
                "{}: {argument:?} for {expected}",
                call.function()
            );
        }
    }
}
