//! Settling stacks.

use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::{OperatorNode, Stack, Task};
use atoma_domain::{ComputeUnits, SecurityLevel, StackSmallId};

use super::candidate::Candidate;
use super::nodes::{NodeChoice, actor, chosen_node, selected_node};
use super::operator::Operator;
use super::stack_result::StackResult;
use super::stacks::check_ids;

impl Operator {
    /// Settles stacks (`try_settle_stack`), each by its selected node. `units` are the compute units to
    /// claim for each stack; `None` claims the recorded units.
    ///
    /// # Errors
    /// When the request as a whole is invalid. The failure of a single stack is in its result.
    pub async fn settle(
        &self,
        ids: &[StackSmallId],
        units: Option<ComputeUnits>,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<StackResult>, Failure> {
        let candidates = self.settlements(ids, units, choice, gas);
        self.run_batch(candidates).await
    }

    async fn settlements(
        &self,
        ids: &[StackSmallId],
        units: Option<ComputeUnits>,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<Candidate>, Failure> {
        check_ids(ids)?;
        let nodes = self.nodes().await?;
        let chosen = chosen_node(&nodes, choice)?;
        let known = self.known_stacks(ids).await?;
        let mut candidates = Vec::with_capacity(ids.len());
        for id in ids {
            let stack_small_id = *id;
            let candidate = if let Some(stack) = known.stacks.get(id) {
                let checked = check_settlement(stack, known.task_of(stack), units);
                self.settlement(stack, checked, units, &nodes, chosen, gas)
            } else if known.settlements.contains_key(id) {
                // The stack was bought before the mirror begins.
                let failure = Failure::AlreadySettling { stack_small_id };
                Candidate::refused(stack_small_id, None, failure)
            } else {
                let failure = Failure::UnknownStack { stack_small_id };
                Candidate::refused(stack_small_id, None, failure)
            };
            candidates.push(candidate);
        }
        Ok(candidates)
    }

    fn settlement(
        &self,
        stack: &Stack,
        checked: Result<(), Failure>,
        units: Option<ComputeUnits>,
        nodes: &[OperatorNode],
        chosen: Option<OperatorNode>,
        gas: GasOptions,
    ) -> Candidate {
        let stack_small_id = stack.stack_small_id;
        let selected = stack.selected_node_id;
        let intent = match selected_node(stack_small_id, selected, nodes, chosen) {
            Ok(node) => {
                let intent = NewIntent {
                    action: Action::SettleStack {
                        stack_small_id,
                        num_claimed_compute_units: units,
                    },
                    actor: actor(node),
                    gas,
                };
                self.admit(intent, checked)
            }
            Err(failure) => Err(failure),
        };
        Candidate {
            stack_small_id,
            node_small_id: Some(selected),
            warnings: match &intent {
                Ok(_) => warnings(stack, units),
                Err(_) => Vec::new(),
            },
            intent,
        }
    }
}

/// Refuses what the contract would refuse, as far as the mirror knows.
fn check_settlement(
    stack: &Stack,
    task: Option<&Task>,
    units: Option<ComputeUnits>,
) -> Result<(), Failure> {
    let stack_small_id = stack.stack_small_id;
    let task_small_id = stack.task_small_id;
    let task = task.ok_or(Failure::UnknownTask { task_small_id })?;
    if task.security_level == SecurityLevel::CONFIDENTIAL_COMPUTE {
        return Err(Failure::NeedsNoSettlement { stack_small_id });
    }
    if task.removed_at_epoch.is_some() {
        return Err(Failure::TaskRemoved { task_small_id });
    }
    if stack.is_claimed {
        return Err(Failure::AlreadyClaimed { stack_small_id });
    }
    if stack.in_settle_period {
        return Err(Failure::AlreadySettling { stack_small_id });
    }
    match units {
        Some(units) if units > stack.num_compute_units => Err(Failure::TooManyComputeUnits {
            stack_small_id,
            num_claimed_compute_units: units,
            num_compute_units: stack.num_compute_units,
        }),
        _ => Ok(()),
    }
}

/// Warns about units that are not the recorded ones. The contract pays what is claimed and refunds the
/// rest to the buyer, so units that are left out are lost to the operator.
fn warnings(stack: &Stack, units: Option<ComputeUnits>) -> Vec<String> {
    let recorded = stack.already_computed_units;
    let Some(units) = units.filter(|units| *units != recorded) else {
        return Vec::new();
    };
    let stack = stack.stack_small_id;
    vec![if units > recorded {
        format!(
            "the settlement of stack {stack} claims {units} compute units, but only {recorded} are recorded"
        )
    } else {
        format!(
            "the settlement of stack {stack} claims only {units} of the {recorded} recorded compute units; the \
             others are refunded to the buyer"
        )
    }]
}
