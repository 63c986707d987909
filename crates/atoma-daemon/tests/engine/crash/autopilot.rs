//! The daemon crashes before and after every call that a step of the autopilot makes. The next daemon's autopilot does
//! what is left, and nothing twice.

use atoma_domain::MicroUsdc;
use atoma_domain::Permille;
use atoma_operator::{AutopilotConfig, AutopilotMode, AutopilotRun};

use crate::support::audit::journal_agrees_with_ledger;
use crate::support::cases::{Prepare, to_attest, to_claim, to_claim_confidential, to_settle};
use crate::support::fail_points::{CrashPoint, Plan};
use crate::support::generation::Generation;
use crate::support::matrix::{Idempotency, assert_done_once, decisive};
use crate::support::world::World;

/// An autopilot for which one message is enough and gas costs nothing.
fn autopilot(generation: &Generation) -> AutopilotRun {
    let mut config = AutopilotConfig::default();
    config.mode = AutopilotMode::On;
    config.policy.gas.sui_price = MicroUsdc::ZERO;
    let settle = config.policy.duties.settle.as_mut().unwrap();
    settle.fill = Permille::new(1);
    settle.quiet = Permille::new(0);
    AutopilotRun::new(generation.autopilot(config))
}

/// One look with all that it begins.
async fn step(run: &mut AutopilotRun) {
    run.step().await.unwrap();
    run.settled().await;
}

/// Crashes at each decisive call of a step with one duty, and lets the next daemon's autopilot go on. The autopilot does
/// whatever is due, so there is one duty at a time.
fn crash_everywhere(nodes: usize, prepare: Prepare) {
    let world = World::start();
    let site = world.operator(nodes, 1);
    let first = (prepare)(&world, &site, 1).remove(0);
    let generation = world.begin(&site);
    let calls = generation.run(async {
        generation.catch_up().await;
        generation.points.arm(Plan::new());
        step(&mut autopilot(&generation)).await;
        generation.points.calls()
    });
    generation.run(async {
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, &first, Idempotency::Keyed, "without a crash");
    });
    generation.stop();
    let crash_points: Vec<CrashPoint> = decisive(&calls);
    assert!(!crash_points.is_empty(), "{calls:?}");
    for at in crash_points {
        let case = (prepare)(&world, &site, 1).remove(0);
        let generation = world.begin(&site);
        generation.run(generation.catch_up());
        generation.points.arm_crash(at);
        let ended = generation.run_until_crash(async { step(&mut autopilot(&generation)).await });
        assert!(ended.is_none(), "{at:?} was not reached");
        generation.kill();

        let generation = world.begin(&site);
        generation.run(async {
            generation.engine.recover().await.unwrap();
            // It may look before the mirror shows what the crashed daemon has done.
            let mut run = autopilot(&generation);
            step(&mut run).await;
            generation.catch_up().await;
            step(&mut run).await;
            generation.all_final().await;
            let ledger = journal_agrees_with_ledger(&generation).await;
            assert_done_once(&ledger, &case, Idempotency::Keyed, &format!("{at:?}"));
        });
        generation.stop();
    }
}

#[test]
fn the_autopilot_settles_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(2, to_settle);
}

#[test]
fn the_autopilot_attests_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(2, to_attest);
}

#[test]
fn the_autopilot_claims_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(1, to_claim);
}

#[test]
fn the_autopilot_claims_confidential_stacks_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(1, to_claim_confidential);
}
