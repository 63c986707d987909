//! The daemon crashes during its recovery from a crash, and the one after it finishes the work.

use std::collections::BTreeSet;

use crate::support::cases::{Case, Prepare, to_claim, to_settle};
use crate::support::fail_points::{CrashPoint, Plan, Side};
use crate::support::matrix::{Idempotency, Row, crash_at, recover_and_repeat};
use crate::support::world::World;

/// Recorded in the journal, but never sent.
const SIGNED: CrashPoint = CrashPoint {
    name: "journal.record_attempt",
    nth: 1,
    side: Side::After,
};
/// Executed on chain, but not yet in the journal.
const EXECUTED: CrashPoint = CrashPoint {
    name: "chain.execute",
    nth: 1,
    side: Side::After,
};

/// Every call that the undisturbed recoveries make.
const CALLS: [&str; 13] = [
    "chain.consumption",
    "chain.execute",
    "chain.gas_coins",
    "chain.is_absent",
    "chain.lookup",
    "chain.simulate",
    "chain.view",
    "journal.conclude",
    "journal.gas_spent",
    "journal.recent_gas_coins",
    "journal.record_attempt",
    "journal.take_stock",
    "signer.sign",
];

/// A crash to recover from.
#[derive(Clone, Copy, Debug)]
struct FirstCrash {
    prepare: Prepare,
    at: CrashPoint,
    meanwhile: fn(&World),
}

impl FirstCrash {
    const fn new(prepare: Prepare, at: CrashPoint) -> Self {
        Self {
            prepare,
            at,
            meanwhile: |_| {},
        }
    }

    /// The same, with the epoch ending before the recovery.
    const fn over_an_epoch(self) -> Self {
        Self {
            meanwhile: |world| assert!(world.network.advance_epoch().is_ok()),
            ..self
        }
    }

    fn happen(self, world: &World, case: &Case) {
        let row = Row::new(2, self.prepare);
        assert!(crash_at(world, &row, case, Idempotency::Keyed, self.at));
        (self.meanwhile)(world);
    }

    /// The calls of an undisturbed recovery.
    fn calls(self, world: &World, case: &Case) -> Vec<&'static str> {
        self.happen(world, case);
        let generation = world.begin(&case.site);
        generation.points.arm(Plan::new());
        generation.run(generation.recover());
        let calls = generation.points.calls();
        generation.stop();
        calls
    }
}

/// Crashes at every point of the recovery, and recovers from that. `signs_again` says whether the
/// recovery signs another attempt because the first one is dead.
fn crash_in_recovery(first: FirstCrash, signs_again: bool) {
    let world = World::start();
    let site = world.operator(2, 1);
    let calls = first.calls(&world, &(first.prepare)(&world, &site, 1)[0]);
    assert_eq!(calls.contains(&"signer.sign"), signs_again, "{calls:?}");
    let crash_points = CrashPoint::all(&calls);
    let cases = (first.prepare)(&world, &site, crash_points.len());
    for (at, case) in crash_points.into_iter().zip(&cases) {
        first.happen(&world, case);
        let generation = world.begin(&case.site);
        generation.points.arm_crash(at);
        let died = generation.run_until_crash(async {
            generation.recover().await;
            // `recover` sees the final state on disk before the call that wrote it returns.
            generation.points.crashed().await;
        });
        assert!(died.is_none(), "{at:?} was not reached");
        generation.kill();
        let context = format!("{at:?} of the recovery from {:?}", first.at);
        recover_and_repeat(&world, case, Idempotency::Keyed, Some(true), &context);
    }
}

#[test]
fn a_settlement_that_was_signed_is_made_once_wherever_the_recovery_crashes() {
    crash_in_recovery(FirstCrash::new(to_settle, SIGNED), false);
}

#[test]
fn a_settlement_that_was_signed_in_an_earlier_epoch_is_made_once_wherever_the_recovery_crashes() {
    crash_in_recovery(FirstCrash::new(to_settle, SIGNED).over_an_epoch(), true);
}

#[test]
fn a_settlement_that_was_executed_is_made_once_wherever_the_recovery_crashes() {
    crash_in_recovery(FirstCrash::new(to_settle, EXECUTED), false);
}

#[test]
fn a_settlement_that_was_executed_in_an_earlier_epoch_is_made_once_wherever_the_recovery_crashes() {
    crash_in_recovery(FirstCrash::new(to_settle, EXECUTED).over_an_epoch(), false);
}

#[test]
fn three_claims_that_were_signed_are_made_once_wherever_the_recovery_crashes() {
    crash_in_recovery(FirstCrash::new(to_claim, SIGNED), false);
}

#[test]
fn three_claims_that_were_signed_in_an_earlier_epoch_are_made_once_wherever_the_recovery_crashes() {
    crash_in_recovery(FirstCrash::new(to_claim, SIGNED).over_an_epoch(), true);
}

#[test]
fn three_claims_that_were_executed_are_made_once_wherever_the_recovery_crashes() {
    crash_in_recovery(FirstCrash::new(to_claim, EXECUTED), false);
}

#[test]
fn three_claims_that_were_executed_in_an_earlier_epoch_are_made_once_wherever_the_recovery_crashes()
{
    crash_in_recovery(FirstCrash::new(to_claim, EXECUTED).over_an_epoch(), false);
}

#[test]
fn the_recoveries_make_every_listed_call_and_no_other() {
    let world = World::start();
    let site = world.operator(2, 1);
    let mut made = BTreeSet::new();
    for prepare in [to_settle, to_claim] {
        for at in [SIGNED, EXECUTED] {
            let first = FirstCrash::new(prepare, at);
            for first in [first, first.over_an_epoch()] {
                made.extend(first.calls(&world, &prepare(&world, &site, 1)[0]));
            }
        }
    }
    assert_eq!(made, BTreeSet::from(CALLS));
}
