//! Crashes before and after every call of a port, for every kind of intent. Wherever the daemon
//! crashes, the request is executed exactly once, and a repeated request gets the same answer.

use std::collections::BTreeSet;

use atoma_localnet::{Fault, FaultKind, LocalNet};

use crate::support::cases::{
    to_attest, to_claim, to_claim_confidential, to_claim_mixed, to_dispute, to_offer_model,
    to_register, to_register_another, to_register_with_small_coins, to_rotate_key, to_settle,
    to_settle_three, to_settle_with_one_coin, to_subscribe, to_unsubscribe, to_update,
};
use crate::support::fail_points::{CrashPoint, FailPoints, Side};
use crate::support::matrix::{Row, crash_everywhere, decisive, record_calls};
use crate::support::world::World;

const REGISTER: Row = Row::new(0, to_register);
const REGISTER_ANOTHER: Row = Row::new(0, to_register_another);
const SUBSCRIBE: Row = Row::new(1, to_subscribe);
const OFFER_MODEL: Row = Row::new(1, to_offer_model);
const UPDATE: Row = Row::new(1, to_update);
const UNSUBSCRIBE: Row = Row::new(1, to_unsubscribe);
const ROTATE_KEY: Row = Row::new(1, to_rotate_key);
const SETTLE: Row = Row::new(2, to_settle);
const SETTLE_THREE: Row = Row {
    is_mirrored: false,
    keyless: |_| Vec::new(),
    ..Row::new(2, to_settle_three)
};
const ATTEST: Row = Row::new(2, to_attest);
const DISPUTE: Row = Row::new(2, to_dispute);
const CLAIM: Row = Row::new(1, to_claim);
const CLAIM_CONFIDENTIAL: Row = Row::new(1, to_claim_confidential);
const REGISTER_WITH_SMALL_COINS: Row = Row {
    keyless: |_| Vec::new(),
    ..Row::new(0, to_register_with_small_coins)
};
/// How often a lane that waits for a coin reads the coins varies, so these reads are no crash
/// points.
const SETTLE_WITH_ONE_COIN: Row = Row {
    keyed: decisive,
    keyless: |_| Vec::new(),
    ..Row::new(0, to_settle_with_one_coin)
};
const SETTLE_OVER_AN_EPOCH: Row = Row {
    meanwhile: an_epoch_ends,
    ..SETTLE
};
/// Just before three claims are sent, the price of the second one rises until the contract's
/// arithmetic overflows: all three abort together.
const CLAIM_MIXED: Row = Row {
    is_mirrored: false,
    during: |world, points| world.change_charge_at_execution(points, u64::MAX),
    keyed: after_the_abort,
    keyless: |_| Vec::new(),
    ..Row::new(2, to_claim_mixed)
};

/// The Sui node at which the attempt was read loses its submission, or the answer to it, and dies. The other node alone
/// has the outcome, also for the next daemon.
const SETTLE_AT_A_NODE_THAT_DIES: Row = Row {
    has_second_node: true,
    during: |world, points| the_first_node_dies(world, points, FaultKind::ExecuteLostBefore),
    meanwhile: the_first_node_is_dead,
    ..SETTLE
};
const ATTEST_AT_A_NODE_THAT_DIES: Row = Row {
    has_second_node: true,
    during: |world, points| the_first_node_dies(world, points, FaultKind::ExecuteLostAfter),
    meanwhile: the_first_node_is_dead,
    ..ATTEST
};
const SETTLE_OVER_AN_EPOCH_AT_A_NODE_THAT_DIES: Row = Row {
    meanwhile: |world| {
        the_first_node_is_dead(world);
        an_epoch_ends(world);
    },
    ..SETTLE_AT_A_NODE_THAT_DIES
};

/// Loses the next submission, or the answer to it, and everything from the look for the outcome on.
fn the_first_node_dies(world: &World, points: &FailPoints, how: FaultKind) {
    let network = world.network.clone();
    points.before("chain.execute", move || {
        network.inject_fault(Fault::once(how));
    });
    let network = world.network.clone();
    points.before("chain.consumption", move || kill_first_node(&network));
}

fn the_first_node_is_dead(world: &World) {
    kill_first_node(&world.network);
}

fn kill_first_node(network: &LocalNet) {
    network.inject_fault(Fault {
        count: u64::MAX,
        ..Fault::once(FaultKind::Unavailable)
    });
}

/// The crash points from the first execution on.
fn after_the_abort(calls: &[&'static str]) -> Vec<CrashPoint> {
    let mut crash_points = CrashPoint::all(calls);
    let is_executed = |at: &CrashPoint| (at.name, at.side) == ("chain.execute", Side::After);
    let first = crash_points.iter().position(is_executed).unwrap();
    crash_points.drain(..first);
    crash_points
}

fn an_epoch_ends(world: &World) {
    world.network.advance_epoch().unwrap();
}

#[test]
fn a_registration_is_made_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&REGISTER);
}

#[test]
fn a_key_is_committed_to_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&ROTATE_KEY);
}

#[test]
fn another_registration_is_made_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&REGISTER_ANOTHER);
}

#[test]
fn a_registration_that_several_coins_pay_for_is_made_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&REGISTER_WITH_SMALL_COINS);
}

#[test]
fn a_subscription_is_made_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&SUBSCRIBE);
}

#[test]
fn a_model_is_offered_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&OFFER_MODEL);
}

#[test]
fn a_price_is_set_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&UPDATE);
}

#[test]
fn a_subscription_is_withdrawn_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&UNSUBSCRIBE);
}

#[test]
fn a_stack_is_settled_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&SETTLE);
}

#[test]
fn a_stack_is_settled_exactly_once_though_the_sui_node_dies_and_wherever_the_daemon_crashes() {
    crash_everywhere(&SETTLE_AT_A_NODE_THAT_DIES);
}

#[test]
fn a_stack_is_attested_exactly_once_though_the_sui_node_dies_and_wherever_the_daemon_crashes() {
    crash_everywhere(&ATTEST_AT_A_NODE_THAT_DIES);
}

#[test]
fn a_stack_is_settled_exactly_once_though_the_sui_node_dies_and_the_epoch_ends() {
    crash_everywhere(&SETTLE_OVER_AN_EPOCH_AT_A_NODE_THAT_DIES);
}

#[test]
fn a_stack_is_settled_exactly_once_if_the_epoch_ends_before_the_restart() {
    crash_everywhere(&SETTLE_OVER_AN_EPOCH);
}

#[test]
fn three_stacks_are_settled_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&SETTLE_THREE);
}

#[test]
fn two_nodes_that_split_a_coin_settle_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&SETTLE_WITH_ONE_COIN);
}

#[test]
fn a_stack_is_attested_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&ATTEST);
}

#[test]
fn a_dispute_is_raised_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&DISPUTE);
}

#[test]
fn three_stacks_are_claimed_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&CLAIM);
}

#[test]
fn two_confidential_stacks_are_claimed_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&CLAIM_CONFIDENTIAL);
}

#[test]
fn claims_that_abort_together_with_a_bad_one_are_made_exactly_once_wherever_the_daemon_crashes() {
    crash_everywhere(&CLAIM_MIXED);
}

/// Every call that the engine and the use cases make in the rows. Add a new call here; the rows
/// that make it crash around it.
const CALLS: [&str; 14] = [
    "chain.badges",
    "chain.execute",
    "chain.gas_coins",
    "chain.simulate",
    "chain.view",
    "journal.attempts_of",
    "journal.conclude",
    "journal.fail",
    "journal.find",
    "journal.list",
    "journal.open",
    "journal.recall",
    "journal.record_attempt",
    "signer.sign",
];

#[test]
fn the_rows_make_every_listed_call_and_no_other() {
    let world = World::start();
    let site = world.operator(2, 1);
    let mut made = BTreeSet::new();
    for row in [
        &REGISTER,
        &REGISTER_ANOTHER,
        &REGISTER_WITH_SMALL_COINS,
        &SUBSCRIBE,
        &OFFER_MODEL,
        &UPDATE,
        &UNSUBSCRIBE,
        &SETTLE,
        &SETTLE_THREE,
        &SETTLE_WITH_ONE_COIN,
        &ATTEST,
        &DISPUTE,
        &CLAIM,
        &CLAIM_CONFIDENTIAL,
        &CLAIM_MIXED,
    ] {
        let calls = record_calls(&world, row, &(row.prepare)(&world, &site, 1)[0]);
        made.extend(calls);
    }
    assert_eq!(made, BTreeSet::from(CALLS));
}
