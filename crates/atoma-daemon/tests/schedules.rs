//! Random schedules of crashes and network faults, and two daemons on one key.
//!
//! `ATOMA_SCHEDULES` says how many schedules are run, `ATOMA_SCHEDULE_SEED` runs one of them alone.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod crashing;

use std::collections::BTreeMap;
use std::time::Duration;

use atoma_domain::journal::{Failure, NewIntent};
use atoma_domain::{Digest, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId};
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::Submission;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crashing::ask::Ask;
use crashing::audit::{Ledger, journal, journal_agrees_with_ledger};
use crashing::generation::Generation;
use crashing::points::{Happening, Plan, Points, Side};
use crashing::subjects::{FIRST, SECOND};
use crashing::template::{Template, nodes};
use crashing::world::{SAMPLING, World};

/// Schedules run when nobody says how many.
const SCHEDULES: u64 = 12;
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
        plan.entry((number, side)).or_default().push(happening);
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
    let (world, mut site) = template.copy();
    // Outcomes are written with the next attempt, or all of them alone.
    if rng.random_bool(0.3) {
        site.outcome_delay = Duration::ZERO;
    }
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
    generation.all_final().await;
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

/// What each of two daemons answers for each stack.
type Answers = [Vec<Result<Digest, Failure>>; 2];

/// Both daemons are asked for the same at the same time.
fn ask_both(daemons: &[Generation; 2], ask: &Ask, node: NodeSmallId) -> Answers {
    let answer = |daemon: &Generation| daemon.finish(ask.make_for_digests(&daemon.operator, node));
    let [one, other] = daemons;
    std::thread::scope(|scope| {
        let other = scope.spawn(|| answer(other));
        [answer(one), other.join().unwrap()]
    })
}

/// Each stack was done by one transaction. Both daemons may come to the very same bytes and then
/// both name it; else one did it, and the other says why it did not.
fn assert_one_winner_each(answers: &Answers, stacks: usize) {
    let [one, other] = answers;
    assert_eq!((one.len(), other.len()), (stacks, stacks), "{answers:?}");
    for (one, other) in one.iter().zip(other) {
        match (one, other) {
            (Ok(one), Ok(other)) => assert_eq!(one, other),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => {}
            (Err(_), Err(_)) => panic!("{one:?} and {other:?}"),
        }
    }
}

#[test]
fn two_daemons_on_one_key_settle_each_stack_once_and_attest_it_once() {
    let world = World::start();
    let site = world.operator(2, 4);
    let second = world.site("second.sqlite", 1);
    assert_eq!(site.address, second.address);
    let stacks = world.buy(SAMPLING, FIRST, 10);
    world.draw(&stacks, Some(SECOND));
    let daemons = [site, second].map(|site| world.begin(&site));
    for daemon in &daemons {
        daemon.finish(daemon.record(&stacks, None));
    }
    let settled = ask_both(&daemons, &Ask::Settle(stacks.clone()), FIRST);
    assert_one_winner_each(&settled, stacks.len());
    for daemon in &daemons {
        daemon.finish(daemon.catch_up());
    }
    let attested = ask_both(&daemons, &Ask::Attest(stacks.clone()), SECOND);
    assert_one_winner_each(&attested, stacks.len());
    let ledger = daemons[0].finish(Ledger::read(&daemons[0]));
    ledger.assert_nothing_twice();
    let effects = ledger.effects();
    for stack in &stacks {
        assert_eq!(effects.get(&format!("settle {stack}")), Some(&1));
        assert_eq!(
            effects.get(&format!("attest {stack} by {SECOND}")),
            Some(&1)
        );
    }
    let state = world.network.state().unwrap();
    for stack in &stacks {
        let ticket = &state["tickets"][stack.to_string()];
        assert_eq!(
            ticket["already_attested_nodes"],
            serde_json::json!([SECOND])
        );
    }
    for daemon in daemons {
        let open = daemon.finish(daemon.unfinished());
        assert_eq!(open, [], "everything is decided");
        daemon.stop();
    }
}
