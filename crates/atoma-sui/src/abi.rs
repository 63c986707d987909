//! The arguments of the contract's entry functions, in order and by type.

use atoma_domain::contract::{BadgeUse, ContractCall};
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{ComputeUnits, Hash32, StackSmallId};

/// The contract's module.
pub(crate) const MODULE: &str = "db";

/// One argument of an entry function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallArgument {
    /// The shared `AtomaDb`, mutable.
    AtomaDb,
    /// The acting node's badge, by reference or by value: both have the same encoding.
    Badge,
    /// The shared `Random`, immutable.
    Random,
    /// `u16`.
    U16(u16),
    /// `u64`.
    U64(u64),
    /// `0x1::ascii::String`.
    Ascii(String),
    /// `vector<u8>`.
    Bytes(Vec<u8>),
    /// `vector<u64>`.
    U64s(Vec<u64>),
}

/// A call's arguments, in the order of the function's parameters.
pub(crate) fn arguments(call: &ContractCall) -> Vec<CallArgument> {
    let mut arguments = vec![CallArgument::AtomaDb];
    if call.badge_use() == BadgeUse::Second {
        arguments.push(CallArgument::Badge);
    }
    arguments.extend(pure_arguments(call));
    if call.uses_random() {
        arguments.push(CallArgument::Random);
    }
    arguments
}

fn pure_arguments(call: &ContractCall) -> Vec<CallArgument> {
    use CallArgument::{Ascii, Bytes, U16, U64, U64s};
    match call {
        ContractCall::RegisterNode
        | ContractCall::WithdrawFees
        | ContractCall::PermanentlyDisableNode
        | ContractCall::DestroyDisabledNode => Vec::new(),
        ContractCall::AddNodeToModel {
            model_name,
            echelon,
        } => vec![Ascii(model_name.clone()), U64(echelon.get())],
        ContractCall::SubscribeToTask { task, price }
        | ContractCall::UpdateSubscription { task, price } => {
            vec![U64(task.get()), U64(price.get())]
        }
        ContractCall::UnsubscribeFromTask { task } => vec![U64(task.get())],
        ContractCall::TrySettleStack {
            stack,
            claimed,
            proof,
        } => {
            let [commitment, leaf] = proof_arguments(proof);
            vec![U64(stack.get()), U64(claimed.get()), commitment, leaf]
        }
        ContractCall::SubmitAttestation { stack, proof } => {
            let [commitment, leaf] = proof_arguments(proof);
            vec![U64(stack.get()), commitment, leaf]
        }
        ContractCall::StartDispute { stack, commitment } => {
            vec![U64(stack.get()), hash(commitment)]
        }
        ContractCall::ClaimFunds { stacks } => {
            vec![U64s(
                stacks.iter().copied().map(StackSmallId::get).collect(),
            )]
        }
        ContractCall::ClaimFundsForStacks { stacks } => {
            let (ids, units): (Vec<StackSmallId>, Vec<ComputeUnits>) =
                stacks.iter().copied().unzip();
            vec![
                U64s(ids.into_iter().map(StackSmallId::get).collect()),
                U64s(units.into_iter().map(ComputeUnits::get).collect()),
            ]
        }
        ContractCall::RotateNodePublicKey {
            commitment,
            evidence,
            key_rotation_counter,
            device_type,
        } => vec![
            Bytes(commitment.0.clone()),
            Bytes(evidence.0.clone()),
            U64(*key_rotation_counter),
            U16(*device_type),
        ],
    }
}

fn proof_arguments(proof: &SettlementProof) -> [CallArgument; 2] {
    [hash(&proof.commitment), hash(&proof.leaf)]
}

/// The contract takes a hash as `vector<u8>`, which BCS prefixes with its length.
fn hash(hash: &Hash32) -> CallArgument {
    CallArgument::Bytes(hash.as_bytes().to_vec())
}

#[cfg(test)]
mod tests;
