//! `epochs.json`: operations some epochs after a base epoch.

use super::chain::{CONFIDENTIAL, NONE, SAMPLING, TestChain, UNITS};
use super::vectors::{assert_error, load, number, text};
use crate::vm::MoveError;

/// Prepares a case in its base epoch, and returns the call to make later.
fn prepare(
    chain: &mut TestChain,
    function: &str,
    condition: &str,
) -> fn(&mut TestChain) -> Result<(), MoveError> {
    let bought = |chain: &mut TestChain, level, nodes: &[u64]| {
        chain.always_sample(1);
        let task = chain.task(level, nodes);
        assert_eq!(chain.stack(task), 1);
    };
    match (function, condition) {
        ("submit_stack_settlement_attestation", "ticket made in epoch base_epoch") => {
            bought(chain, SAMPLING, &[1, 2]);
            chain.settle_drawn(1, &[2]);
            |chain| chain.attest(2, 1)
        }
        ("claim_funds", "level 0 ticket made in epoch base_epoch")
        | ("claim_funds", "level 0 ticket made in epoch base_epoch (late claims)") => {
            bought(chain, NONE, &[1]);
            chain.settle(1, 1, UNITS).unwrap();
            |chain| chain.claim(1, &[1]).map(|_| ())
        }
        ("claim_funds", "level 2 ticket with attester drawn, not attested") => {
            bought(chain, SAMPLING, &[1, 2]);
            chain.settle_drawn(1, &[2]);
            |chain| chain.claim(1, &[1]).map(|_| ())
        }
        ("claim_funds", "level 2 ticket, all attested in epoch base_epoch") => {
            bought(chain, SAMPLING, &[1, 2]);
            chain.top_up(1_000_000);
            let leaves = [[2; 32], [3; 32]].concat();
            let proof = atoma_domain::Hash32::of(&[&leaves]);
            let proof = proof.as_bytes();
            chain
                .settle_with(1, 1, UNITS, proof, &[2; 32], Some(&[2]))
                .unwrap();
            chain.attest_with(2, 1, proof, &[3; 32]).unwrap();
            |chain| chain.claim(1, &[1]).map(|_| ())
        }
        (
            "start_attestation_dispute",
            "ticket made in epoch base_epoch, called by an unrelated node",
        ) => {
            bought(chain, SAMPLING, &[1, 2]);
            chain.settle_drawn(1, &[2]);
            |chain| chain.dispute(3, 1)
        }
        ("remove_deprecated_task", "deprecated in epoch base_epoch") => {
            chain.task(NONE, &[1]);
            chain.deprecate(1).unwrap();
            |chain| chain.remove_task(1).map(|_| ())
        }
        ("remove_deprecated_task_by_admin", "deprecated in epoch base_epoch") => {
            chain.task(NONE, &[1]);
            chain.deprecate(1).unwrap();
            |chain| chain.remove_task_by_admin(1).map(|_| ())
        }
        ("destroy_disabled_node", "disabled in epoch base_epoch") => {
            chain.disable(1).unwrap();
            |chain| chain.destroy(1).map(|_| ())
        }
        ("try_settle_stack", "stack bought in epoch base_epoch") => {
            bought(chain, NONE, &[1]);
            |chain| chain.settle(1, 1, UNITS)
        }
        ("claim_funds_for_stacks", "level 1 stack bought in epoch base_epoch") => {
            bought(chain, CONFIDENTIAL, &[1]);
            |chain| chain.claim_confidential(1, &[1], &[UNITS]).map(|_| ())
        }
        other => panic!("no scenario for {other:?}"),
    }
}

#[test]
fn operations_succeed_in_the_measured_epochs() {
    let vectors = load("epochs.json");
    for vector in vectors.as_array().unwrap() {
        let mut chain = TestChain::new(3);
        chain.epoch = number(&vector["base_epoch"]);
        let function = text(vector, "function");
        let run = prepare(&mut chain, function, text(vector, "condition"));
        chain.epoch = number(&vector["called_in_epoch"]);
        let case = vector.to_string();
        match (text(vector, "outcome"), run(&mut chain)) {
            ("ok", result) => result.unwrap_or_else(|error| panic!("{case}: {error}")),
            (_, Err(error)) => assert_error(&error, vector, &case),
            (_, Ok(())) => panic!("{case}: succeeded"),
        }
    }
}
