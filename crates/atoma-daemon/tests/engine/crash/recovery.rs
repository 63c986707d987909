//! The daemon dies while it recovers from a crash: the one after it finishes all the same.

use std::collections::BTreeSet;

use crate::support::matrix::{Row, Way, come_back, die_at};
use crate::support::points::{Moment, Plan, Side};
use crate::support::subjects::{Prepare, Subject, to_claim, to_settle};
use crate::support::world::World;

/// In the journal, and never sent.
const SIGNED: Moment = Moment {
    name: "journal.record_attempt",
    nth: 1,
    side: Side::After,
};
/// On chain, and the journal does not know.
const EXECUTED: Moment = Moment {
    name: "chain.execute",
    nth: 1,
    side: Side::After,
};

/// What a recovery calls while nothing goes wrong, all kinds taken together.
const CALLS: [&str; 11] = [
    "chain.consumption",
    "chain.execute",
    "chain.gas_coins",
    "chain.is_absent",
    "chain.lookup",
    "chain.simulate",
    "chain.view",
    "journal.conclude",
    "journal.record_attempt",
    "journal.unfinished",
    "signer.sign",
];

/// A crash to recover from.
#[derive(Clone, Copy, Debug)]
struct First {
    prepare: Prepare,
    at: Moment,
    meanwhile: fn(&World),
}

impl First {
    const fn new(prepare: Prepare, at: Moment) -> Self {
        Self {
            prepare,
            at,
            meanwhile: |_| {},
        }
    }

    /// The epoch ends before the recovery.
    const fn over_an_epoch(self) -> Self {
        Self {
            meanwhile: |world| assert!(world.network.advance_epoch().is_ok()),
            ..self
        }
    }

    fn happen(self, world: &World, subject: &Subject) {
        let row = Row::new(2, self.prepare);
        assert!(die_at(world, &row, subject, Way::Keyed, self.at));
        (self.meanwhile)(world);
    }

    /// The calls of an undisturbed recovery.
    fn calls(self, world: &World, subject: &Subject) -> Vec<&'static str> {
        self.happen(world, subject);
        let generation = world.begin(&subject.site);
        generation.points.arm(Plan::new());
        generation.finish(generation.recover());
        let calls = generation.points.calls();
        generation.stop();
        calls
    }
}

/// Dies at every moment of the recovery, and recovers from that. `is_signed_anew`: whether the
/// recovery signs another attempt, because the first is dead.
fn die_in_recovery(first: First, is_signed_anew: bool) {
    let world = World::start();
    let site = world.operator(2, 1);
    let calls = first.calls(&world, &(first.prepare)(&world, &site, 1)[0]);
    assert_eq!(calls.contains(&"signer.sign"), is_signed_anew, "{calls:?}");
    let moments = Moment::all(&calls);
    let subjects = (first.prepare)(&world, &site, moments.len());
    for (at, subject) in moments.into_iter().zip(&subjects) {
        first.happen(&world, subject);
        let generation = world.begin(&subject.site);
        generation.points.arm_crash(at);
        let died = generation.drive(async {
            generation.recover().await;
            // What is final on disk is seen before the call that wrote it comes back.
            generation.points.crashed().await;
        });
        assert!(died.is_none(), "{at:?} was not reached");
        generation.kill();
        let moment = format!("{at:?} of the recovery from {:?}", first.at);
        come_back(&world, subject, Way::Keyed, Some(true), &moment);
    }
}

#[test]
fn a_settlement_that_was_signed_is_made_once_whenever_the_recovery_dies() {
    die_in_recovery(First::new(to_settle, SIGNED), false);
}

#[test]
fn a_settlement_that_was_signed_in_an_earlier_epoch_is_made_once_whenever_the_recovery_dies() {
    die_in_recovery(First::new(to_settle, SIGNED).over_an_epoch(), true);
}

#[test]
fn a_settlement_that_was_executed_is_made_once_whenever_the_recovery_dies() {
    die_in_recovery(First::new(to_settle, EXECUTED), false);
}

#[test]
fn a_settlement_that_was_executed_in_an_earlier_epoch_is_made_once_whenever_the_recovery_dies() {
    die_in_recovery(First::new(to_settle, EXECUTED).over_an_epoch(), false);
}

#[test]
fn three_claims_that_were_signed_are_made_once_whenever_the_recovery_dies() {
    die_in_recovery(First::new(to_claim, SIGNED), false);
}

#[test]
fn three_claims_that_were_signed_in_an_earlier_epoch_are_made_once_whenever_the_recovery_dies() {
    die_in_recovery(First::new(to_claim, SIGNED).over_an_epoch(), true);
}

#[test]
fn three_claims_that_were_executed_are_made_once_whenever_the_recovery_dies() {
    die_in_recovery(First::new(to_claim, EXECUTED), false);
}

#[test]
fn three_claims_that_were_executed_in_an_earlier_epoch_are_made_once_whenever_the_recovery_dies() {
    die_in_recovery(First::new(to_claim, EXECUTED).over_an_epoch(), false);
}

#[test]
fn the_recoveries_make_every_call_that_is_known_and_no_other() {
    let world = World::start();
    let site = world.operator(2, 1);
    let mut made = BTreeSet::new();
    for prepare in [to_settle, to_claim] {
        for at in [SIGNED, EXECUTED] {
            let first = First::new(prepare, at);
            for first in [first, first.over_an_epoch()] {
                made.extend(first.calls(&world, &prepare(&world, &site, 1)[0]));
            }
        }
    }
    assert_eq!(made, BTreeSet::from(CALLS));
}
