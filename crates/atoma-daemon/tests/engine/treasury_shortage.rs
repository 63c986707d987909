//! Many claims that the treasury is too small for together: those that it covers are paid, and the
//! others are known by few simulations.

use atoma_domain::StackSmallId;
use atoma_domain::journal::{Failure, IntentRecord, IntentStatus};
use atoma_operator::StackStatus;

use crate::support::audit::journal;
use crate::support::generation::{Generation, PATIENCE, Site};
use crate::support::subjects::FIRST;
use crate::support::world::{CHARGE, SAMPLING, World, charge, choice, gas};

const STACKS: u64 = 16;
/// What a stack of that rank costs the treasury, in micro-USDC, at the usual charge.
const COST: u64 = 100;

/// Settled stacks that can be claimed, the dearest first, and a treasury that is not looked at again.
fn settled() -> (World, Site, Vec<StackSmallId>) {
    let world = World::start();
    let site = Site {
        treasury_interval: 2 * PATIENCE,
        ..world.operator(1, 1)
    };
    let mut stacks = Vec::new();
    for rank in (1..=STACKS).rev() {
        stacks.extend(world.buy_at(SAMPLING, FIRST, 1, rank * COST * 1_000));
    }
    world.draw(&stacks, None);
    let generation = world.begin(&site);
    generation.finish(async {
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

/// Claims the stacks; tells which were paid. The others wait for the treasury.
async fn claim(generation: &Generation, stacks: &[StackSmallId]) -> Vec<StackSmallId> {
    generation.catch_up().await;
    generation.points.arm(crate::support::points::Plan::new());
    let claimed = generation.operator.claim(stacks, choice(FIRST), gas());
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
fn that_none_can_be_paid_is_known_after_as_many_simulations_as_halvings() {
    let (world, site, stacks) = settled();
    charge(&world.network, u64::from(u32::MAX));
    let generation = world.begin(&site);
    generation.finish(async {
        assert_eq!(claim(&generation, &stacks).await, []);
        assert_eq!(generation.unfinished().await.len(), stacks.len());
        // Of 16, 8, 4, 2 and 1.
        assert_eq!(generation.points.count("chain.simulate"), 5);
        assert_eq!(generation.points.count("chain.execute"), 0);

        // What was not tried is tried when it is asked for again.
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
    generation.finish(async {
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
fn what_waits_untried_is_tried_though_the_treasury_does_not_grow() {
    let (world, site, stacks) = settled();
    charge(&world.network, u64::from(u32::MAX));
    let before = treasury(&world);
    let site = Site {
        treasury_interval: std::time::Duration::from_millis(1),
        ..site
    };
    let generation = world.begin(&site);
    generation.finish(async {
        assert_eq!(claim(&generation, &stacks).await, []);
        let all_tried = async || {
            let simulated = generation.points.count("chain.simulate");
            (simulated >= 4 + stacks.len()).then_some(())
        };
        generation.points.until(all_tried).await;
        // And they are made once they can be.
        charge(&world.network, CHARGE);
        world.buy_at(SAMPLING, FIRST, 1, COST * 1_000);
        assert!(treasury(&world) > before);
        generation.all_final().await;
    });
    generation.stop();
}

#[test]
fn a_dear_claim_that_is_given_up_while_its_batch_is_under_way_fails_as_the_batch_does() {
    let (world, site, stacks) = settled();
    let (dear, cheap) = (stacks[0], stacks[15]);
    let generation = world.begin(&site);
    generation.finish(async {
        generation.catch_up().await;
        let reached = generation.points.hold("chain.execute");
        let claimed = async { claim(&generation, &[cheap, dear]).await };
        let given_up = async {
            let of_dear = |record: &IntentRecord| record.intent.action.stack() == Some(dear);
            let submitted = async || {
                let found = journal(&generation).await.into_iter().find(of_dear)?;
                (found.status == IntentStatus::Submitted).then_some(found.intent.id)
            };
            let id = generation.points.until(submitted).await;
            // Too much for the treasury, when it comes to be executed.
            charge(&world.network, u64::from(u32::MAX));
            let giving_up = generation.engine.abandon(id, PATIENCE);
            let release = async { reached.cancel() };
            // It is asked for before the batch ends.
            let (given_up, ()) = tokio::join!(giving_up, release);
            given_up.unwrap();
            journal(&generation)
                .await
                .into_iter()
                .find(of_dear)
                .unwrap()
        };
        let (paid, given_up) = tokio::join!(claimed, given_up);
        assert_eq!(paid, []);
        assert_eq!(given_up.status, IntentStatus::Failed);
        assert_eq!(given_up.failure, Some(Failure::Abandoned {}));
        // The other waits.
        assert_eq!(generation.unfinished().await.len(), 1);
    });
    generation.stop();
}
