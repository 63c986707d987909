//! A world for schedules: made once, and copied for each schedule.

use atoma_domain::journal::{Action, Actor, GasOptions, NewIntent};
use atoma_domain::model::OperatorNode;
use atoma_domain::{ComputeUnits, IntentId, NodeSmallId, PricePerMillion};

use super::audit::{Ledger, Lookups, journal, look_up};
use super::generation::{Generation, Site};
use super::request::Request;
use super::world::{CONFIDENTIAL, NODE_PRICE, NONE, SAMPLING, World, copy_folder};

/// The operator has fewer coins than nodes, so lanes wait for a coin.
const NODES: u64 = 3;
const COINS: usize = 2;

/// A world in which a set of intents can be submitted, to be copied for each schedule.
pub(crate) struct Template {
    world: World,
    site: Site,
    pub(crate) intents: Vec<NewIntent>,
    /// The last intent in the template's journal.
    pub(crate) last: IntentId,
    /// The operator's transactions so far.
    pub(crate) known: Lookups,
}

impl Template {
    pub(crate) fn make() -> Self {
        let world = World::start_on_disk();
        let site = world.operator(3, COINS);
        let generation = world.begin(&site);
        let intents = generation.run(intents(&world, &generation));
        let records = generation.run(journal(&generation));
        let ledger = generation.run(Ledger::read(&generation));
        let digests = ledger.transactions.iter().map(|t| t.digest);
        let known = generation.run(look_up(&generation, &Lookups::new(), digests));
        let last = records.iter().map(|record| record.intent.id).max();
        generation.stop();
        Self {
            world,
            site,
            intents,
            last: last.unwrap(),
            known,
        }
    }

    /// The epoch of the template.
    pub(crate) fn epoch(&self) -> u64 {
        self.world.network.epoch()
    }

    /// A copy of the network and the database.
    pub(crate) fn copy(&self) -> (World, Site) {
        let dir = tempfile::tempdir().unwrap();
        copy_folder(self.world.dir.path(), dir.path());
        let world = World::over(dir, true);
        let site = Site {
            path: world.dir.path().join("operator.sqlite"),
            url: world.network.url(),
            ..self.site.clone()
        };
        (world, site)
    }
}

/// The operator's nodes.
pub(crate) fn nodes() -> impl Iterator<Item = NodeSmallId> {
    (1..=NODES).map(NodeSmallId::new)
}

fn after(node: NodeSmallId) -> NodeSmallId {
    NodeSmallId::new(node.get() % NODES + 1)
}

/// Fifty intents, of every kind that a node can have, by all three nodes.
async fn intents(world: &World, generation: &Generation) -> Vec<NewIntent> {
    generation.catch_up().await;
    let own = generation.operator.nodes().await.unwrap();
    let actor = |node: NodeSmallId| actor(&own, node);
    let mut intents = Vec::new();
    let mut add = |action, node| {
        intents.push(NewIntent {
            action,
            actor: actor(node),
            gas: GasOptions::default(),
        });
    };
    for node in nodes() {
        let stacks = world.buy(NONE, node, 3);
        generation.record(&stacks, None).await;
        generation.settle(&stacks).await;
        for stack_small_id in stacks {
            add(Action::ClaimStack { stack_small_id }, node);
        }
    }
    world.network.advance_epoch().unwrap();
    for node in nodes() {
        let sampled = world.buy(SAMPLING, node, 4);
        world.draw(&sampled, Some(after(node)));
        generation.record(&sampled, None).await;
        let (disputed, attested) = sampled.split_first().unwrap();
        generation.record(&[*disputed], Some(after(node))).await;
        generation.settle(&sampled).await;
        add(
            Action::StartDispute {
                stack_small_id: *disputed,
            },
            after(node),
        );
        for stack_small_id in attested.iter().copied() {
            let allow_dispute = false;
            let action = Action::AttestSettlement {
                stack_small_id,
                allow_dispute,
            };
            add(action, after(node));
        }
        let mut stacks = world.buy(NONE, node, 3);
        stacks.extend(world.buy(SAMPLING, node, 2));
        generation.record(&stacks, None).await;
        let stacks = stacks.into_iter().skip(usize::from(node.get() == 1));
        for (number, stack_small_id) in (0..).zip(stacks) {
            // Alternately the recorded units, and a number that the request gives, different for
            // each stack.
            let requested = ComputeUnits::new(500 + stack_small_id.get());
            let num_claimed_compute_units = (number % 2 == 0).then_some(requested);
            add(
                Action::SettleStack {
                    stack_small_id,
                    num_claimed_compute_units,
                },
                node,
            );
        }
        for stack_small_id in world.buy(CONFIDENTIAL, node, 2) {
            let num_claimed_compute_units = Some(ComputeUnits::new(700 + stack_small_id.get()));
            add(
                Action::ClaimConfidentialStack {
                    stack_small_id,
                    num_claimed_compute_units,
                },
                node,
            );
        }
        subscriptions(world, generation, node, &mut add).await;
    }
    assert_eq!(intents.len(), 50);
    intents
}

async fn subscriptions(
    world: &World,
    generation: &Generation,
    node: NodeSmallId,
    add: &mut impl FnMut(Action, NodeSmallId),
) {
    let [new, repriced, left] = [(); 3].map(|()| world.new_task(0));
    generation.catch_up().await;
    for task in [repriced, left] {
        let subscribe = Request::Subscribe(task, NODE_PRICE);
        assert_eq!(subscribe.send(&generation.operator, node).await, [Ok(())]);
    }
    let price = PricePerMillion::new(4 + node.get());
    add(
        Action::SubscribeToTask {
            task_small_id: new,
            price,
        },
        node,
    );
    add(
        Action::UpdateSubscription {
            task_small_id: repriced,
            price,
        },
        node,
    );
    add(
        Action::UnsubscribeFromTask {
            task_small_id: left,
        },
        node,
    );
}

fn actor(own: &[OperatorNode], node: NodeSmallId) -> Actor {
    let node = own.iter().find(|own| own.node_small_id == node).unwrap();
    Actor::Node {
        node_small_id: node.node_small_id,
        node_badge_id: node.node_badge_id,
        address: node.address,
    }
}
