//! A key rotation that the mirror has not applied is known from the node's entry in the contract.

use crate::support::audit::journal_agrees_with_ledger;
use crate::support::cases::to_rotate_key;
use crate::support::matrix::{Idempotency, assert_done_once};
use crate::support::world::World;

#[test]
fn a_rotation_that_the_mirror_lacks_is_not_sent_again() {
    let world = World::start();
    let site = world.operator(1, 1);
    let case = &to_rotate_key(&world, &site, 1)[0];
    let generation = world.begin(&site);
    generation.run(generation.catch_up());
    generation.stop_following();
    generation.run(async {
        let first = case.request.send(&generation.operator, case.node).await;
        assert_eq!(first, [Ok(())]);
        let second = case.request.send(&generation.operator, case.node).await;
        let [Err(failure)] = second.as_slice() else {
            panic!("{second:?}");
        };
        assert!(case.request.is_already_done(failure), "{failure:?}");
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, case, Idempotency::Keyed, "repeated");
    });
    generation.stop();
}
