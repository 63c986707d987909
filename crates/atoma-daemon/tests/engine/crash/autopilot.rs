//! The daemon crashes before and after every call that a step of the autopilot makes. The next daemon's autopilot does
//! what is left, and nothing twice.

use atoma_domain::MicroUsdc;
use atoma_domain::Permille;
use atoma_operator::{AutopilotConfig, AutopilotMode, AutopilotRun};

use crate::support::audit::journal_agrees_with_ledger;
use crate::support::cases::{
    FIRST, Prepare, SECOND, stacks, to_attest, to_claim, to_claim_confidential, to_settle,
};
use crate::support::fail_points::{CrashPoint, Plan};
use crate::support::generation::{Generation, Site};
use crate::support::matrix::{Idempotency, assert_done_once, decisive};
use crate::support::request::Request;
use crate::support::world::{SAMPLING, World};

/// An autopilot for which one message is enough and gas costs nothing.
fn autopilot(generation: &Generation) -> AutopilotRun {
    let mut config = AutopilotConfig::default();
    config.mode = AutopilotMode::On;
    config.policy.gas.sui_price = MicroUsdc::ZERO;
    let settle = &mut config.policy.duties.settle;
    settle.fill = Permille::new(1);
    settle.quiet = Permille::new(0);
    AutopilotRun::new(generation.autopilot(config))
}

/// One look with all that it begins.
async fn step(run: &mut AutopilotRun) {
    run.step().await.unwrap();
    run.settled().await;
}

/// The calls of a step on what is due now, which does it.
fn calls_of_a_step(world: &World, site: &Site) -> (Generation, Vec<&'static str>) {
    let generation = world.begin(site);
    let calls = generation.run(async {
        generation.catch_up().await;
        generation.points.arm(Plan::new());
        step(&mut autopilot(&generation)).await;
        generation.points.calls()
    });
    (generation, calls)
}

/// A daemon that crashes there in a step.
fn crash(world: &World, site: &Site, at: CrashPoint) {
    let generation = world.begin(site);
    generation.run(generation.catch_up());
    generation.points.arm_crash(at);
    let ended = generation.run_until_crash(async { step(&mut autopilot(&generation)).await });
    assert!(ended.is_none(), "{at:?} was not reached");
    generation.kill();
}

/// Crashes at each decisive call of a step with one duty, and lets the next daemon's autopilot go on. The autopilot does
/// whatever is due, so there is one duty at a time.
fn crash_everywhere(nodes: usize, prepare: Prepare) {
    let world = World::start();
    let site = world.operator(nodes, 1);
    let first = (prepare)(&world, &site, 1).remove(0);
    let (generation, calls) = calls_of_a_step(&world, &site);
    generation.run(async {
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, &first, Idempotency::Keyed, "without a crash");
    });
    generation.stop();
    let crash_points: Vec<CrashPoint> = decisive(&calls);
    assert!(!crash_points.is_empty(), "{calls:?}");
    for at in crash_points {
        let case = (prepare)(&world, &site, 1).remove(0);
        crash(&world, &site, at);
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

/// Attested and claimed stacks of the first node: the contract owes the second one its shares of them.
fn owe_shares(world: &World, site: &Site) -> u64 {
    let stacks = stacks(world, site, SAMPLING, 1, true, false);
    let generation = world.begin(site);
    generation.run(async {
        generation.catch_up().await;
        let attested = Request::Attest(stacks.clone());
        attested.send(&generation.operator, SECOND).await[0]
            .clone()
            .unwrap();
        world.network.advance_epoch().unwrap();
        generation.catch_up().await;
        let claimed = Request::Claim(stacks.clone());
        claimed.send(&generation.operator, FIRST).await[0]
            .clone()
            .unwrap();
    });
    generation.stop();
    owed(world)
}

/// What the contract owes the second node, in micro-USDC.
fn owed(world: &World) -> u64 {
    let state = world.network.state().unwrap();
    let entry = &state["nodes"][SECOND.to_string()];
    entry["available_fee_amount"].as_u64().unwrap()
}

#[test]
fn the_autopilot_withdraws_shares_exactly_once_wherever_the_daemon_crashes() {
    let world = World::start();
    let site = world.operator(2, 1);
    assert!(owe_shares(&world, &site) > 0);
    let (generation, calls) = calls_of_a_step(&world, &site);
    assert_eq!(owed(&world), 0);
    generation.stop();
    let mut withdrawals = 1;
    for at in decisive(&calls) {
        owe_shares(&world, &site);
        crash(&world, &site, at);
        let generation = world.begin(&site);
        generation.run(async {
            generation.engine.recover().await.unwrap();
            generation.catch_up().await;
            step(&mut autopilot(&generation)).await;
            generation.all_final().await;
            withdrawals += 1;
            let ledger = journal_agrees_with_ledger(&generation).await;
            assert_eq!(ledger.effects()["withdraw"], withdrawals, "{at:?}");
            assert_eq!(owed(&world), 0, "{at:?}");
        });
        generation.stop();
    }
    assert!(withdrawals > 1, "{calls:?}");
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
