//! `epochs.json`: each operation some epochs after its base epoch.

use super::vectors::{assert_error, load, number, text};
use super::world::{CONFIDENTIAL, NONE, SAMPLING, UNITS, World};
use crate::vm::MoveError;

/// Prepares the case in its base epoch, and gives the call to be made later.
fn prepare(
    world: &mut World,
    function: &str,
    condition: &str,
) -> fn(&mut World) -> Result<(), MoveError> {
    let bought = |world: &mut World, level, nodes: &[u64]| {
        world.always_sample(1);
        let task = world.task(level, nodes);
        assert_eq!(world.stack(task), 1);
    };
    match (function, condition) {
        ("submit_stack_settlement_attestation", "ticket made in epoch base_epoch") => {
            bought(world, SAMPLING, &[1, 2]);
            world.settle_drawn(1, &[2]);
            |world| world.attest(2, 1)
        }
        ("claim_funds", "level 0 ticket made in epoch base_epoch")
        | ("claim_funds", "level 0 ticket made in epoch base_epoch (late claims)") => {
            bought(world, NONE, &[1]);
            world.settle(1, 1, UNITS).unwrap();
            |world| world.claim(1, &[1]).map(|_| ())
        }
        ("claim_funds", "level 2 ticket with attester drawn, not attested") => {
            bought(world, SAMPLING, &[1, 2]);
            world.settle_drawn(1, &[2]);
            |world| world.claim(1, &[1]).map(|_| ())
        }
        ("claim_funds", "level 2 ticket, all attested in epoch base_epoch") => {
            bought(world, SAMPLING, &[1, 2]);
            world.top_up(1_000_000);
            let leaves = [[2; 32], [3; 32]].concat();
            let proof = atoma_domain::Hash32::of(&[&leaves]);
            let proof = proof.as_bytes();
            world
                .settle_with(1, 1, UNITS, proof, &[2; 32], Some(&[2]))
                .unwrap();
            world.attest_with(2, 1, proof, &[3; 32]).unwrap();
            |world| world.claim(1, &[1]).map(|_| ())
        }
        (
            "start_attestation_dispute",
            "ticket made in epoch base_epoch, called by an unrelated node",
        ) => {
            bought(world, SAMPLING, &[1, 2]);
            world.settle_drawn(1, &[2]);
            |world| world.dispute(3, 1)
        }
        ("remove_deprecated_task", "deprecated in epoch base_epoch") => {
            world.task(NONE, &[1]);
            world.deprecate(1).unwrap();
            |world| world.remove_task(1).map(|_| ())
        }
        ("remove_deprecated_task_by_admin", "deprecated in epoch base_epoch") => {
            world.task(NONE, &[1]);
            world.deprecate(1).unwrap();
            |world| world.remove_task_by_admin(1).map(|_| ())
        }
        ("destroy_disabled_node", "disabled in epoch base_epoch") => {
            world.disable(1).unwrap();
            |world| world.destroy(1).map(|_| ())
        }
        ("try_settle_stack", "stack bought in epoch base_epoch") => {
            bought(world, NONE, &[1]);
            |world| world.settle(1, 1, UNITS)
        }
        ("claim_funds_for_stacks", "level 1 stack bought in epoch base_epoch") => {
            bought(world, CONFIDENTIAL, &[1]);
            |world| world.claim_confidential(1, &[1], &[UNITS]).map(|_| ())
        }
        other => panic!("no scenario for {other:?}"),
    }
}

#[test]
fn operations_open_and_close_in_the_measured_epochs() {
    let vectors = load("epochs.json");
    for vector in vectors.as_array().unwrap() {
        let mut world = World::new(3);
        world.epoch = number(&vector["base_epoch"]);
        let function = text(vector, "function");
        let run = prepare(&mut world, function, text(vector, "condition"));
        world.epoch = number(&vector["called_in_epoch"]);
        let case = vector.to_string();
        match (text(vector, "outcome"), run(&mut world)) {
            ("ok", result) => result.unwrap_or_else(|error| panic!("{case}: {error}")),
            (_, Err(error)) => assert_error(&error, vector, &case),
            (_, Ok(())) => panic!("{case}: went through"),
        }
    }
}
