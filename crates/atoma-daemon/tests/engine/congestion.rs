//! Lasting congestion: the daemon gives up after its tries and reports the congestion.

use atoma_domain::journal::Failure;
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::EngineConfig;

use crate::support::cases::FIRST;
use crate::support::request::Request;
use crate::support::world::{NONE, World};

#[test]
fn a_transaction_that_is_cancelled_repeatedly_is_given_up_and_counts_as_a_failure() {
    let world = World::start();
    let site = world.operator(1, 1);
    let stacks = world.buy(NONE, FIRST, 1);
    let generation = world.begin(&site);
    generation.run(generation.record(&stacks, None));
    let tries = EngineConfig::default().sign_attempts;
    world.network.inject_fault(Fault {
        count: u64::from(tries),
        ..Fault::once(FaultKind::Congestion)
    });
    generation.run(async {
        let request = Request::Settle(stacks);
        let answers = request.send(&generation.operator, FIRST).await;
        let [Err(Failure::ExecutionFailed { reason })] = &answers[..] else {
            panic!("{answers:?}");
        };
        assert!(reason.contains("CONGESTION"), "{reason}");
        assert_eq!(generation.points.count("chain.execute"), 5);
        let limits = generation.engine.limits().await.unwrap();
        assert_eq!(limits.failures_in_a_row, 1);
        // Nothing was executed, so the request can be repeated.
        assert_eq!(request.send(&generation.operator, FIRST).await, [Ok(())]);
        assert_eq!(
            generation.engine.limits().await.unwrap().failures_in_a_row,
            0
        );
    });
    generation.stop();
}
