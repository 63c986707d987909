//! Subscriptions of nodes to tasks.

use atoma_domain::events::{
    NodeSubscribedToTask, NodeSubscriptionUpdated, NodeUnsubscribedFromTask,
};
use atoma_domain::{ComputeUnits, ObjectId, PricePerMillion, TaskSmallId};

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::NodePriceData;
use crate::vm::{FieldAddress, MoveError};

/// The largest stack that a node accepts, in compute units.
const MAX_NUM_COMPUTE_UNITS: u64 = 1_000_000;

impl Db<'_, '_> {
    /// `subscribe_node_to_task`.
    pub(super) fn subscribe(
        &mut self,
        badge: &ObjectId,
        task_small_id: TaskSmallId,
        price: u64,
    ) -> Result<(), MoveError> {
        const HERE: &str = "subscribe_node_to_task";
        let known = self.has_task(task_small_id)?;
        self.ensure(known, AbortCode::TaskNotFound, HERE)?;
        let node = self.badge(badge)?;
        let mut task = self.task_mut(task_small_id)?;
        let qualifies = self.node(node)?.reputation_score >= task.minimum_reputation_score;
        self.ensure(qualifies, AbortCode::NodeDoesNotMeetTaskRequirements, HERE)?;
        let allowed = task.is_public || task.whitelisted_nodes.contains(&node);
        self.ensure(allowed, AbortCode::NodeNotWhitelistedForTask, HERE)?;
        self.ensure(!task.is_deprecated, AbortCode::TaskDeprecated, HERE)?;
        let mark = self.subscription_mark(badge, task_small_id)?;
        let subscribed = mark.exists(self.vm)?;
        self.ensure(!subscribed, AbortCode::NodeAlreadySubscribedToTask, HERE)?;
        self.ensure(price > 0, AbortCode::InvalidPricePerComputeUnit, HERE)?;

        let offer = NodePriceData {
            price_per_one_million_compute_units: price,
            max_num_compute_units: MAX_NUM_COMPUTE_UNITS,
        };
        task.subscribed_nodes
            .add(self.vm, self.package, &node, &offer)?;
        task.subscribed_nodes_small_ids
            .push_back(self.vm, self.package, &node)?;
        self.vm.write_object(&task)?;
        mark.add(self.vm, &true)?;
        self.emit(NodeSubscribedToTask {
            task_small_id,
            node_small_id: node,
            price_per_one_million_compute_units: PricePerMillion::new(price),
            max_num_compute_units: ComputeUnits::new(MAX_NUM_COMPUTE_UNITS),
        })
    }

    /// `update_node_subscription`: sets the price for future purchases.
    pub(super) fn update_subscription(
        &mut self,
        badge: &ObjectId,
        task_small_id: TaskSmallId,
        price: u64,
    ) -> Result<(), MoveError> {
        const HERE: &str = "update_node_subscription";
        self.ensure(price > 0, AbortCode::InvalidPricePerComputeUnit, HERE)?;
        let known = self.has_task(task_small_id)?;
        self.ensure(known, AbortCode::TaskNotFound, HERE)?;
        let node = self.badge(badge)?;
        let subscribed = self
            .subscription_mark(badge, task_small_id)?
            .exists(self.vm)?;
        self.ensure(subscribed, AbortCode::NodeNotSubscribedToTask, HERE)?;
        let task = self.task_mut(task_small_id)?;
        self.ensure(!task.is_deprecated, AbortCode::TaskDeprecated, HERE)?;

        let mut offer = task
            .subscribed_nodes
            .borrow_mut(self.vm, self.package, &node)?;
        offer.price_per_one_million_compute_units = price;
        offer.max_num_compute_units = MAX_NUM_COMPUTE_UNITS;
        task.subscribed_nodes
            .set(self.vm, self.package, &node, &offer)?;
        self.emit(NodeSubscriptionUpdated {
            node_small_id: node,
            task_small_id,
            price_per_one_million_compute_units: PricePerMillion::new(price),
            max_num_compute_units: ComputeUnits::new(MAX_NUM_COMPUTE_UNITS),
        })
    }

    /// `unsubscribe_node_from_task`. The node's entry in the list of subscribers stays until the
    /// next purchase removes it.
    pub(super) fn unsubscribe(
        &mut self,
        badge: &ObjectId,
        task_small_id: TaskSmallId,
    ) -> Result<(), MoveError> {
        const HERE: &str = "unsubscribe_node_from_task";
        let known = self.has_task(task_small_id)?;
        self.ensure(known, AbortCode::TaskNotFound, HERE)?;
        let node = self.badge(badge)?;
        let mark = self.subscription_mark(badge, task_small_id)?;
        let subscribed = mark.exists(self.vm)?;
        self.ensure(subscribed, AbortCode::NodeNotSubscribedToTask, HERE)?;
        mark.remove::<bool>(self.vm)?;
        let mut task = self.task_mut(task_small_id)?;
        self.ensure(!task.is_deprecated, AbortCode::TaskDeprecated, HERE)?;

        task.subscribed_nodes.remove(self.vm, self.package, &node)?;
        self.vm.write_object(&task)?;
        self.emit(NodeUnsubscribedFromTask {
            task_small_id,
            node_small_id: node,
        })
    }

    /// The dynamic field of the badge that records the subscription.
    fn subscription_mark(
        &self,
        badge: &ObjectId,
        task: TaskSmallId,
    ) -> Result<FieldAddress, MoveError> {
        FieldAddress::of_value::<TaskSmallId, bool>(self.package, *badge, &task)
    }
}
