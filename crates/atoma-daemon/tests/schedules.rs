//! Random schedules of crashes and network faults, and two daemons on one key.
//!
//! `ATOMA_SCHEDULES` says how many schedules are run, `ATOMA_SCHEDULE_SEED` runs one of them alone.

mod crashing;

use std::collections::BTreeMap;

use atoma_domain::journal::{Action, Actor, GasOptions, NewIntent};
use atoma_domain::model::OperatorNode;
use atoma_domain::{ComputeUnits, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId};
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::Submission;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crashing::ask::Ask;
use crashing::audit::{Ledger, journal, journal_agrees_with_ledger};
use crashing::generation::{Generation, PATIENCE, Site};
use crashing::points::{Happening, Plan, Points, Side};
use crashing::world::{CONFIDENTIAL, NODE_PRICE, NONE, SAMPLING, World, copy_folder};

/// Schedules run when nobody says how many.
const SCHEDULES: u64 = 12;
/// Badges, side by side; the operator has fewer coins, so lanes wait for one.
const NODES: u64 = 3;
const COINS: usize = 2;

/// A world in which everything is ready for one batch of intents, to be copied for each schedule.
struct Template {
    world: World,
    site: Site,
    intents: Vec<NewIntent>,
}

impl Template {
    fn make() -> Self {
        let world = World::start_on_disk();
        let site = world.operator(3, COINS);
        let generation = world.begin(&site);
        let intents = generation.finish(intents(&world, &generation));
        generation.stop();
        Self {
            world,
            site,
            intents,
        }
    }

    /// A network and a database as they were when the template was made.
    fn copy(&self) -> (World, Site) {
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

fn nodes() -> impl Iterator<Item = NodeSmallId> {
    (1..=NODES).map(NodeSmallId::new)
}

fn after(node: NodeSmallId) -> NodeSmallId {
    NodeSmallId::new(node.get() % NODES + 1)
}

/// Fifty intents of every kind that a node can have, by all three nodes.
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
        for stack_small_id in stacks.into_iter().skip(usize::from(node.get() == 1)) {
            let num_claimed_compute_units = None;
            add(
                Action::SettleStack {
                    stack_small_id,
                    num_claimed_compute_units,
                },
                node,
            );
        }
        for stack_small_id in world.buy(CONFIDENTIAL, node, 2) {
            let num_claimed_compute_units = ComputeUnits::new(900);
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
    let [new, dearer, left] = [(); 3].map(|()| world.new_task(0));
    generation.catch_up().await;
    for task in [dearer, left] {
        let subscribe = Ask::Subscribe(task, NODE_PRICE);
        assert_eq!(subscribe.make(&generation.operator, node).await, [Ok(())]);
    }
    let price = PricePerMillion::new(4);
    add(
        Action::SubscribeToTask {
            task_small_id: new,
            price,
        },
        node,
    );
    add(
        Action::UpdateSubscription {
            task_small_id: dearer,
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

/// What happens to one generation of a schedule.
fn plan(rng: &mut StdRng, crash: bool) -> Plan {
    let mut plan = Plan::new();
    let mut at = |rng: &mut StdRng, happening| {
        let side = if rng.random() {
            Side::Before
        } else {
            Side::After
        };
        let number = rng.random_range(1..=90);
        plan.entry((number, side))
            .or_insert_with(Vec::new)
            .push(happening);
    };
    for _ in 0..rng.random_range(0..=6) {
        let kinds = [
            FaultKind::ExecuteLostBefore,
            FaultKind::ExecuteLostAfter,
            FaultKind::Unavailable,
            FaultKind::StaleObjects,
            FaultKind::Congestion,
        ];
        let fault = Fault {
            count: rng.random_range(1..=2),
            ..Fault::once(kinds[rng.random_range(0..kinds.len())])
        };
        at(rng, Happening::Fault(fault));
    }
    if rng.random_bool(0.2) {
        at(rng, Happening::EndEpoch);
    }
    if crash {
        at(rng, Happening::Crash);
    }
    plan
}

/// What schedules came to, all in all.
#[derive(Debug, Default)]
struct Tally {
    crashes: usize,
    succeeded: usize,
    failed: BTreeMap<String, usize>,
}

fn run_schedule(template: &Template, seed: u64, tally: &mut Tally) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (world, site) = template.copy();
    let mut intents = template.intents.clone();
    intents.shuffle(&mut rng);
    let mut batches: Vec<Vec<NewIntent>> = Vec::new();
    while !intents.is_empty() {
        let rest = intents.split_off(rng.random_range(1..=intents.len()));
        batches.push(std::mem::replace(&mut intents, rest));
    }
    for left in (0..=rng.random_range(0..=4)).rev() {
        let generation = Generation::start(&site, Points::new(&world.network));
        generation.points.arm(plan(&mut rng, left > 0));
        let finished = generation
            .drive(work_through(&generation, &mut batches))
            .is_some();
        if !finished {
            tally.crashes += 1;
            generation.kill();
            continue;
        }
        world.network.clear_faults();
        generation.points.arm(Plan::new());
        generation.finish(settle_accounts(&generation, &world, tally));
        generation.stop();
        return;
    }
    unreachable!("the last generation is not killed");
}

/// Takes up what was left, submits what was not acknowledged yet, waits for all of it.
async fn work_through(generation: &Generation, batches: &mut Vec<Vec<NewIntent>>) {
    generation.engine.recover().await.unwrap();
    while let Some(batch) = batches.last() {
        let submissions = generation.engine.submit(batch.clone()).await.unwrap();
        for submission in submissions {
            if let Submission::Refused(failure) = submission {
                // Opened by a generation that died before it could say so.
                let (code, _) = failure.code_and_details();
                assert!(code.starts_with("already_"), "{failure:?}");
            }
        }
        batches.pop();
    }
    let open = generation.unfinished().await;
    for waited in generation.engine.wait(&open, PATIENCE).await.unwrap() {
        assert!(waited.status.is_final(), "{waited:?}");
    }
}

async fn settle_accounts(generation: &Generation, world: &World, tally: &mut Tally) {
    generation.catch_up().await;
    for node in nodes() {
        // Nothing is leased any more.
        let update = Ask::Update(TaskSmallId::new(1), PricePerMillion::new(1));
        assert_eq!(update.make(&generation.operator, node).await, [Ok(())]);
    }
    let ledger = journal_agrees_with_ledger(generation).await;
    mirror_shows(generation, world, &ledger).await;
    for record in journal(generation).await {
        match record.failure {
            None => tally.succeeded += 1,
            Some(failure) => {
                *tally
                    .failed
                    .entry(failure.code_and_details().0)
                    .or_default() += 1;
            }
        }
    }
}

/// The stacks that the chain settled are those that the daemon's own state says are settled.
async fn mirror_shows(generation: &Generation, world: &World, ledger: &Ledger) {
    generation.catch_up().await;
    let state = world.network.state().unwrap();
    for effect in ledger.effects().keys() {
        let Some(stack) = effect.strip_prefix("settle ") else {
            continue;
        };
        let id: StackSmallId = stack.parse().unwrap();
        let found = generation
            .ports
            .state
            .settlements_by_id(&[id])
            .await
            .unwrap();
        let [settlement] = &found[..] else {
            panic!("{effect}: {found:?}");
        };
        let ticket = &state["tickets"][stack];
        assert_eq!(settlement.is_claimed, ticket.is_null(), "{effect}");
        if !ticket.is_null() {
            let attested = serde_json::to_value(&settlement.attested_nodes).unwrap();
            assert_eq!(ticket["already_attested_nodes"], attested, "{effect}");
            assert_eq!(
                ticket["is_in_dispute"], settlement.is_in_dispute,
                "{effect}"
            );
        }
    }
}

#[test]
fn journal_and_chain_agree_after_any_schedule_of_crashes_and_faults() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let alone = number("ATOMA_SCHEDULE_SEED");
    let seeds = match alone {
        Some(seed) => seed..seed + 1,
        None => 0..number("ATOMA_SCHEDULES").unwrap_or(SCHEDULES),
    };
    let template = Template::make();
    let mut tally = Tally::default();
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let run = std::panic::AssertUnwindSafe(|| run_schedule(&template, seed, &mut tally));
        if let Err(panic) = std::panic::catch_unwind(run) {
            println!("run this one alone with ATOMA_SCHEDULE_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
    println!("{count} schedules: {tally:?}");
    assert!(
        alone.is_some() || tally.crashes > 0,
        "nothing was tried: {tally:?}"
    );
    assert!(tally.succeeded > 0);
}
