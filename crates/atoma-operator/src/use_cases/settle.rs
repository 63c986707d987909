//! Settling stacks.

use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::{OperatorNode, Stack};
use atoma_domain::{ComputeUnits, NodeSmallId, SecurityLevel, StackSmallId};

use super::nodes::{actor, chosen, find};
use super::stacks::{Wish, check_ids};
use super::{NodeChoice, Operator, StackResult, internal};

impl Operator {
    /// Settles stacks, each by its selected node; `units` claims that many of every one, otherwise
    /// each claims what its record says was computed.
    ///
    /// # Errors
    /// When the request as a whole can't be understood; what concerns one stack is in its result.
    pub async fn settle(
        &self,
        ids: &[StackSmallId],
        units: Option<ComputeUnits>,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<StackResult>, Failure> {
        let wishes = self.settlements(ids, units, choice, gas);
        self.run_wishes(wishes).await
    }

    async fn settlements(
        &self,
        ids: &[StackSmallId],
        units: Option<ComputeUnits>,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<Wish>, Failure> {
        check_ids(ids)?;
        let nodes = self.nodes().await?;
        let choice = chosen(&nodes, choice)?;
        let (stacks, settlements) = self.known_stacks(ids).await?;
        let mut wishes = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(stack) = stacks.get(id) else {
                let failure = if settlements.contains_key(id) {
                    Failure::AlreadySettling {
                        stack_small_id: *id,
                    }
                } else {
                    Failure::UnknownStack {
                        stack_small_id: *id,
                    }
                };
                wishes.push(Wish::refused(*id, None, failure));
                continue;
            };
            let selected = selected_node(*id, stack.selected_node_id, &nodes, choice);
            let intent = match selected {
                Ok(node) => {
                    let checked = self.check_settlement(stack, units).await;
                    self.unless_refused(settlement(stack, node, units, gas), checked)
                }
                Err(failure) => Err(failure),
            };
            wishes.push(Wish {
                stack: *id,
                node: Some(stack.selected_node_id),
                warnings: match &intent {
                    Ok(_) => warnings(stack, units),
                    Err(_) => Vec::new(),
                },
                intent,
            });
        }
        Ok(wishes)
    }

    /// What the mirror already knows to be refused.
    async fn check_settlement(
        &self,
        stack: &Stack,
        units: Option<ComputeUnits>,
    ) -> Result<(), Failure> {
        let stack_small_id = stack.stack_small_id;
        let task = self
            .ports
            .state
            .task(stack.task_small_id)
            .await
            .map_err(internal)?;
        match task {
            Some(task) if task.security_level == SecurityLevel::CONFIDENTIAL_COMPUTE => {
                return Err(Failure::NeedsNoSettlement { stack_small_id });
            }
            Some(task) if task.removed_at_epoch.is_some() => {
                return Err(Failure::TaskRemoved {
                    task_small_id: task.task_small_id,
                });
            }
            Some(_) => {}
            None => {
                return Err(Failure::UnknownTask {
                    task_small_id: stack.task_small_id,
                });
            }
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
}

const fn settlement(
    stack: &Stack,
    node: OperatorNode,
    units: Option<ComputeUnits>,
    gas: GasOptions,
) -> NewIntent {
    NewIntent {
        action: Action::SettleStack {
            stack_small_id: stack.stack_small_id,
            num_claimed_compute_units: units,
        },
        actor: actor(node),
        gas,
    }
}

fn warnings(stack: &Stack, units: Option<ComputeUnits>) -> Vec<String> {
    let beyond = units.filter(|units| *units > stack.already_computed_units);
    let warning = beyond.map(|units| {
        format!(
            "stack {} claims {units} compute units, {} are recorded",
            stack.stack_small_id, stack.already_computed_units
        )
    });
    warning.into_iter().collect()
}

/// The stack's selected node, which must be the operator's, and the one chosen if one is.
pub(super) fn selected_node(
    stack_small_id: StackSmallId,
    selected_node_id: NodeSmallId,
    nodes: &[OperatorNode],
    choice: Option<OperatorNode>,
) -> Result<OperatorNode, Failure> {
    if let Some(choice) = choice
        && choice.node_small_id != selected_node_id
    {
        return Err(Failure::NodeNotSelected {
            stack_small_id,
            node_small_id: choice.node_small_id,
            selected_node_id,
        });
    }
    find(nodes, selected_node_id)
}
