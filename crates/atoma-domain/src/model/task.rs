//! Tasks and subscriptions.

use serde::{Deserialize, Serialize};

use crate::{
    ComputeUnits, Epoch, NodeSmallId, ObjectId, PricePerMillion, SecurityLevel, TaskRole,
    TaskSmallId,
};

/// A task: a kind of work that nodes can subscribe to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its small id.
    pub task_small_id: TaskSmallId,
    /// Its badge's object id; `None` if the mirror learned of the task from the contract's table.
    pub task_id: Option<ObjectId>,
    /// The kind of work.
    pub role: TaskRole,
    /// The model, if it names one.
    pub model_name: Option<String>,
    /// How its work is verified.
    pub security_level: SecurityLevel,
    /// The reputation that a node needs to subscribe.
    pub minimum_reputation_score: Option<u8>,
    /// The epoch since which it accepts no more subscriptions; `None` while it does.
    pub deprecated_at_epoch: Option<Epoch>,
    /// The epoch in which it was removed. Its stacks can no longer be settled or claimed.
    pub removed_at_epoch: Option<Epoch>,
}

impl Task {
    /// Whether it accepts no more subscriptions.
    pub const fn is_deprecated(&self) -> bool {
        self.deprecated_at_epoch.is_some() || self.removed_at_epoch.is_some()
    }
}

/// A node's subscription to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The node.
    pub node_small_id: NodeSmallId,
    /// The task.
    pub task_small_id: TaskSmallId,
    /// The price.
    pub price_per_one_million_compute_units: PricePerMillion,
    /// The largest stack that the node accepts.
    pub max_num_compute_units: ComputeUnits,
    /// False once the node has unsubscribed.
    pub valid: bool,
}
