//! One scenario for each condition of `aborts.json`: preparations, then the call itself. Nodes 1
//! to 4 are registered. Preparations that must succeed are unwrapped.

mod claims;
mod nodes;
mod settlements;
mod tasks;

use super::chain::{CONFIDENTIAL, SAMPLING, TestChain, UNITS};
use crate::vm::MoveError;

/// The result of a scenario's last call.
pub(super) type ScenarioResult = Result<(), MoveError>;
/// A function, a condition, and the calls that create the condition and then call the function.
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

/// A sampling-consensus task of these nodes, whose settlements draw `extra` attesters.
fn sampled(w: &mut TestChain, extra: u64, nodes: &[u64]) -> u64 {
    w.always_sample(extra);
    w.task(SAMPLING, nodes)
}

/// A stack of node 1, of a task of that level, settled without attesters.
fn settled(w: &mut TestChain, level: u16) -> u64 {
    let task = w.task(level, &[1]);
    let stack = w.stack(task);
    w.settle_drawn(stack, &[]);
    stack
}

/// A sampling-consensus stack of node 1, settled with node 2 drawn.
fn drawn(w: &mut TestChain) -> u64 {
    let task = sampled(w, 1, &[1, 2]);
    let stack = w.stack(task);
    w.settle_drawn(stack, &[2]);
    stack
}

/// A stack settled by node 1 and attested by `attester` with the same commitment.
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
