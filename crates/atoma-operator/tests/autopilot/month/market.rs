//! What happens to the operators: purchases, requests, tasks that end, networks that fail.

use std::collections::BTreeMap;

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use atoma_localnet::{Fault, FaultKind};
use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};

use super::others::Others;
use crate::site::Site;
use crate::world::{UNITS, World};

/// How large a month is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Nodes of each operator.
    pub(super) nodes: usize,
    pub(super) epochs: u64,
    /// In how many of them stacks are bought. The rest is for what is still to be paid.
    pub(super) buying: u64,
    /// Stacks bought in an hour.
    stacks_per_hour: u64,
}

impl Size {
    pub(super) const SMALL: Self = Self {
        nodes: 3,
        epochs: 7,
        buying: 3,
        stacks_per_hour: 1,
    };
    pub(super) const FULL: Self = Self {
        nodes: 20,
        epochs: 30,
        buying: 26,
        stacks_per_hour: 8,
    };
}

/// The buyers, and everything that nobody controls.
pub(super) struct Market {
    rng: StdRng,
    size: Size,
    tasks: Vec<TaskSmallId>,
    /// One that ends during the month.
    ending: TaskSmallId,
    /// The messages that a stack's selected node has recorded: their units and seeds.
    pub(super) served: BTreeMap<StackSmallId, Vec<(u64, u64)>>,
    /// The stacks of the operator under test that are in use.
    in_use: Vec<(StackSmallId, NodeSmallId, u64)>,
    /// Attestations for which the requests are not run again at once: by stack and node, in how many hours.
    reruns: BTreeMap<(StackSmallId, NodeSmallId), Option<u64>>,
    pub(super) bought: u64,
    /// A node of the other operator whose later stacks nobody uses.
    idle_node: NodeSmallId,
}

impl Market {
    pub(super) fn new(world: &World, seed: u64, size: Size) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            size,
            tasks: [0, 1, 2, 2].map(|level| world.task(level)).to_vec(),
            ending: world.task(0),
            served: BTreeMap::new(),
            in_use: Vec::new(),
            reruns: BTreeMap::new(),
            bought: 0,
            idle_node: NodeSmallId::new(1),
        }
    }

    pub(super) fn tasks(&self) -> Vec<TaskSmallId> {
        self.tasks.iter().copied().chain([self.ending]).collect()
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.rng.random_range(0..times) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.random_range(0..from.len())]
    }

    /// Stacks are bought, and those of both operators are used.
    pub(super) async fn trade(&mut self, world: &World, site: &mut Site, other: &mut Site) {
        for _ in 0..self.size.stacks_per_hour {
            let is_others = self.once_in(4);
            let nodes = if is_others { &other.nodes } else { &site.nodes };
            let node = self.pick(nodes);
            let tasks = self.tasks();
            let task = self.pick(&tasks);
            let stack = world.buy(task, node, 1)[0];
            self.bought += 1;
            if is_others {
                other.mirrored(world).await;
                let units = self.rng.random_range(1..=UNITS);
                self.serve(other, stack, node, units).await;
            } else {
                // One in eight is hardly used.
                let wanted = match self.once_in(8) {
                    true => self.rng.random_range(0..UNITS / 2),
                    false => UNITS,
                };
                self.in_use.push((stack, node, wanted));
            }
        }
        site.mirrored(world).await;
        for (stack, node, left) in std::mem::take(&mut self.in_use) {
            let units = self.rng.random_range(1..=UNITS / 2).min(left);
            if units > 0 {
                self.serve(site, stack, node, units).await;
            }
            let has_room = site
                .operator()
                .ports()
                .state
                .stacks_by_id(&[stack])
                .await
                .unwrap();
            let is_open = has_room.iter().all(|stack| !stack.is_frozen);
            if left > units && is_open {
                self.in_use.push((stack, node, left - units));
            }
        }
    }

    async fn serve(&mut self, site: &Site, stack: StackSmallId, node: NodeSmallId, units: u64) {
        let seed = self.rng.next_u64();
        // What is in settlement serves no more.
        if site.try_serve(stack, node, units, seed).await.is_ok() {
            self.served.entry(stack).or_default().push((units, seed));
        }
    }

    /// The network has its moments.
    pub(super) fn trouble(&mut self, world: &World) {
        const KINDS: [FaultKind; 6] = [
            FaultKind::ExecuteLostBefore,
            FaultKind::ExecuteLostAfter,
            FaultKind::Unavailable,
            FaultKind::StaleObjects,
            FaultKind::EventsCut,
            FaultKind::Congestion,
        ];
        if self.once_in(3) {
            let kind = self.pick(&KINDS);
            world.network.inject_fault(Fault {
                kind,
                count: self.rng.random_range(1..=3),
                ms: 1,
                checkpoints: 1,
            });
        }
    }

    /// The autopilot looks, and a person resumes it if it has paused.
    pub(super) async fn pilot(&mut self, world: &World, site: &mut Site) {
        for _ in 0..2 {
            site.mirrored(world).await;
            // It may not be able to look, while the Sui node is unavailable.
            let _ = site.run.step().await;
            site.run.settled().await;
        }
        if site.autopilot.status().await.unwrap().pause.is_some() {
            site.autopilot.resume().await.unwrap();
        }
    }

    /// The operator's inference side runs the requests of others' stacks again, mostly at once.
    pub(super) async fn rerun_requests(&mut self, world: &World, site: &mut Site, others: &Others) {
        site.mirrored(world).await;
        let _ = others;
        let due = crate::site::missing_records(site).await;
        for key in due {
            if !self.reruns.contains_key(&key) {
                let delay = match self.rng.random_range(0..10) {
                    0 => Some(3),
                    1 => None,
                    _ => Some(0),
                };
                self.reruns.insert(key, delay);
            }
        }
        let mut ready = Vec::new();
        for (key, delay) in &mut self.reruns {
            match delay {
                Some(0) => {
                    ready.push(*key);
                    *delay = None;
                }
                Some(hours) => *hours -= 1,
                None => {}
            }
        }
        for (stack, node) in ready {
            for (units, seed) in self.served.get(&stack).cloned().unwrap_or_default() {
                site.serve(stack, node, units, seed).await;
            }
        }
    }

    pub(super) fn end_epoch(&mut self, world: &World, epoch: u64) {
        if epoch == self.size.buying / 2 {
            world.network.deprecate_task(self.ending).unwrap();
        }
        if epoch >= self.size.buying {
            // Attesters are paid more than the buyers paid, so the treasury depends on purchases that are not used.
            self.fill_treasury(world);
        }
        world.end_epoch();
    }

    fn fill_treasury(&mut self, world: &World) {
        let (task, node) = (self.tasks[0], self.idle_node);
        world.buy(task, node, 50 * self.size.stacks_per_hour);
    }

    /// Whether the daemon is restarted now.
    pub(super) fn restarts(&mut self) -> bool {
        self.once_in(5)
    }
}
