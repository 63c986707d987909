//! Tasks: created by the manager, deprecated and removed by their badge's owner or the manager.

use atoma_domain::events::{TaskDeprecation, TaskRegistered, TaskRemoved};
use atoma_domain::{Epoch, NodeSmallId, ObjectId, SecurityLevel, TaskRole as Role, TaskSmallId};
use sui_sdk_types::Owner;

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::{Task, TaskBadge};
use crate::vm::{AsciiString, MoveError, Table, TableVec};

/// The highest role: training.
const LAST_ROLE: u16 = 7;
/// The highest reputation.
const MAX_REPUTATION_SCORE: u8 = 100;
/// The epochs after deprecation until the badge's owner can remove a task.
const EPOCHS_BEFORE_REMOVAL: u64 = 1;
/// The epochs after deprecation until the manager can remove a task.
const EPOCHS_BEFORE_REMOVAL_BY_ADMIN: u64 = 2;

/// The arguments of `create_task_entry`.
pub(super) struct TaskArguments {
    pub(super) role: u16,
    pub(super) model_name: Option<AsciiString>,
    pub(super) security_level: Option<u16>,
    pub(super) minimum_reputation_score: Option<u8>,
    pub(super) is_public: bool,
}

impl Db<'_, '_> {
    /// `create_task_entry`: creates a task and sends its badge to the sender.
    pub(super) fn create_task(&mut self, new: TaskArguments) -> Result<(), MoveError> {
        const HERE: &str = "create_task";
        let level = new.security_level.unwrap_or(SecurityLevel::NONE.get());
        self.ensure(new.role <= LAST_ROLE, AbortCode::InvalidTaskRole, HERE)?;
        let known = level <= SecurityLevel::SAMPLING_CONSENSUS.get();
        self.ensure(known, AbortCode::InvalidSecurityLevel, HERE)?;
        let minimum = new.minimum_reputation_score.unwrap_or(0);
        let reachable = minimum <= MAX_REPUTATION_SCORE;
        self.ensure(reachable, AbortCode::InvalidMinimumReputationScore, HERE)?;

        let small_id = self.state.next_task_small_id;
        let next = self.number(small_id.get().checked_add(1), HERE)?;
        self.state.next_task_small_id = TaskSmallId::new(next);
        let task = Task {
            id: self.vm.fresh_id(),
            role: new.role,
            model_name: new.model_name.clone(),
            is_deprecated: false,
            deprecated_at_epoch: None,
            security_level: level,
            subscribed_nodes: Table::new(self.vm),
            subscribed_nodes_small_ids: TableVec::new(self.vm),
            minimum_reputation_score: minimum,
            is_public: new.is_public,
            whitelisted_nodes: Vec::new(),
        };
        self.state
            .tasks
            .add(self.vm, self.package, &small_id, &task)?;

        let badge = TaskBadge {
            id: self.vm.fresh_id(),
            small_id,
        };
        self.emit(TaskRegistered {
            task_id: badge.id,
            task_small_id: small_id,
            role: Role::new(new.role),
            model_name: new.model_name.map(|name| name.0),
            security_level: SecurityLevel::new(level),
            minimum_reputation_score: new.minimum_reputation_score,
        })?;
        let owner = Owner::Address(self.context.sender);
        self.vm.create_object(self.package, &badge, owner)?;
        Ok(())
    }

    /// `deprecate_task`: subscriptions can no longer change, but stacks can still be bought.
    pub(super) fn deprecate_task(&mut self, badge: &ObjectId) -> Result<(), MoveError> {
        const HERE: &str = "deprecate_task";
        let task_small_id = self.task_badge(badge)?;
        let known = self.has_task(task_small_id)?;
        self.ensure(known, AbortCode::TaskNotFound, HERE)?;
        let mut task = self.task_mut(task_small_id)?;
        self.ensure(!task.is_deprecated, AbortCode::TaskAlreadyDeprecated, HERE)?;
        task.is_deprecated = true;
        task.deprecated_at_epoch = Some(self.context.epoch);
        self.vm.write_object(&task)?;
        self.emit(TaskDeprecation {
            task_id: task.id,
            task_small_id,
            epoch: Epoch::new(self.context.epoch),
        })
    }

    /// `remove_deprecated_task`: deletes the task and its badge.
    pub(super) fn remove_task(&mut self, badge: &ObjectId) -> Result<(), MoveError> {
        let task_small_id = self.task_badge(badge)?;
        let task = self.take_task(
            task_small_id,
            EPOCHS_BEFORE_REMOVAL,
            "remove_deprecated_task",
        )?;
        self.vm.delete(badge)?;
        self.emit(TaskRemoved {
            task_id: task.id,
            task_small_id,
            removed_at_epoch: Epoch::new(self.context.epoch),
        })
    }

    /// `remove_deprecated_task_by_admin`: deletes the task without a badge and without an event.
    pub(super) fn remove_task_by_admin(&mut self, task: TaskSmallId) -> Result<(), MoveError> {
        self.take_task(
            task,
            EPOCHS_BEFORE_REMOVAL_BY_ADMIN,
            "remove_deprecated_task_by_admin",
        )?;
        Ok(())
    }

    /// `whitelist_nodes_for_task`: allows nodes to subscribe to a private task.
    pub(super) fn whitelist_nodes(
        &mut self,
        task_small_id: TaskSmallId,
        nodes: Vec<NodeSmallId>,
    ) -> Result<(), MoveError> {
        const HERE: &str = "whitelist_nodes_for_task";
        let known = self.has_task(task_small_id)?;
        self.ensure(known, AbortCode::TaskNotFound, HERE)?;
        let mut task = self.task_mut(task_small_id)?;
        self.ensure(!task.is_public, AbortCode::TaskIsPublic, HERE)?;
        for node in nodes {
            if !task.whitelisted_nodes.contains(&node) {
                task.whitelisted_nodes.push(node);
            }
        }
        self.vm.write_object(&task)
    }

    /// Removes a task that was deprecated long enough ago. The entries of its tables remain but are
    /// unreachable, because dropping a table does not delete them.
    fn take_task(
        &mut self,
        task_small_id: TaskSmallId,
        epochs_to_wait: u64,
        function: &'static str,
    ) -> Result<Task, MoveError> {
        let known = self.has_task(task_small_id)?;
        self.ensure(known, AbortCode::TaskNotFound, function)?;
        let task = self.task(task_small_id)?;
        self.ensure(task.is_deprecated, AbortCode::TaskNotDeprecated, function)?;
        let removable = task
            .deprecated_at_epoch
            .and_then(|epoch| epoch.checked_add(epochs_to_wait));
        let removable = self.number(removable, function)?;
        self.ensure(
            self.context.epoch >= removable,
            AbortCode::NotEnoughEpochsPassed,
            function,
        )?;
        self.state
            .tasks
            .remove(self.vm, self.package, &task_small_id)
    }

    fn task_badge(&mut self, badge: &ObjectId) -> Result<TaskSmallId, MoveError> {
        Ok(self.vm.read_object::<TaskBadge>(badge)?.small_id)
    }
}
