//! Tasks and subscriptions.

use atoma_domain::model::{Subscription, Task};
use atoma_domain::{
    ComputeUnits, Epoch, NodeSmallId, ObjectId, PricePerMillion, SecurityLevel, TaskRole,
    TaskSmallId,
};
use serde::Serialize;

/// A task.
#[derive(Debug, Serialize)]
pub(crate) struct TaskView {
    task_small_id: TaskSmallId,
    task_id: ObjectId,
    role: TaskRole,
    model_name: Option<String>,
    is_deprecated: bool,
    /// Always `null`: this revision of the contract has no such limit.
    valid_until_epoch: Option<Epoch>,
    deprecated_at_epoch: Option<Epoch>,
    removed_at_epoch: Option<Epoch>,
    security_level: SecurityLevel,
    minimum_reputation_score: Option<u8>,
}

impl From<Task> for TaskView {
    fn from(task: Task) -> Self {
        Self {
            is_deprecated: task.is_deprecated(),
            task_small_id: task.task_small_id,
            task_id: task.task_id,
            role: task.role,
            model_name: task.model_name,
            valid_until_epoch: None,
            deprecated_at_epoch: task.deprecated_at_epoch,
            removed_at_epoch: task.removed_at_epoch,
            security_level: task.security_level,
            minimum_reputation_score: task.minimum_reputation_score,
        }
    }
}

/// A node's offer for a task.
#[derive(Debug, Serialize)]
pub(crate) struct SubscriptionView {
    node_small_id: NodeSmallId,
    task_small_id: TaskSmallId,
    price_per_compute_unit: f64,
    price_per_one_million_compute_units: PricePerMillion,
    max_num_compute_units: ComputeUnits,
    valid: bool,
}

impl From<Subscription> for SubscriptionView {
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "a convenience; the exact price is in the next field"
    )]
    fn from(offer: Subscription) -> Self {
        Self {
            node_small_id: offer.node_small_id,
            task_small_id: offer.task_small_id,
            price_per_compute_unit: offer.price_per_one_million_compute_units.get() as f64
                / 1_000_000.0,
            price_per_one_million_compute_units: offer.price_per_one_million_compute_units,
            max_num_compute_units: offer.max_num_compute_units,
            valid: offer.valid,
        }
    }
}
