//! Random schedules of crashes and network faults.
//!
//! `ATOMA_SCHEDULES` sets how many schedules run, `ATOMA_SCHEDULE_SEED` runs only that one.

mod checks;
mod disruptions;
mod trace;

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::journal::NewIntent;
use atoma_operator::Submission;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::support::fail_points::{FailPoints, Injection, Plan};
use crate::support::generation::Generation;
use crate::support::interceptor::Interceptor;
use crate::support::template::Template;
use checks::{Tally, check_results};
use disruptions::{Disruptions, draw_disruptions, draw_second};
use trace::{GenerationTrace, Trace};

/// How many schedules run by default.
const SCHEDULES: u64 = 12;

/// How long the daemons wait for a transaction's effects.
const EXECUTION_TIMEOUT: Duration = Duration::from_millis(100);

/// How often the nodes are looked at: several times during an outage.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Injections are spread over at least this many calls.
const MIN_CALLS: usize = 20;

/// Intents that are submitted together.
#[derive(Debug)]
struct Batch {
    intents: Vec<NewIntent>,
    /// An earlier generation submitted them and crashed before it got the results.
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

/// How many calls all the work takes when nothing is injected.
fn undisturbed_calls(template: &Template) -> usize {
    let (world, site) = template.copy();
    let generation = world.begin(&site);
    let mut batches = vec![Batch {
        intents: template.intents.clone(),
        is_repeated: false,
    }];
    generation.run(work_through(&generation, &mut batches));
    let calls = generation.points.calls().len();
    generation.stop();
    calls
}

fn run_schedule(
    template: &Template,
    mut calls: usize,
    seed: u64,
    tally: &mut Tally,
    trace: &mut Trace,
) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut world, mut site) = template.copy();
    site.execution_timeout = EXECUTION_TIMEOUT;
    // Every second schedule has a second node.
    let mut second = (seed % 2 == 1).then(|| (world.add_node(), StdRng::seed_from_u64(!seed)));
    if let Some((second, _)) = &second {
        site.further = vec![second.url()];
        site.look_interval = Some(LOOK_INTERVAL);
    }
    // Outcomes are written with the next attempt, or each on its own.
    if rng.random_bool(0.3) {
        site.outcome_delay = Duration::ZERO;
    }
    let mut batches = batches(template, &mut rng);
    let interceptor = Arc::new(Interceptor::default());
    for left in (0..=rng.random_range(0..=4)).rev() {
        let points = FailPoints::new(&world.network);
        let generation = Generation::start_behind(&site, points, |ports| interceptor.wrap(ports));
        let Disruptions { mut plan, delays } = draw_disruptions(&mut rng, calls, left > 0);
        if let Some((second, rng)) = &mut second {
            draw_second(rng, second, calls, &mut plan);
        }
        // Roughly this much work remains after the crash.
        let crash = plan
            .iter()
            .find(|(_, injections)| injections.iter().any(|h| matches!(h, Injection::Crash)));
        let made = crash.map_or(0, |((call, _), _)| *call);
        calls = calls.saturating_sub(made).max(MIN_CALLS);
        trace.0.push(GenerationTrace {
            plan: plan.clone(),
            delays: delays.clone(),
            points: Arc::clone(&generation.points),
            calls: Vec::new(),
        });
        interceptor.arm(delays);
        generation.points.arm(plan);
        let finished = generation
            .run_until_crash(work_through(&generation, &mut batches))
            .is_some();
        if let Some(entry) = trace.0.last_mut() {
            entry.calls = generation.points.calls();
        }
        if !finished {
            tally.crashes += 1;
            generation.kill();
            continue;
        }
        world.network.clear_faults();
        if let Some((second, _)) = &second {
            second.clear_faults();
        }
        generation.points.arm(Plan::new());
        generation.run(interceptor.deliver_all(generation.ports.chain.as_ref()));
        generation.run(check_results(
            &generation,
            &world,
            template,
            &interceptor,
            tally,
        ));
        tally.late += interceptor.late();
        generation.stop();
        return;
    }
    unreachable!("the last generation is not killed");
}

/// Recovers, submits the batches that have no answer yet, and waits until everything is final.
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
                // An earlier generation opened it and crashed before it could answer.
                let (code, _) = failure.code_and_details();
                assert!(is_repeated && code.starts_with("already_"), "{failure:?}");
            }
        }
        batches.pop();
    }
    generation.all_final().await;
}

#[test]
fn journal_and_chain_agree_after_any_schedule_of_crashes_and_faults() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let alone = number("ATOMA_SCHEDULE_SEED");
    let first = alone.unwrap_or(0);
    let wanted = match alone {
        Some(_) => 1,
        None => number("ATOMA_SCHEDULES").unwrap_or(SCHEDULES),
    };
    let template = Template::make();
    let calls = undisturbed_calls(&template);
    let mut tally = Tally::default();
    let mut count = 0;
    for seed in first.. {
        // Whether an attempt dies depends on the interleaving of the lanes too, so a few more may be needed.
        let is_complete = alone.is_some() || tally.has_everything() || count >= wanted + SCHEDULES;
        if count >= wanted && is_complete {
            break;
        }
        count += 1;
        let mut trace = Trace::default();
        let run = std::panic::AssertUnwindSafe(|| {
            run_schedule(&template, calls, seed, &mut tally, &mut trace);
        });
        if let Err(panic) = std::panic::catch_unwind(run) {
            println!("{trace}run only this one with ATOMA_SCHEDULE_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
    println!("{count} schedules of {calls} calls: {tally:?}");
    let expected = template.intents.len() * usize::try_from(count).unwrap();
    assert_eq!(
        tally.succeeded + tally.failed.values().sum::<usize>(),
        expected
    );
    assert!(
        alone.is_some() || tally.has_everything(),
        "not everything was exercised: {tally:?}"
    );
}
