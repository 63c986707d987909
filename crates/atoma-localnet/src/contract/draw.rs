//! Which nodes a purchase selects and a settlement draws.

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::{NodePriceData, Stack};
use crate::vm::{Generator, MoveError};

impl Db<'_, '_> {
    /// Selects the node for a new stack, each eligible entry of the task's list with the same
    /// chance (`sample_node_for_stack`). Entries of nodes that have unsubscribed are swept out of
    /// the list on the way.
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

    /// Decides by the configured probability whether the settlement of a sampling-consensus stack
    /// is attested, and by whom.
    pub(super) fn draw_attesters(
        &mut self,
        stack_small_id: StackSmallId,
        stack: &Stack,
    ) -> Result<Vec<NodeSmallId>, MoveError> {
        let mut random = self.vm.generator();
        let lot = random.below(1000) + 1;
        match self.vm.take_forced_attesters(stack_small_id) {
            Some(forced) if forced.is_empty() => Ok(forced),
            Some(mut forced) => {
                // The walk over the list aborts where the contract's does, forced or not.
                self.sample_attestation_nodes(stack, &mut random)?;
                let room = self.state.cross_validation_extra_nodes_count;
                forced.truncate(usize::try_from(room).unwrap_or(usize::MAX));
                Ok(forced)
            }
            None if lot <= self.state.cross_validation_probability_permille => {
                self.sample_attestation_nodes(stack, &mut random)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Draws as many attesters as configured, with replacement, or takes all eligible entries
    /// when they are fewer (`sample_attestation_nodes`). The selected node can be among them. An
    /// entry of a node that has unsubscribed since the last purchase aborts.
    fn sample_attestation_nodes(
        &mut self,
        stack: &Stack,
        random: &mut Generator,
    ) -> Result<Vec<NodeSmallId>, MoveError> {
        let task = self.task(stack.task_small_id)?;
        let wanted = self.state.cross_validation_extra_nodes_count;
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
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        if eligible.len() < wanted {
            return Ok(eligible);
        }
        Ok((0..wanted)
            .filter_map(|_| pick(&eligible, random))
            .collect())
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

/// One of the nodes, by a random number's remainder.
fn pick(nodes: &[NodeSmallId], random: &mut Generator) -> Option<NodeSmallId> {
    let count = u64::try_from(nodes.len()).ok().filter(|count| *count > 0)?;
    let index = usize::try_from(random.below(count)).ok()?;
    nodes.get(index).copied()
}
