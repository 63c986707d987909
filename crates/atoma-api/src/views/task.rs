//! Tasks and subscriptions.

use atoma_api_types::{SubscriptionView, TaskView};
use atoma_domain::model::{Subscription, Task};

/// A task.
pub(crate) fn task_view(task: Task) -> TaskView {
    TaskView {
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

/// A node's offer for a task.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a convenience; the exact price is in the next field"
)]
pub(crate) fn subscription_view(offer: Subscription) -> SubscriptionView {
    SubscriptionView {
        node_small_id: offer.node_small_id,
        task_small_id: offer.task_small_id,
        price_per_compute_unit: offer.price_per_one_million_compute_units.get() as f64
            / 1_000_000.0,
        price_per_one_million_compute_units: offer.price_per_one_million_compute_units,
        max_num_compute_units: offer.max_num_compute_units,
        valid: offer.valid,
    }
}
