//! Congestion that lasts: it is given up some time, and told as what it was.

use atoma_domain::journal::Failure;
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::EngineConfig;

use crate::support::ask::Ask;
use crate::support::subjects::FIRST;
use crate::support::world::{NONE, World};

#[test]
fn what_is_cancelled_again_and_again_is_given_up_and_counts_as_a_failure() {
    let world = World::start();
    let site = world.operator(1, 1);
    let stacks = world.buy(NONE, FIRST, 1);
    let generation = world.begin(&site);
    generation.finish(generation.record(&stacks, None));
    let tries = EngineConfig::default().sign_attempts;
    world.network.inject_fault(Fault {
        count: u64::from(tries),
        ..Fault::once(FaultKind::Congestion)
    });
    generation.finish(async {
        let ask = Ask::Settle(stacks);
        let answers = ask.make(&generation.operator, FIRST).await;
        let [Err(Failure::ExecutionFailed { reason })] = &answers[..] else {
            panic!("{answers:?}");
        };
        assert!(reason.contains("CONGESTION"), "{reason}");
        assert_eq!(generation.points.count("chain.execute"), 5);
        let brakes = generation.engine.limits().await.unwrap();
        assert_eq!(brakes.failures_in_a_row, 1);
        // Nothing was done, so it can be asked for anew.
        assert_eq!(ask.make(&generation.operator, FIRST).await, [Ok(())]);
        assert_eq!(
            generation.engine.limits().await.unwrap().failures_in_a_row,
            0
        );
    });
    generation.stop();
}
