//! An intent that the operator abandons before the recovery.

use std::time::Duration;

use atoma_domain::journal::{Failure, IntentStatus};
use atoma_operator::AbandonError;

use crate::support::audit::journal_agrees_with_ledger;
use crate::support::cases::FIRST;
use crate::support::fail_points::{CrashPoint, Side};
use crate::support::request::Request;
use crate::support::world::{NONE, World};

/// While the Sui node is down, the API already serves before the recovery, so an operator may
/// abandon what was sent.
#[test]
fn a_sent_transaction_abandoned_before_the_recovery_is_recovered_anyway() {
    let world = World::start();
    let site = world.operator(1, 1);
    let stacks = world.buy(NONE, FIRST, 2);
    let generation = world.begin(&site);
    generation.run(generation.record(&stacks, None));
    // The attempt is in the journal, but its bytes were never sent.
    generation.points.arm_crash(CrashPoint {
        name: "chain.execute",
        nth: 1,
        side: Side::Before,
    });
    let request = Request::Settle(stacks[..1].to_vec());
    assert!(
        generation
            .run_until_crash(request.send(&generation.operator, FIRST))
            .is_none()
    );
    generation.kill();

    let generation = world.begin(&site);
    generation.run(async {
        let open = generation.unfinished().await;
        let [id] = open[..] else { panic!("{open:?}") };
        let abandoned = generation
            .engine
            .abandon(id, Duration::from_millis(200))
            .await;
        assert!(
            matches!(
                abandoned,
                Err(AbandonError::Refused(Failure::MayStillExecute { .. }))
            ),
            "{abandoned:?}"
        );
        generation.recover().await;
        let waited = generation.engine.wait(&[id], Duration::ZERO).await;
        assert_eq!(waited[0].status, IntentStatus::Succeeded);
        generation.settle(&stacks[1..]).await;
        journal_agrees_with_ledger(&generation).await;
    });
    generation.stop();
}
