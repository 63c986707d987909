//! Recoveries that are disturbed.

use std::time::Duration;

use atoma_domain::journal::{Failure, IntentStatus};
use atoma_operator::AbandonError;

use crate::support::ask::Ask;
use crate::support::audit::journal_agrees_with_ledger;
use crate::support::points::{Moment, Side};
use crate::support::subjects::FIRST;
use crate::support::world::{NONE, World};

/// Reads are served before the recovery, while the Sui node is away: an operator may lose patience.
#[test]
fn a_sent_transaction_that_is_given_up_before_the_recovery_is_recovered_all_the_same() {
    let world = World::start();
    let site = world.operator(1, 1);
    let stacks = world.buy(NONE, FIRST, 2);
    let generation = world.begin(&site);
    generation.finish(generation.record(&stacks, None));
    // Its attempt is journalled, and nobody has the bytes.
    generation.points.arm_crash(Moment {
        name: "chain.execute",
        nth: 1,
        side: Side::Before,
    });
    let ask = Ask::Settle(stacks[..1].to_vec());
    assert!(
        generation
            .drive(ask.make(&generation.operator, FIRST))
            .is_none()
    );
    generation.kill();

    let generation = world.begin(&site);
    generation.finish(async {
        let open = generation.unfinished().await;
        let [id] = open[..] else { panic!("{open:?}") };
        let given_up = generation
            .engine
            .abandon(id, Duration::from_millis(200))
            .await;
        assert!(
            matches!(
                given_up,
                Err(AbandonError::Refused(Failure::MayStillExecute { .. }))
            ),
            "{given_up:?}"
        );
        generation.recover().await;
        let waited = generation.engine.wait(&[id], Duration::ZERO).await;
        assert_eq!(waited[0].status, IntentStatus::Succeeded);
        generation.settle(&stacks[1..]).await;
        journal_agrees_with_ledger(&generation).await;
    });
    generation.stop();
}
