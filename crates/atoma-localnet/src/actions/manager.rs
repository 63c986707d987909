//! What the contract's manager does: tasks, models and parameters.

use atoma_domain::events::ContractEvent;
use atoma_domain::{NodeSmallId, ObjectId, TaskSmallId};

use super::perform::ActionError;
use super::requests::{NewModel, NewTask, Parameters};
use crate::action_builder::{ActionArgument, ActionBuilder};
use crate::core::NetworkCore;

impl NetworkCore {
    pub(crate) fn create_task(&self, task: &NewTask) -> Result<TaskSmallId, ActionError> {
        let mut builder = ActionBuilder::default();
        let arguments = vec![
            ActionArgument::Implied,
            ActionArgument::Object(self.manager_badge()?),
            ActionArgument::pure(&task.role)?,
            ActionArgument::pure(&task.model_name)?,
            ActionArgument::pure(&Some(task.security_level))?,
            ActionArgument::pure(&task.minimum_reputation_score)?,
            ActionArgument::pure(&task.is_public)?,
        ];
        builder.call(self, "create_task_entry", arguments)?;
        self.act(&self.accounts.manager, builder, None)?
            .iter()
            .find_map(|event| match event {
                ContractEvent::TaskRegistered(event) => Some(event.task_small_id),
                _ => None,
            })
            .ok_or_else(|| ActionError::Missing("the transaction created no task".to_owned()))
    }

    /// Adds a model and its echelons in one transaction. Nothing is bought through them, so their
    /// fees are the lowest that the contract allows.
    pub(crate) fn create_model(&self, model: &NewModel) -> Result<(), ActionError> {
        const LOWEST: u64 = 1;
        let badge = self.manager_badge()?;
        let name = &model.model_name;
        let mut builder = ActionBuilder::default();
        let arguments = vec![
            ActionArgument::Implied,
            ActionArgument::Object(badge),
            ActionArgument::pure(name)?,
            ActionArgument::pure(&model.modality)?,
        ];
        builder.call(self, "add_model_entry", arguments)?;
        for echelon in &model.echelon_ids {
            let mut arguments = vec![ActionArgument::Implied, ActionArgument::Object(badge)];
            arguments.extend([ActionArgument::pure(name)?, ActionArgument::pure(echelon)?]);
            // Input fee, output fee, relative performance.
            arguments.extend(
                [LOWEST; 3]
                    .iter()
                    .map(ActionArgument::pure)
                    .collect::<Result<Vec<_>, _>>()?,
            );
            builder.call(self, "add_model_echelon_entry", arguments)?;
        }
        self.act(&self.accounts.manager, builder, None).map(|_| ())
    }

    pub(crate) fn set_parameters(&self, parameters: &Parameters) -> Result<(), ActionError> {
        let settings = [
            (
                "set_cross_validation_probability_permille",
                parameters.cross_validation_probability_permille,
            ),
            (
                "set_cross_validation_extra_nodes_count",
                parameters.cross_validation_extra_nodes_count,
            ),
            (
                "set_sampling_consensus_charge_permille",
                parameters.sampling_consensus_charge_permille,
            ),
            (
                "set_cross_validation_extra_nodes_charge_permille",
                parameters.cross_validation_extra_nodes_charge_permille,
            ),
            (
                "set_permille_to_slash_node_on_timeout",
                parameters.permille_to_slash_node_on_timeout,
            ),
        ];
        let badge = self.manager_badge()?;
        let mut builder = ActionBuilder::default();
        for (function, value) in settings {
            if let Some(value) = value {
                let arguments = vec![
                    ActionArgument::Implied,
                    ActionArgument::Object(badge),
                    ActionArgument::pure(&value)?,
                ];
                builder.call(self, function, arguments)?;
            }
        }
        if builder.commands.is_empty() {
            return Ok(());
        }
        self.act(&self.accounts.manager, builder, None).map(|_| ())
    }

    /// `new_network_key_rotation`: asks the nodes to rotate their keys. Returns the new counter.
    pub(crate) fn rotate_network_key(&self) -> Result<u64, ActionError> {
        let arguments = vec![
            ActionArgument::Implied,
            ActionArgument::Object(self.manager_badge()?),
            ActionArgument::Implied,
        ];
        self.call(
            &self.accounts.manager,
            "new_network_key_rotation",
            arguments,
        )?
        .iter()
        .find_map(|event| match event {
            ContractEvent::NewKeyRotation(event) => Some(event.key_rotation_counter),
            _ => None,
        })
        .ok_or_else(|| ActionError::Missing("the transaction rotated no key".to_owned()))
    }

    /// `whitelist_nodes_for_task`.
    pub(crate) fn whitelist_nodes(
        &self,
        task: TaskSmallId,
        nodes: &[NodeSmallId],
    ) -> Result<(), ActionError> {
        let arguments = vec![
            ActionArgument::Implied,
            ActionArgument::Object(self.manager_badge()?),
            ActionArgument::pure(&task)?,
            ActionArgument::pure(&nodes)?,
        ];
        self.call(
            &self.accounts.manager,
            "whitelist_nodes_for_task",
            arguments,
        )
        .map(|_| ())
    }

    /// `deprecate_task`, for a task that the manager created.
    pub(crate) fn deprecate_task(&self, task: TaskSmallId) -> Result<(), ActionError> {
        let arguments = vec![
            ActionArgument::Implied,
            ActionArgument::Object(self.task_badge(task)?),
        ];
        self.call(&self.accounts.manager, "deprecate_task", arguments)
            .map(|_| ())
    }

    /// `remove_deprecated_task` with the task's badge, or `remove_deprecated_task_by_admin`, which
    /// emits no event.
    pub(crate) fn remove_task(&self, task: TaskSmallId, as_admin: bool) -> Result<(), ActionError> {
        let (function, arguments) = if as_admin {
            let badge = ActionArgument::Object(self.manager_badge()?);
            let arguments = vec![ActionArgument::Implied, badge, ActionArgument::pure(&task)?];
            ("remove_deprecated_task_by_admin", arguments)
        } else {
            let badge = ActionArgument::Object(self.task_badge(task)?);
            (
                "remove_deprecated_task",
                vec![ActionArgument::Implied, badge],
            )
        };
        self.call(&self.accounts.manager, function, arguments)
            .map(|_| ())
    }

    /// `enable_model` or `disable_model`.
    pub(crate) fn set_model_enabled(&self, name: &str, enabled: bool) -> Result<(), ActionError> {
        let function = if enabled {
            "enable_model"
        } else {
            "disable_model"
        };
        let arguments = vec![
            ActionArgument::Implied,
            ActionArgument::Object(self.manager_badge()?),
            ActionArgument::pure(&name)?,
        ];
        self.call(&self.accounts.manager, function, arguments)
            .map(|_| ())
    }

    /// `enable_registration` or `disable_registration`, of new nodes.
    pub(crate) fn set_registration_enabled(&self, enabled: bool) -> Result<(), ActionError> {
        let function = if enabled {
            "enable_registration"
        } else {
            "disable_registration"
        };
        let badge = ActionArgument::Object(self.manager_badge()?);
        self.call(
            &self.accounts.manager,
            function,
            vec![ActionArgument::Implied, badge],
        )
        .map(|_| ())
    }

    fn manager_badge(&self) -> Result<ObjectId, ActionError> {
        self.owned_struct(&self.accounts.manager.address, "AtomaManagerBadge", |_| {
            true
        })
        .ok_or_else(|| ActionError::Missing("the manager has no badge".to_owned()))
    }

    fn task_badge(&self, task: TaskSmallId) -> Result<ObjectId, ActionError> {
        let is_wanted = |contents: &[u8]| {
            bcs::from_bytes(contents)
                .is_ok_and(|(_, small_id): (ObjectId, TaskSmallId)| small_id == task)
        };
        self.owned_struct(&self.accounts.manager.address, "TaskBadge", is_wanted)
            .ok_or_else(|| ActionError::Missing(format!("the manager has no badge of task {task}")))
    }
}
