//! What can be asked of the chain.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Address, ComputeUnits, EchelonId, NodeSmallId, ObjectId, PricePerMillion, StackSmallId,
    TaskSmallId,
};

/// One thing asked of the chain. A retry never changes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Register a node; its badge goes to the actor's address.
    RegisterNode {
        /// Whether the address may own a badge already.
        additional: bool,
    },
    /// Offer a model.
    SubscribeToModel {
        /// The model, in ASCII.
        model_name: String,
        /// The echelon.
        echelon_id: EchelonId,
    },
    /// Offer to serve a task.
    SubscribeToTask {
        /// The task.
        task_small_id: TaskSmallId,
        /// The price.
        price: PricePerMillion,
    },
    /// Change the offer for a task.
    UpdateSubscription {
        /// The task.
        task_small_id: TaskSmallId,
        /// The new price.
        price: PricePerMillion,
    },
    /// Withdraw the offer for a task.
    UnsubscribeFromTask {
        /// The task.
        task_small_id: TaskSmallId,
    },
    /// Settle a stack.
    SettleStack {
        /// The stack.
        stack_small_id: StackSmallId,
        /// How much to claim; `None`: what the frozen record says was computed.
        num_claimed_compute_units: Option<ComputeUnits>,
    },
    /// Attest the settlement of a stack.
    AttestSettlement {
        /// The stack.
        stack_small_id: StackSmallId,
        /// Whether a commitment that differs from the ticket's may be sent, which opens a dispute.
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
        /// How much to claim; `None`: what the frozen record says was computed.
        num_claimed_compute_units: Option<ComputeUnits>,
    },
}

impl Action {
    /// The stable names of all kinds.
    pub const KINDS: [&str; 10] = [
        "register_node",
        "subscribe_to_model",
        "subscribe_to_task",
        "update_subscription",
        "unsubscribe_from_task",
        "settle_stack",
        "attest_settlement",
        "start_dispute",
        "claim_stack",
        "claim_confidential_stack",
    ];

    /// The kind of that name, if there is one.
    pub fn kind_from_name(name: &str) -> Option<&'static str> {
        Self::KINDS.into_iter().find(|kind| *kind == name)
    }

    /// The stable name of the kind, as in the API and in the journal.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RegisterNode { .. } => "register_node",
            Self::SubscribeToModel { .. } => "subscribe_to_model",
            Self::SubscribeToTask { .. } => "subscribe_to_task",
            Self::UpdateSubscription { .. } => "update_subscription",
            Self::UnsubscribeFromTask { .. } => "unsubscribe_from_task",
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

    /// The key that two intents may not hold at a time.
    pub fn key(&self, actor: &Actor) -> ActionKey {
        let subject = match self {
            Self::RegisterNode { .. } => String::from("node"),
            Self::SubscribeToModel { model_name, .. } => format!("model {model_name}"),
            // One offer per node and task: changes of it must not overtake each other.
            Self::SubscribeToTask { task_small_id, .. }
            | Self::UpdateSubscription { task_small_id, .. }
            | Self::UnsubscribeFromTask { task_small_id } => format!("task {task_small_id}"),
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

    /// Whether success keeps the key for ever: the contract allows the action once, or (for
    /// attestations) allows it again and counts it, which would freeze the stack.
    pub const fn succeeds_only_once(&self) -> bool {
        self.stack().is_some()
    }

    /// The stack whose record it closes, from its opening on until it fails: what is served later
    /// would not be paid.
    pub const fn closes_record(&self) -> Option<StackSmallId> {
        match self {
            Self::SettleStack { stack_small_id, .. }
            | Self::ClaimConfidentialStack { stack_small_id, .. } => Some(*stack_small_id),
            _ => None,
        }
    }

    /// Whether several such intents of one badge may share a transaction. A settlement can't: its
    /// call takes `Random` and must be the last.
    pub const fn can_be_batched(&self) -> bool {
        matches!(
            self,
            Self::AttestSettlement { .. }
                | Self::ClaimStack { .. }
                | Self::ClaimConfidentialStack { .. }
        )
    }
}

/// The text under which an intent holds its exclusive right to act.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionKey(String);

impl ActionKey {
    /// The key as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ActionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who acts: an address, or one of its nodes by its badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "actor", rename_all = "snake_case")]
pub enum Actor {
    /// The address itself: only registering needs no badge.
    Address {
        /// The address.
        address: Address,
    },
    /// A node.
    Node {
        /// The node.
        node_small_id: NodeSmallId,
        /// Its badge, an object owned by the address.
        node_badge_id: ObjectId,
        /// The address, which signs and pays.
        address: Address,
    },
}

impl Actor {
    /// Who signs and pays.
    pub const fn address(&self) -> Address {
        match self {
            Self::Address { address } | Self::Node { address, .. } => *address,
        }
    }

    /// The node, if it is one.
    pub const fn node(&self) -> Option<NodeSmallId> {
        match self {
            Self::Address { .. } => None,
            Self::Node { node_small_id, .. } => Some(*node_small_id),
        }
    }

    /// The badge, if it is a node.
    pub const fn badge(&self) -> Option<ObjectId> {
        match self {
            Self::Address { .. } => None,
            Self::Node { node_badge_id, .. } => Some(*node_badge_id),
        }
    }
}
