//! The buyers, their requests, and everything else that nobody controls.

use std::collections::BTreeMap;

use atoma_domain::journal::GasOptions;
use atoma_domain::ports::{ChainEvents as _, Clock as _, Page, StateReader as _};
use atoma_domain::{ComputeUnits, Epoch, NodeSmallId, StackSmallId, TaskSmallId, TimestampMs};
use atoma_localnet::Purchase;

use super::plan::{ENDING, LEFT, LEVELS, Order, Plan, Size, Step, Who};
use crate::site::Site;
use crate::world::{PRICE, UNITS, World};

/// A request that is still to come: its units and its seed.
type Request = (StackSmallId, u64, u64);

/// The market of both operators.
pub(super) struct Market {
    pub(super) size: Size,
    /// In the order of [`LEVELS`].
    pub(super) tasks: Vec<TaskSmallId>,
    /// What was ordered, by stack.
    pub(super) orders: BTreeMap<StackSmallId, Order>,
    /// What was served by the selected node, by stack: units and seeds.
    pub(super) served: BTreeMap<StackSmallId, Vec<(u64, u64)>>,
    /// By the number of the step.
    to_come: BTreeMap<usize, Vec<Request>>,
    /// When the requests of a stack are to be run again for one of our nodes; `None` is never.
    reruns: BTreeMap<(StackSmallId, NodeSmallId), Option<usize>>,
    /// When they were.
    pub(super) rerun_at: BTreeMap<(StackSmallId, NodeSmallId), TimestampMs>,
    /// The units of requests to our nodes that came when the stack was closed.
    pub(super) refused: u64,
    /// The steps so far.
    pub(super) now: usize,
}

impl Market {
    pub(super) fn new(world: &World, size: Size) -> Self {
        Self {
            size,
            tasks: LEVELS.map(|level| world.task(level)).to_vec(),
            orders: BTreeMap::new(),
            served: BTreeMap::new(),
            to_come: BTreeMap::new(),
            reruns: BTreeMap::new(),
            rerun_at: BTreeMap::new(),
            refused: 0,
            now: 0,
        }
    }

    /// Stacks are bought, and those of both operators are used.
    pub(super) async fn trade(
        &mut self,
        world: &World,
        step: &Step,
        site: &mut Site,
        other: &mut Site,
    ) {
        for order in &step.orders {
            let nodes = |who| match who {
                Who::Ours => &site.nodes,
                Who::Others => &other.nodes,
            };
            let purchase = Purchase {
                task_small_id: self.tasks[order.task],
                num_compute_units: UNITS,
                price: order.price,
                count: 1,
                node_small_id: Some(nodes(order.who)[order.node]),
            };
            let stack = world.network.buy_stacks(&purchase).unwrap()[0];
            if LEVELS[order.task] == 2 {
                let drawn = order.drawn.map(|(who, place)| nodes(who)[place]);
                world
                    .network
                    .force_attesters(stack, drawn.into_iter().collect());
            }
            for (after, units, seed) in &order.requests {
                let request = (stack, *units, *seed);
                self.to_come
                    .entry(self.now + after)
                    .or_default()
                    .push(request);
            }
            self.orders.insert(stack, order.clone());
        }
        site.mirrored(world).await;
        other.mirrored(world).await;
        for (stack, units, seed) in self.to_come.remove(&self.now).unwrap_or_default() {
            let order = &self.orders[&stack];
            let selected = match order.who {
                Who::Ours => &*site,
                Who::Others => &*other,
            };
            let node = selected.nodes[order.node];
            let is_served = selected.try_serve(stack, node, units, seed).await.is_ok();
            if is_served {
                if order.is_false && order.who == Who::Others {
                    selected.try_serve(stack, node, 1, !seed).await.unwrap();
                }
                self.served.entry(stack).or_default().push((units, seed));
            } else {
                self.refused += units;
            }
        }
    }

    /// Two nodes of each operator leave a task.
    pub(super) async fn leave(&self, sites: [&Site; 2]) {
        for site in sites {
            for node in site.nodes.iter().take(2) {
                let (task, gas) = (self.tasks[LEFT], GasOptions::default());
                let left = site
                    .operator()
                    .unsubscribe_from_task(task, (*node).into(), gas);
                left.await.unwrap();
            }
        }
    }

    /// The operator's inference side runs the requests of others' stacks again, mostly at once.
    pub(super) async fn rerun_requests(&mut self, world: &World, site: &mut Site) {
        site.mirrored(world).await;
        for (stack, nodes) in attestations_due(site).await {
            for (node, has_record) in nodes {
                let delay = self.orders[&stack].rerun;
                let due = delay.map(|steps| self.now + steps);
                if !has_record {
                    self.reruns.entry((stack, node)).or_insert(due);
                }
            }
        }
        let ready = self
            .reruns
            .iter()
            .filter(|(_, due)| **due == Some(self.now));
        for (stack, node) in ready.map(|(key, _)| *key).collect::<Vec<_>>() {
            for (units, seed) in self.served.get(&stack).cloned().unwrap_or_default() {
                site.serve(stack, node, units, seed).await;
            }
            self.rerun_at.insert((stack, node), world.clock.now());
        }
    }

    /// Tasks end and are removed, and the contract's treasury is filled.
    pub(super) fn end_epoch(&mut self, world: &World, epoch: usize, other: &Site) {
        for task in ENDING {
            if Plan::deprecation(self.size, task) == Some(epoch) {
                world.network.deprecate_task(self.tasks[task]).unwrap();
            }
            if Plan::removal(self.size, task) == Some(epoch) {
                world.network.remove_task(self.tasks[task], false).unwrap();
            }
        }
        let filled = Plan::filled(self.size, epoch);
        if filled > 0 {
            // Attesters are paid more than the buyers paid, so the treasury depends on purchases that are not used.
            let stacks = u64::try_from(self.size.steps * self.size.stacks()).unwrap();
            let purchase = Purchase {
                task_small_id: self.tasks[0],
                num_compute_units: UNITS,
                price: PRICE * stacks * filled,
                count: 1,
                node_small_id: Some(other.nodes[0]),
            };
            world.network.buy_stacks(&purchase).unwrap();
        }
        world.end_epoch();
    }

    /// What the selected node has served of a stack.
    pub(super) fn units_of(&self, stack: StackSmallId) -> ComputeUnits {
        let served = self.served.get(&stack);
        ComputeUnits::new(served.map_or(0, |served| served.iter().map(|(units, _)| units).sum()))
    }

    /// Whether a stack is one of our nodes'.
    pub(super) fn is_ours(&self, stack: StackSmallId) -> bool {
        let order = self.orders.get(&stack);
        order.is_some_and(|order| order.who == Who::Ours)
    }
}

/// The settlements that a site's nodes must attest, each with the nodes and whether they have a record.
pub(super) async fn attestations_due(site: &Site) -> Vec<(StackSmallId, Vec<(NodeSmallId, bool)>)> {
    let epoch = site.state.progress().await.unwrap().epoch;
    let page = Page::first(10_000);
    let now = epoch.unwrap_or(Epoch::new(0));
    let due = site.state.due_attestations(&site.nodes, now, page).await;
    let due = due.unwrap().into_iter().map(|due| {
        let nodes = due.nodes.iter();
        let nodes = nodes.map(|node| (node.node_small_id, node.record_agrees.is_some()));
        (due.stack_small_id, nodes.collect())
    });
    due.collect()
}
