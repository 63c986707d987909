//! Tasks and subscriptions.

use atoma_domain::{
    ComputeUnits, Epoch, NodeSmallId, ObjectId, PricePerMillion, SecurityLevel, TaskRole,
    TaskSmallId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text;

/// A task: a kind of work that nodes subscribe to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Task)]
pub struct TaskView {
    /// The task's small id.
    #[schema(example = 3)]
    pub task_small_id: TaskSmallId,
    /// The object id of the task's badge; `null` if the daemon learned of the task from the contract's table.
    #[schema(value_type = Option<text::ObjectId>)]
    pub task_id: Option<ObjectId>,
    /// The kind of work.
    pub role: TaskRole,
    /// The model, if the task has one.
    pub model_name: Option<String>,
    /// Whether the task was deprecated or removed.
    pub is_deprecated: bool,
    /// Always `null`: this revision of the contract has no such limit.
    pub valid_until_epoch: Option<Epoch>,
    /// The epoch in which it was deprecated.
    pub deprecated_at_epoch: Option<Epoch>,
    /// The epoch in which it was removed.
    pub removed_at_epoch: Option<Epoch>,
    /// How the work is verified: 0 not at all, 1 confidential compute, 2 sampling consensus.
    pub security_level: SecurityLevel,
    /// The reputation, from 0 to 255, that a node needs to subscribe.
    pub minimum_reputation_score: Option<u8>,
}

/// A node's offer for a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Subscription)]
pub struct SubscriptionView {
    /// The node.
    pub node_small_id: NodeSmallId,
    /// The task.
    pub task_small_id: TaskSmallId,
    /// The price, in micro-USDC for one compute unit. It may be inexact; the next field is exact.
    pub price_per_compute_unit: f64,
    /// The price, in micro-USDC for a million compute units.
    pub price_per_one_million_compute_units: PricePerMillion,
    /// The most compute units of one stack.
    pub max_num_compute_units: ComputeUnits,
    /// Whether the node is still subscribed.
    pub valid: bool,
}
