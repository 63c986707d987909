//! The gas coins of a signed attempt stay leased until its outcome is known, also across a crash.

use std::collections::BTreeMap;

use atoma_domain::journal::{Attempt, GasOptions};
use atoma_domain::{Mist, ObjectId, StackSmallId};
use atoma_operator::{NodeChoice, StackResult, StackStatus};

use crate::support::audit::{journal, journal_agrees_with_ledger};
use crate::support::cases::{to_register_with_small_coins, to_settle_with_one_coin};
use crate::support::fail_points::{CrashPoint, Side};
use crate::support::generation::Generation;
use crate::support::matrix::{Idempotency, Row, crash_at, record_calls};
use crate::support::world::{NONE, World};

const COIN: u64 = 50_000_000;
const BUDGET: u64 = 120_000_000;

const SIGNED: CrashPoint = CrashPoint {
    name: "journal.record_attempt",
    nth: 1,
    side: Side::After,
};

/// The signed attempts whose outcome is unknown, ordered by digest.
async fn open_attempts(generation: &Generation) -> Vec<Attempt> {
    let unfinished = generation.ports.journal.unfinished().await.unwrap();
    let attempts = unfinished.into_iter().filter_map(|open| open.attempt);
    let by_digest: BTreeMap<_, _> = attempts.map(|a| (a.digest(), a)).collect();
    by_digest.into_values().collect()
}

fn coins(attempt: &Attempt) -> Vec<ObjectId> {
    attempt.gas.iter().map(|coin| *coin.object_id()).collect()
}

/// Settles a stack with a budget that needs three coins.
async fn settle(generation: &Generation, stack: StackSmallId) -> StackResult {
    let gas = GasOptions {
        budget: Some(Mist::new(BUDGET)),
        ..GasOptions::default()
    };
    let operator = &generation.operator;
    let results = operator
        .settle(&[stack], None, NodeChoice::default(), gas)
        .await;
    results.unwrap().remove(0)
}

async fn until_sent(generation: &Generation, times: usize) {
    let is_sent = async || (generation.points.count("chain.execute") == times).then_some(());
    generation.points.until(is_sent).await;
}

#[test]
fn the_small_coins_of_the_matrix_pay_together() {
    let world = World::start();
    let site = world.operator(0, 1);
    let case = to_register_with_small_coins(&world, &site, 1).remove(0);
    let row = Row::new(0, to_register_with_small_coins);
    assert!(crash_at(&world, &row, &case, Idempotency::Keyed, SIGNED));
    let generation = world.begin(&case.site);
    let open = generation.run(open_attempts(&generation));
    assert_eq!(open.len(), 1);
    assert!(open[0].gas.len() > 1, "{open:?}");
    generation.stop();
}

#[test]
fn the_one_coin_of_the_matrix_is_split() {
    let world = World::start();
    let site = world.operator(0, 1);
    let case = to_settle_with_one_coin(&world, &site, 1).remove(0);
    let row = Row::new(0, to_settle_with_one_coin);
    record_calls(&world, &row, &case);
    let generation = world.begin(&case.site);
    let chain = &generation.ports.chain;
    let coins = generation.run(chain.gas_coins(case.site.address));
    assert!(coins.unwrap().len() > 1);
    generation.stop();
}

/// The daemon crashes after it signed the first node's settlement. The next daemon sends it, but it
/// does not arrive until the second node has paid for its own settlement.
#[test]
fn the_coins_of_an_attempt_from_before_a_crash_pay_for_nothing_else() {
    let world = World::start();
    let site = world.new_operator(&[COIN; 10]);
    let nodes = world.register(&site, 2);
    let [first, second] = [0, 1].map(|place| world.buy(NONE, nodes[place], 1)[0]);
    let generation = world.begin(&site);
    generation.run(generation.record(&[first, second], None));
    generation.points.arm_crash(SIGNED);
    assert_eq!(generation.run_until_crash(settle(&generation, first)), None);
    generation.kill();

    let generation = world.begin(&site);
    generation.run(async {
        let before = open_attempts(&generation).await.remove(0);
        assert_eq!(before.gas.len(), 3, "{before:?}");
        let arrives = generation.points.hold("chain.execute");
        generation.engine.recover().await.unwrap();
        until_sent(&generation, 1).await;
        generation.catch_up().await;
        let arrives_too = generation.points.hold("chain.execute");
        let meanwhile = async {
            until_sent(&generation, 2).await;
            let open = open_attempts(&generation).await;
            assert_eq!(open.len(), 2);
            let other = open.iter().find(|open| **open != before).unwrap();
            assert_eq!(other.gas.len(), 3, "{other:?}");
            let (ours, its) = (coins(&before), coins(other));
            assert!(its.iter().all(|coin| !ours.contains(coin)), "{open:?}");
            arrives_too.cancel();
            arrives.cancel();
        };
        let (settled, ()) = tokio::join!(settle(&generation, second), meanwhile);
        assert_eq!(settled.status, StackStatus::Succeeded, "{settled:?}");
        generation.all_final().await;
        let records = journal(&generation).await;
        let digest = before.digest();
        assert!(
            records
                .iter()
                .any(|record| record.tx_digest == Some(digest))
        );
        journal_agrees_with_ledger(&generation).await;
    });
    generation.stop();
}
