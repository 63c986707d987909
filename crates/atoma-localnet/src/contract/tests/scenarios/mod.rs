//! One scenario for every condition of `aborts.json`: what comes before, then the call itself.
//! Nodes 1 to 4 are registered; preparations that must go through are unwrapped.

mod claims;
mod nodes;
mod settlements;
mod tasks;

use super::chain::{CONFIDENTIAL, SAMPLING, TestChain, UNITS};
use crate::vm::MoveError;

/// What the last call of a scenario came to.
pub(super) type ScenarioResult = Result<(), MoveError>;
/// Function, condition, and what it means.
pub(super) type Scenario = (
    &'static str,
    &'static str,
    fn(&mut TestChain) -> ScenarioResult,
);

/// All scenarios.
pub(super) fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    [
        claims::SCENARIOS,
        nodes::SCENARIOS,
        settlements::SCENARIOS,
        tasks::SCENARIOS,
    ]
    .into_iter()
    .flatten()
}

fn done<T>(result: Result<T, MoveError>) -> ScenarioResult {
    result.map(|_| ())
}

/// A sampling-consensus task of these nodes, all settlements attested by `extra` nodes.
fn sampled(w: &mut TestChain, extra: u64, nodes: &[u64]) -> u64 {
    w.always_sample(extra);
    w.task(SAMPLING, nodes)
}

/// A stack of node 1 of a task of that level, bought and settled by its word alone.
fn settled(w: &mut TestChain, level: u16) -> u64 {
    let task = w.task(level, &[1]);
    let stack = w.stack(task);
    w.settle_drawn(stack, &[]);
    stack
}

/// A sampling-consensus stack of node 1, settled, node 2 drawn.
fn drawn(w: &mut TestChain) -> u64 {
    let task = sampled(w, 1, &[1, 2]);
    let stack = w.stack(task);
    w.settle_drawn(stack, &[2]);
    stack
}

/// A stack settled and attested honestly by node 2.
fn attested(w: &mut TestChain, attester: u64) -> u64 {
    let task = sampled(w, 1, &[1, 2]);
    let stack = w.stack(task);
    let leaves = [[2_u8; 32], [3; 32]].concat();
    let proof = atoma_domain::Hash32::of(&[&leaves]);
    w.settle_with(
        1,
        stack,
        UNITS,
        proof.as_bytes(),
        &[2; 32],
        Some(&[attester]),
    )
    .unwrap();
    w.attest_with(attester, stack, proof.as_bytes(), &[3; 32])
        .unwrap();
    stack
}

fn confidential_stack(w: &mut TestChain) -> u64 {
    let task = w.task(CONFIDENTIAL, &[1]);
    w.stack(task)
}

fn disable_and_destroy(w: &mut TestChain, node: u64) {
    w.disable(node).unwrap();
    w.epoch += 4;
    w.destroy(node).unwrap();
}
