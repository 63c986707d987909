//! Typed calls of the contract's entry functions for nodes.

use crate::settlement::SettlementProof;
use crate::{
    ComputeUnits, EchelonId, Hash32, HexBytes, PricePerMillion, StackSmallId, TaskSmallId,
};

/// A call of one entry function. The fields leave out the `AtomaDb`, the node badge and `Random`: the
/// transaction builder adds them as [`badge_use`](Self::badge_use) and
/// [`uses_random`](Self::uses_random) say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractCall {
    /// `register_node_entry`: creates a badge for the sender.
    RegisterNode,
    /// `add_node_to_model`.
    AddNodeToModel {
        /// The model, in ASCII.
        model_name: String,
        /// Its echelon.
        echelon: EchelonId,
    },
    /// `subscribe_node_to_task`.
    SubscribeToTask {
        /// The task.
        task: TaskSmallId,
        /// The node's price.
        price: PricePerMillion,
    },
    /// `update_node_subscription`.
    UpdateSubscription {
        /// The task.
        task: TaskSmallId,
        /// The node's new price.
        price: PricePerMillion,
    },
    /// `unsubscribe_node_from_task`.
    UnsubscribeFromTask {
        /// The task.
        task: TaskSmallId,
    },
    /// `try_settle_stack`. Takes `Random`, so it must be the last Move call of its transaction.
    TrySettleStack {
        /// The stack.
        stack: StackSmallId,
        /// The units to claim, at most what the stack holds.
        claimed: ComputeUnits,
        /// The commitment and the selected node's leaf.
        proof: SettlementProof,
    },
    /// `submit_stack_settlement_attestation`.
    SubmitAttestation {
        /// The stack.
        stack: StackSmallId,
        /// The commitment and the attesting node's leaf.
        proof: SettlementProof,
    },
    /// `start_attestation_dispute`: freezes the stack's funds permanently.
    StartDispute {
        /// The stack.
        stack: StackSmallId,
        /// The commitment that the plaintiff computed.
        commitment: Hash32,
    },
    /// `claim_funds`. One bad or repeated id aborts the whole call.
    ClaimFunds {
        /// Settled stacks.
        stacks: Vec<StackSmallId>,
    },
    /// `claim_funds_for_stacks`, for confidential tasks.
    ClaimFundsForStacks {
        /// The stacks, each with the units to claim.
        stacks: Vec<(StackSmallId, ComputeUnits)>,
    },
    /// `withdraw_fees`.
    WithdrawFees,
    /// `rotate_node_public_key`.
    RotateNodePublicKey {
        /// The new key's commitment.
        commitment: HexBytes,
        /// The remote attestation.
        evidence: HexBytes,
        /// The network's current rotation, from the `AtomaDb`.
        key_rotation_counter: u64,
        /// The kind of hardware, below 16,000.
        device_type: u16,
    },
    /// `permanently_disable_node`.
    PermanentlyDisableNode,
    /// `destroy_disabled_node`: consumes the badge, at the earliest four epochs after the node was
    /// disabled.
    DestroyDisabledNode,
}

/// How a call takes the node badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadgeUse {
    /// Not at all.
    None,
    /// As the second argument. A transaction's bytes are the same by reference and by value.
    Second,
}

impl ContractCall {
    /// The entry function's name in module `db`.
    pub const fn function(&self) -> &'static str {
        match self {
            Self::RegisterNode => "register_node_entry",
            Self::AddNodeToModel { .. } => "add_node_to_model",
            Self::SubscribeToTask { .. } => "subscribe_node_to_task",
            Self::UpdateSubscription { .. } => "update_node_subscription",
            Self::UnsubscribeFromTask { .. } => "unsubscribe_node_from_task",
            Self::TrySettleStack { .. } => "try_settle_stack",
            Self::SubmitAttestation { .. } => "submit_stack_settlement_attestation",
            Self::StartDispute { .. } => "start_attestation_dispute",
            Self::ClaimFunds { .. } => "claim_funds",
            Self::ClaimFundsForStacks { .. } => "claim_funds_for_stacks",
            Self::WithdrawFees => "withdraw_fees",
            Self::RotateNodePublicKey { .. } => "rotate_node_public_key",
            Self::PermanentlyDisableNode => "permanently_disable_node",
            Self::DestroyDisabledNode => "destroy_disabled_node",
        }
    }

    /// Whether the call takes the badge, and where.
    pub const fn badge_use(&self) -> BadgeUse {
        match self {
            Self::RegisterNode => BadgeUse::None,
            _ => BadgeUse::Second,
        }
    }

    /// Whether the shared `Random` object (`0x8`) is the last argument.
    pub const fn uses_random(&self) -> bool {
        matches!(self, Self::TrySettleStack { .. })
    }
}
