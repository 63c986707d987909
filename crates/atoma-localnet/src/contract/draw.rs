//! Selecting the node of a purchase, and drawing the attesters of a settlement.

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::{NodePriceData, Stack};
use crate::vm::{Generator, MoveError};

impl Db<'_, '_> {
    /// `sample_node_for_stack`: selects the node for a new stack among the eligible entries of the
    /// task's list, all with the same probability. Also removes the entries of nodes that have
    /// unsubscribed.
    pub(super) fn sample_node_for_stack(
        &mut self,
        task_small_id: TaskSmallId,
        price_cap: u64,
        num_compute_units: u64,
        random: &mut Generator,
    ) -> Result<NodeSmallId, MoveError> {
        const HERE: &str = "sample_node_for_stack";
        let mut task = self.task_mut(task_small_id)?;
        let listed = task.subscribed_nodes_small_ids.len();
        self.ensure(listed > 0, AbortCode::NoNodesSubscribedToTask, HERE)?;

        let mut eligible = Vec::new();
        let mut index = 0;
        while index < task.subscribed_nodes_small_ids.len() {
            let node = task
                .subscribed_nodes_small_ids
                .borrow(self.vm, self.package, index)?;
            if !task
                .subscribed_nodes
                .contains(self.vm, self.package, &node)?
            {
                task.subscribed_nodes_small_ids
                    .swap_remove(self.vm, self.package, index)?;
                continue;
            }
            let offer = task.subscribed_nodes.borrow(self.vm, self.package, &node)?;
            if self.is_eligible(node, &offer, price_cap, num_compute_units)? {
                eligible.push(node);
            }
            index += 1;
        }
        self.vm.write_object(&task)?;

        let selected = match self.vm.take_forced_node() {
            Some(forced) => eligible.contains(&forced).then_some(forced),
            None => pick(&eligible, random),
        };
        selected.ok_or_else(|| AbortCode::NoNodesEligibleForTask.at(self.here(HERE)))
    }

    /// Draws the attesters for the settlement of a sampling-consensus stack, with the configured
    /// probability, or none.
    pub(super) fn draw_attesters(
        &mut self,
        stack_small_id: StackSmallId,
        stack: &Stack,
    ) -> Result<Vec<NodeSmallId>, MoveError> {
        let mut random = self.vm.generator();
        let permille = random.below(1000) + 1;
        match self.vm.take_forced_attesters(stack_small_id) {
            Some(forced) if forced.is_empty() => Ok(forced),
            Some(mut forced) => {
                // A forced draw aborts under the same conditions as an ordinary one.
                self.sample_attestation_nodes(stack, &mut random)?;
                let count = self.state.cross_validation_extra_nodes_count;
                forced.truncate(usize::try_from(count).unwrap_or(usize::MAX));
                Ok(forced)
            }
            None if permille <= self.state.cross_validation_probability_permille => {
                self.sample_attestation_nodes(stack, &mut random)
            }
            None => Ok(Vec::new()),
        }
    }

    /// `sample_attestation_nodes`: draws the configured number of attesters with replacement, or
    /// takes all eligible entries if there are fewer. The selected node can be among them. An entry
    /// of a node that has unsubscribed since the last purchase causes an abort.
    fn sample_attestation_nodes(
        &mut self,
        stack: &Stack,
        random: &mut Generator,
    ) -> Result<Vec<NodeSmallId>, MoveError> {
        let task = self.task(stack.task_small_id)?;
        let count = self.state.cross_validation_extra_nodes_count;
        let mut eligible = Vec::new();
        for index in 0..task.subscribed_nodes_small_ids.len() {
            let node = task
                .subscribed_nodes_small_ids
                .borrow(self.vm, self.package, index)?;
            let offer = task.subscribed_nodes.borrow(self.vm, self.package, &node)?;
            let price_cap = stack.price_per_one_million_compute_units;
            if self.is_eligible(node, &offer, price_cap, stack.num_compute_units)? {
                eligible.push(node);
            }
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if eligible.len() < count {
            return Ok(eligible);
        }
        Ok((0..count).filter_map(|_| pick(&eligible, random)).collect())
    }

    fn is_eligible(
        &mut self,
        node: NodeSmallId,
        offer: &NodePriceData,
        price_cap: u64,
        num_compute_units: u64,
    ) -> Result<bool, MoveError> {
        Ok(offer.price_per_one_million_compute_units <= price_cap
            && offer.max_num_compute_units >= num_compute_units
            && self.has_node(node)?
            && self.node(node)?.was_disabled_in_epoch.is_none())
    }
}

/// A random node, by a random number's remainder.
fn pick(nodes: &[NodeSmallId], random: &mut Generator) -> Option<NodeSmallId> {
    let count = u64::try_from(nodes.len()).ok().filter(|count| *count > 0)?;
    let index = usize::try_from(random.below(count)).ok()?;
    nodes.get(index).copied()
}
