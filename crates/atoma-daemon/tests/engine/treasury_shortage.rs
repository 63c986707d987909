//! Claims that the treasury can't pay all together: it pays those that it covers, and a few
//! simulations find the others.

use atoma_domain::StackSmallId;
use atoma_domain::journal::{Failure, IntentRecord, IntentStatus};
use atoma_operator::StackStatus;

use crate::support::audit::journal;
use crate::support::cases::FIRST;
use crate::support::fail_points::Plan;
use crate::support::generation::{Generation, PATIENCE, Site};
use crate::support::world::{CHARGE, SAMPLING, World, charge, gas};

const STACKS: u64 = 16;
/// A stack of rank `n` costs the treasury `n` times this at the usual charge, in micro-USDC.
const COST: u64 = 100;

/// Settled stacks that can be claimed, the most expensive first. The daemon doesn't check the
/// treasury again on its own.
fn settled() -> (World, Site, Vec<StackSmallId>) {
    let world = World::start();
    let site = Site {
        treasury_interval: 2 * PATIENCE,
        ..world.operator(1, 1)
    };
    let mut stacks = Vec::new();
    for rank in (1..=STACKS).rev() {
        stacks.extend(world.buy_at_price(SAMPLING, FIRST, 1, rank * COST * 1_000));
    }
    world.draw(&stacks, None);
    let generation = world.begin(&site);
    generation.run(async {
        generation.record(&stacks, None).await;
        generation.settle(&stacks).await;
    });
    generation.stop();
    world.network.advance_epoch().unwrap();
    (world, site, stacks)
}

fn treasury(world: &World) -> u64 {
    let state = world.network.state().unwrap();
    state["fee_treasury"].as_u64().unwrap()
}

/// Claims the stacks and returns those that were paid. The others wait for the treasury.
async fn claim(generation: &Generation, stacks: &[StackSmallId]) -> Vec<StackSmallId> {
    generation.catch_up().await;
    generation.points.arm(Plan::new());
    let claimed = generation.operator.claim(stacks, FIRST.into(), gas());
    let mut paid = Vec::new();
    for result in claimed.await.unwrap() {
        match result.status {
            StackStatus::Succeeded => paid.push(result.stack_small_id),
            _ => assert!(
                matches!(
                    result.failure,
                    Some(Failure::TreasuryShort {} | Failure::Abandoned {})
                ),
                "{result:?}"
            ),
        }
    }
    paid
}

#[test]
fn if_none_can_be_paid_as_many_simulations_as_halvings_find_it() {
    let (world, site, stacks) = settled();
    charge(&world.network, u64::from(u32::MAX));
    let generation = world.begin(&site);
    generation.run(async {
        assert_eq!(claim(&generation, &stacks).await, []);
        assert_eq!(generation.unfinished().await.len(), stacks.len());
        // With 16, 8, 4, 2 and 1 claims.
        assert_eq!(generation.points.count("chain.simulate"), 5);
        assert_eq!(generation.points.count("chain.execute"), 0);

        // A repeated request tries a claim that was not tried alone yet.
        charge(&world.network, CHARGE);
        assert_eq!(claim(&generation, &stacks[..1]).await, stacks[..1]);
    });
    generation.stop();
}

#[test]
fn the_cheapest_are_paid_as_far_as_the_treasury_goes() {
    let (world, site, stacks) = settled();
    let before = treasury(&world);
    // Enough for the five cheapest, 15 times the cost of one, and not for the sixth.
    let permille = before * CHARGE / (18 * COST);
    charge(&world.network, permille);
    let generation = world.begin(&site);
    generation.run(async {
        let mut cheapest = stacks[stacks.len() - 5..].to_vec();
        let mut paid = claim(&generation, &stacks).await;
        cheapest.sort_unstable();
        paid.sort_unstable();
        assert_eq!(paid, cheapest);
        assert!(treasury(&world) < 6 * COST * permille / CHARGE);
        let simulations = generation.points.count("chain.simulate");
        assert!(simulations <= 10, "{simulations} simulations");
    });
    generation.stop();
}

#[test]
fn waiting_claims_are_tried_even_if_the_treasury_does_not_grow() {
    let (world, site, stacks) = settled();
    charge(&world.network, u64::from(u32::MAX));
    let before = treasury(&world);
    let site = Site {
        treasury_interval: std::time::Duration::from_millis(1),
        ..site
    };
    let generation = world.begin(&site);
    generation.run(async {
        assert_eq!(claim(&generation, &stacks).await, []);
        let all_tried = async || {
            let simulated = generation.points.count("chain.simulate");
            (simulated >= 4 + stacks.len()).then_some(())
        };
        generation.points.until(all_tried).await;
        // They succeed once the treasury can pay them.
        charge(&world.network, CHARGE);
        world.buy_at_price(SAMPLING, FIRST, 1, COST * 1_000);
        assert!(treasury(&world) > before);
        generation.all_final().await;
    });
    generation.stop();
}

#[test]
fn an_expensive_claim_abandoned_while_its_batch_is_in_flight_fails_with_the_batch() {
    let (world, site, stacks) = settled();
    let (expensive, cheap) = (stacks[0], stacks[15]);
    let generation = world.begin(&site);
    generation.run(async {
        generation.catch_up().await;
        let reached = generation.points.hold("chain.execute");
        let claimed = async { claim(&generation, &[cheap, expensive]).await };
        let abandoned = async {
            let of_expensive =
                |record: &IntentRecord| record.intent.action.stack() == Some(expensive);
            let submitted = async || {
                let found = journal(&generation).await.into_iter().find(of_expensive)?;
                (found.status == IntentStatus::Submitted).then_some(found.intent.id)
            };
            let id = generation.points.until(submitted).await;
            // By the time of execution it is too much for the treasury.
            charge(&world.network, u64::from(u32::MAX));
            let abandoning = generation.engine.abandon(id, PATIENCE);
            let release = async { reached.cancel() };
            // Abandon comes before the batch ends.
            let (abandoned, ()) = tokio::join!(abandoning, release);
            abandoned.unwrap();
            journal(&generation)
                .await
                .into_iter()
                .find(of_expensive)
                .unwrap()
        };
        let (paid, abandoned) = tokio::join!(claimed, abandoned);
        assert_eq!(paid, []);
        assert_eq!(abandoned.status, IntentStatus::Failed);
        assert_eq!(abandoned.failure, Some(Failure::Abandoned {}));
        // The other one waits.
        assert_eq!(generation.unfinished().await.len(), 1);
    });
    generation.stop();
}
