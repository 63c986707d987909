//! The actions on chain.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Address, ComputeUnits, EchelonId, HexBytes, NodeSmallId, ObjectId, PricePerMillion,
    StackSmallId, TaskSmallId,
};

/// One action on chain. Retries never change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Register a node. The actor's address receives its badge.
    RegisterNode {
        /// Whether the address may already own a badge.
        additional: bool,
    },
    /// Subscribe to a model.
    SubscribeToModel {
        /// The model, in ASCII.
        model_name: String,
        /// The echelon.
        echelon_id: EchelonId,
    },
    /// Subscribe to a task.
    SubscribeToTask {
        /// The task.
        task_small_id: TaskSmallId,
        /// The price.
        price: PricePerMillion,
    },
    /// Change the price of a subscription to a task.
    UpdateSubscription {
        /// The task.
        task_small_id: TaskSmallId,
        /// The new price.
        price: PricePerMillion,
    },
    /// Unsubscribe from a task.
    UnsubscribeFromTask {
        /// The task.
        task_small_id: TaskSmallId,
    },
    /// Commit to a node's public key in a key rotation of the network.
    RotateNodeKey {
        /// The commitment to the key.
        public_key_commitment: HexBytes,
        /// The remote attestation of the hardware that holds the key.
        evidence: HexBytes,
        /// The kind of hardware, below 16,000.
        device_type: u16,
        /// The key rotation that the evidence is for; `None` for the network's current one.
        key_rotation_counter: Option<u64>,
    },
    /// Collect the shares that the contract owes the node (`withdraw_fees`).
    WithdrawFees {},
    /// Settle a stack.
    SettleStack {
        /// The stack.
        stack_small_id: StackSmallId,
        /// The units to claim; `None` claims the units of the frozen record.
        num_claimed_compute_units: Option<ComputeUnits>,
    },
    /// Attest the settlement of a stack.
    AttestSettlement {
        /// The stack.
        stack_small_id: StackSmallId,
        /// Whether to send a commitment that differs from the ticket's, which opens a dispute.
        allow_dispute: bool,
    },
    /// Dispute the settlement of a stack.
    StartDispute {
        /// The stack.
        stack_small_id: StackSmallId,
    },
    /// Claim a settled stack (`claim_funds`).
    ClaimStack {
        /// The stack.
        stack_small_id: StackSmallId,
    },
    /// Claim a stack of a confidential task (`claim_funds_for_stacks`).
    ClaimConfidentialStack {
        /// The stack.
        stack_small_id: StackSmallId,
        /// The units to claim; `None` claims the units of the frozen record.
        num_claimed_compute_units: Option<ComputeUnits>,
    },
}

impl Action {
    /// The stable names of all kinds.
    pub const KINDS: [&str; 12] = [
        "register_node",
        "subscribe_to_model",
        "subscribe_to_task",
        "update_subscription",
        "unsubscribe_from_task",
        "rotate_node_key",
        "withdraw_fees",
        "settle_stack",
        "attest_settlement",
        "start_dispute",
        "claim_stack",
        "claim_confidential_stack",
    ];

    /// The kind with that name, if there is one.
    pub fn kind_from_name(name: &str) -> Option<&'static str> {
        Self::KINDS.into_iter().find(|kind| *kind == name)
    }

    /// The stable name of the kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RegisterNode { .. } => "register_node",
            Self::SubscribeToModel { .. } => "subscribe_to_model",
            Self::SubscribeToTask { .. } => "subscribe_to_task",
            Self::UpdateSubscription { .. } => "update_subscription",
            Self::UnsubscribeFromTask { .. } => "unsubscribe_from_task",
            Self::RotateNodeKey { .. } => "rotate_node_key",
            Self::WithdrawFees {} => "withdraw_fees",
            Self::SettleStack { .. } => "settle_stack",
            Self::AttestSettlement { .. } => "attest_settlement",
            Self::StartDispute { .. } => "start_dispute",
            Self::ClaimStack { .. } => "claim_stack",
            Self::ClaimConfidentialStack { .. } => "claim_confidential_stack",
        }
    }

    /// The stack it is about, if any.
    pub const fn stack(&self) -> Option<StackSmallId> {
        match self {
            Self::SettleStack { stack_small_id, .. }
            | Self::AttestSettlement { stack_small_id, .. }
            | Self::StartDispute { stack_small_id }
            | Self::ClaimStack { stack_small_id }
            | Self::ClaimConfidentialStack { stack_small_id, .. } => Some(*stack_small_id),
            _ => None,
        }
    }

    /// The key that only one intent can hold at a time.
    pub fn key(&self, actor: &Actor) -> ActionKey {
        let subject = match self {
            Self::RegisterNode { .. } => String::from("node"),
            Self::SubscribeToModel { model_name, .. } => format!("model {model_name}"),
            // A node has one subscription to a task, and its changes must not overtake each other.
            Self::SubscribeToTask { task_small_id, .. }
            | Self::UpdateSubscription { task_small_id, .. }
            | Self::UnsubscribeFromTask { task_small_id } => format!("task {task_small_id}"),
            // Each device of a node commits to the key by itself.
            Self::RotateNodeKey { device_type, .. } => format!("key of device type {device_type}"),
            Self::WithdrawFees {} => String::from("fees"),
            Self::SettleStack { stack_small_id, .. } => format!("settle {stack_small_id}"),
            Self::AttestSettlement { stack_small_id, .. } => format!("attest {stack_small_id}"),
            Self::StartDispute { stack_small_id } => format!("dispute {stack_small_id}"),
            Self::ClaimStack { stack_small_id }
            | Self::ClaimConfidentialStack { stack_small_id, .. } => {
                format!("claim {stack_small_id}")
            }
        };
        let actor = match actor {
            Actor::Address { address } => address.to_string(),
            Actor::Node { node_small_id, .. } => node_small_id.to_string(),
        };
        ActionKey(format!("{actor}: {subject}"))
    }

    /// Whether an intent keeps its key permanently once it has succeeded. The contract allows these
    /// actions only once, except attestations: it counts a repeated one again, which would freeze the
    /// stack.
    pub fn succeeds_only_once(&self) -> bool {
        Self::kind_succeeds_only_once(self.kind())
    }

    /// [`succeeds_only_once`](Self::succeeds_only_once) by the [kind](Self::kind) alone.
    pub fn kind_succeeds_only_once(kind: &str) -> bool {
        matches!(
            kind,
            "settle_stack"
                | "attest_settlement"
                | "start_dispute"
                | "claim_stack"
                | "claim_confidential_stack"
        )
    }

    /// The stack whose record it closes, from the opening of the intent until it fails. What is served
    /// later would not be paid.
    pub fn closes_record(&self) -> Option<StackSmallId> {
        self.stack()
            .filter(|_| Self::kind_closes_record(self.kind()))
    }

    /// Whether actions of a [kind](Self::kind) [close a record](Self::closes_record).
    pub fn kind_closes_record(kind: &str) -> bool {
        matches!(kind, "settle_stack" | "claim_confidential_stack")
    }

    /// Whether several such intents of one badge can share a transaction. Settlements can't: their call
    /// takes `Random` and must be the last one.
    pub const fn can_be_batched(&self) -> bool {
        matches!(
            self,
            Self::AttestSettlement { .. }
                | Self::ClaimStack { .. }
                | Self::ClaimConfidentialStack { .. }
        )
    }
}

/// The key of an intent: while one intent holds it, no other can do the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionKey(String);

impl ActionKey {
    /// The text that is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ActionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who acts: an address, or one of its nodes with its badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "actor", rename_all = "snake_case")]
pub enum Actor {
    /// The address itself. Only registration needs no badge.
    Address {
        /// The address.
        address: Address,
    },
    /// A node.
    Node {
        /// The node.
        node_small_id: NodeSmallId,
        /// Its badge, which the address owns.
        node_badge_id: ObjectId,
        /// The address, which signs and pays.
        address: Address,
    },
}

impl Actor {
    /// The address that signs and pays.
    pub const fn address(&self) -> Address {
        match self {
            Self::Address { address } | Self::Node { address, .. } => *address,
        }
    }

    /// The node; `None` for an address.
    pub const fn node(&self) -> Option<NodeSmallId> {
        match self {
            Self::Address { .. } => None,
            Self::Node { node_small_id, .. } => Some(*node_small_id),
        }
    }

    /// The node's badge; `None` for an address.
    pub const fn badge(&self) -> Option<ObjectId> {
        match self {
            Self::Address { .. } => None,
            Self::Node { node_badge_id, .. } => Some(*node_badge_id),
        }
    }
}
