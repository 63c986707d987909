//! Random schedules of crashes and network faults.
//!
//! `ATOMA_SCHEDULES` says how many schedules are run, `ATOMA_SCHEDULE_SEED` runs one of them alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atoma_domain::journal::{ActionKey, Failure, IntentRecord, IntentStatus, NewIntent};
use atoma_domain::{PricePerMillion, StackSmallId, TaskSmallId};
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::Submission;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::support::ask::Ask;
use crate::support::audit::{
    Ledger, every_attempt_is_accounted_for, journal, journal_agrees_with_ledger,
};
use crate::support::gate::{Between, Lateness};
use crate::support::generation::Generation;
use crate::support::points::{Happening, Plan, Points, Side};
use crate::support::template::{Template, nodes};
use crate::support::world::World;

/// Schedules run when nobody says how many.
const SCHEDULES: u64 = 12;

/// How long a daemon of a schedule waits for a transaction's effects.
const EXECUTION_TIMEOUT: Duration = Duration::from_millis(100);

/// Fewer than the engine's tries, so that none gives up: two faults that two calls suffer each.
const MOST_CONGESTIONS: usize = 2;

/// The calls of a generation's work among which things happen are this many at least.
const LEAST_CALLS: usize = 20;

/// What happens to one generation of a schedule.
#[derive(Debug, Default)]
struct Fortune {
    plan: Plan,
    lateness: Lateness,
}

/// Draws what happens in the so many calls that undisturbed work takes.
fn fortune(rng: &mut StdRng, calls: usize, crash: bool) -> Fortune {
    let mut fortune = Fortune::default();
    let plan = &mut fortune.plan;
    let mut at = |rng: &mut StdRng, happening| {
        let side = if rng.random() {
            Side::Before
        } else {
            Side::After
        };
        let number = rng.random_range(1..=calls);
        plan.entry((number, side)).or_default().push(happening);
    };
    let mut congestions = 0;
    for _ in 0..rng.random_range(0..=6) {
        let fault = fault(rng);
        congestions += usize::from(fault.kind == FaultKind::Congestion);
        if fault.kind != FaultKind::Congestion || congestions <= MOST_CONGESTIONS {
            at(rng, Happening::Fault(fault));
        }
    }
    if rng.random_bool(0.2) {
        at(rng, Happening::EndEpoch);
    }
    if crash {
        at(rng, Happening::Crash);
    }
    for _ in 0..rng.random_range(0..=2) {
        let calls = rng.random_range(1..=30);
        fortune.lateness.insert(rng.random_range(1..=40), calls);
    }
    fortune
}

fn fault(rng: &mut StdRng) -> Fault {
    let kinds = [
        FaultKind::ExecuteLostBefore,
        FaultKind::ExecuteLostAfter,
        FaultKind::ExecuteDelay,
        FaultKind::Unavailable,
        FaultKind::StaleObjects,
        FaultKind::EventsCut,
        FaultKind::EventsStall,
        FaultKind::Congestion,
    ];
    let kind = kinds[rng.random_range(0..kinds.len())];
    // For a delay this is within a daemon's patience or beyond it.
    let ms = if rng.random() { 20 } else { 150 };
    let most = match kind {
        // More often than the lanes ask at a stretch, all together: an outage.
        FaultKind::Unavailable => 40,
        _ => 2,
    };
    Fault {
        count: rng.random_range(1..=most),
        ms,
        ..Fault::once(kind)
    }
}

/// What happened in a schedule, told when it fails.
#[derive(Debug, Default)]
struct Story(Vec<Chapter>);

#[derive(Debug)]
struct Chapter {
    plan: Plan,
    lateness: Lateness,
    points: Arc<Points>,
    /// The calls of the generation, once it has ended.
    calls: Vec<&'static str>,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, chapter) in (1..).zip(&self.0) {
            let under_way = chapter.points.calls();
            let calls = if chapter.calls.is_empty() {
                &under_way
            } else {
                &chapter.calls
            };
            writeln!(f, "generation {number}, {} calls:", calls.len())?;
            for ((call, side), happenings) in &chapter.plan {
                let name = calls.get(call - 1).unwrap_or(&"never made");
                writeln!(f, "  {side:?} call {call} ({name}): {happenings:?}")?;
            }
            for (submission, calls) in &chapter.lateness {
                writeln!(f, "  submission {submission} comes in {calls} calls late")?;
            }
        }
        Ok(())
    }
}

/// What schedules came to, all in all.
#[derive(Debug, Default)]
struct Tally {
    crashes: usize,
    /// Of the fifty intents of each.
    succeeded: usize,
    failed: BTreeMap<String, usize>,
    /// How many attempts ended in each way.
    attempts: BTreeMap<&'static str, usize>,
    late: usize,
}

/// Intents that are submitted together.
#[derive(Debug)]
struct Batch {
    intents: Vec<NewIntent>,
    /// A generation died before it could say what became of them.
    is_repeated: bool,
}

fn batches(template: &Template, rng: &mut StdRng) -> Vec<Batch> {
    let mut intents = template.intents.clone();
    intents.shuffle(rng);
    let mut batches = Vec::new();
    while !intents.is_empty() {
        let rest = intents.split_off(rng.random_range(1..=intents.len()));
        batches.push(Batch {
            intents: std::mem::replace(&mut intents, rest),
            is_repeated: false,
        });
    }
    batches
}

/// How many calls it takes when nothing happens.
fn undisturbed_calls(template: &Template) -> usize {
    let (world, site) = template.copy();
    let generation = world.begin(&site);
    let mut batches = vec![Batch {
        intents: template.intents.clone(),
        is_repeated: false,
    }];
    generation.finish(work_through(&generation, &mut batches));
    let calls = generation.points.calls().len();
    generation.stop();
    calls
}

fn run_schedule(
    template: &Template,
    mut calls: usize,
    seed: u64,
    tally: &mut Tally,
    story: &mut Story,
) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (world, mut site) = template.copy();
    site.execution_timeout = EXECUTION_TIMEOUT;
    // Outcomes are written with the next attempt, or all of them alone.
    if rng.random_bool(0.3) {
        site.outcome_delay = Duration::ZERO;
    }
    let mut batches = batches(template, &mut rng);
    let between = Arc::new(Between::default());
    for left in (0..=rng.random_range(0..=4)).rev() {
        let points = Points::new(&world.network);
        let generation = Generation::start_behind(&site, points, |ports| between.stand(ports));
        let Fortune { plan, lateness } = fortune(&mut rng, calls, left > 0);
        // As much is left to be done then, about.
        let crash = plan
            .iter()
            .find(|(_, happenings)| happenings.iter().any(|h| matches!(h, Happening::Crash)));
        let made = crash.map_or(0, |((call, _), _)| *call);
        calls = calls.saturating_sub(made).max(LEAST_CALLS);
        story.0.push(Chapter {
            plan: plan.clone(),
            lateness: lateness.clone(),
            points: Arc::clone(&generation.points),
            calls: Vec::new(),
        });
        between.arm(lateness);
        generation.points.arm(plan);
        let finished = generation
            .drive(work_through(&generation, &mut batches))
            .is_some();
        if let Some(chapter) = story.0.last_mut() {
            chapter.calls = generation.points.calls();
        }
        if !finished {
            tally.crashes += 1;
            generation.kill();
            continue;
        }
        world.network.clear_faults();
        generation.points.arm(Plan::new());
        generation.finish(between.deliver_all(generation.ports.chain.as_ref()));
        generation.finish(settle_accounts(
            &generation,
            &world,
            template,
            &between,
            tally,
        ));
        tally.late += between.late();
        generation.stop();
        return;
    }
    unreachable!("the last generation is not killed");
}

/// Takes up what was left, submits what was not acknowledged yet, waits for all of it.
async fn work_through(generation: &Generation, batches: &mut Vec<Batch>) {
    generation.follow();
    generation.engine.recover().await.unwrap();
    while let Some(batch) = batches.last_mut() {
        let is_repeated = std::mem::replace(&mut batch.is_repeated, true);
        let intents = batch.intents.clone();
        let submissions = generation.engine.submit(intents).await.unwrap();
        assert_eq!(submissions.len(), batch.intents.len());
        for submission in submissions {
            if let Submission::Refused(failure) = submission {
                // Opened by a generation that died before it could say so.
                let (code, _) = failure.code_and_details();
                assert!(is_repeated && code.starts_with("already_"), "{failure:?}");
            }
        }
        batches.pop();
    }
    generation.all_final().await;
}

async fn settle_accounts(
    generation: &Generation,
    world: &World,
    template: &Template,
    between: &Between,
    tally: &mut Tally,
) {
    generation.catch_up().await;
    for node in nodes() {
        // Nothing is leased any more.
        let update = Ask::Update(TaskSmallId::new(1), PricePerMillion::new(1));
        assert_eq!(update.make(&generation.operator, node).await, [Ok(())]);
    }
    generation.catch_up().await;
    let ledger = journal_agrees_with_ledger(generation).await;
    let witness = &between.witness;
    let known = &template.known;
    for (status, count) in every_attempt_is_accounted_for(generation, &ledger, witness, known).await
    {
        *tally.attempts.entry(status).or_default() += count;
    }
    mirror_shows(generation, world, &ledger).await;
    let mut new = journal(generation).await;
    new.retain(|record| record.intent.id > template.last);
    // Oldest first.
    new.reverse();
    let has_epoch_ended = world.network.epoch() > template.epoch();
    what_was_asked_is_final(&template.intents, &new, has_epoch_ended, tally);
}

/// Each of the fifty is in the journal as it was asked for and nothing else is; what failed, failed
/// for a reason that the schedule gives.
fn what_was_asked_is_final(
    asked: &[NewIntent],
    records: &[IntentRecord],
    has_epoch_ended: bool,
    tally: &mut Tally,
) {
    let key = |record: &IntentRecord| record.intent.action.key(&record.intent.actor);
    let mut keys: BTreeSet<ActionKey> = BTreeSet::new();
    for asked in asked {
        let own_key = asked.action.key(&asked.actor);
        let mut found = records.iter().filter(|record| key(record) == own_key);
        let first = found
            .next()
            .unwrap_or_else(|| panic!("{asked:?} was forgotten"));
        assert_eq!(first.intent.action, asked.action);
        match (first.status, &first.failure) {
            (IntentStatus::Succeeded, None) => tally.succeeded += 1,
            (IntentStatus::Failed, Some(Failure::AttestationWindowOver { .. }))
                if has_epoch_ended =>
            {
                let code = first.failure.as_ref().unwrap().code_and_details().0;
                *tally.failed.entry(code).or_default() += 1;
            }
            other => panic!("{other:?}: {first:?}"),
        }
        for again in found {
            // Asked for again by who had not heard that it was done.
            assert_eq!(again.intent.action, asked.action);
            assert_eq!(first.status, IntentStatus::Succeeded, "{again:?}");
            assert!(!again.intent.action.succeeds_only_once(), "{again:?}");
        }
        assert!(keys.insert(own_key), "asked for twice: {asked:?}");
    }
    let others = records.iter().filter(|record| !keys.contains(&key(record)));
    assert_eq!(others.count(), nodes().count(), "nobody asked for more");
}

/// The stacks that the chain settled are those that the daemon's own state says are settled.
async fn mirror_shows(generation: &Generation, world: &World, ledger: &Ledger) {
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
    let calls = undisturbed_calls(&template);
    let mut tally = Tally::default();
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let mut story = Story::default();
        let run = std::panic::AssertUnwindSafe(|| {
            run_schedule(&template, calls, seed, &mut tally, &mut story);
        });
        if let Err(panic) = std::panic::catch_unwind(run) {
            println!("{story}run this one alone with ATOMA_SCHEDULE_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
    println!("{count} schedules of {calls} calls: {tally:?}");
    let asked = template.intents.len() * usize::try_from(count).unwrap();
    assert_eq!(
        tally.succeeded + tally.failed.values().sum::<usize>(),
        asked
    );
    let tried = [
        tally.crashes,
        tally.late,
        tally.attempts.get("cancelled").copied().unwrap_or(0),
        tally.attempts.get("dead").copied().unwrap_or(0),
    ];
    assert!(
        alone.is_some() || tried.iter().all(|times| *times > 0),
        "not all was tried: {tally:?}"
    );
}
