//! The demo world from the point of view of the daemon's operator.

use atoma_domain::SecurityLevel;
use atoma_localnet::LocalNet;
use atoma_localnet::demo::{Demo, DemoStack};

/// The stacks that the daemon's operator serves.
pub(super) fn own_stacks(demo: &Demo) -> Vec<DemoStack> {
    let Some(operator) = demo.operators.first() else {
        return Vec::new();
    };
    demo.stacks
        .iter()
        .filter(|stack| operator.nodes.contains(&stack.node_small_id))
        .copied()
        .collect()
}

/// Makes the contract draw the operator's other node to attest each of its sampling-consensus
/// stacks, so that one daemon can take a stack from settlement to claim.
pub(super) fn draw_own_attesters(network: &LocalNet, demo: &Demo, own: &[DemoStack]) {
    let Some(operator) = demo.operators.first() else {
        return;
    };
    let is_sampled =
        |stack: &&DemoStack| security_level(demo, stack) == SecurityLevel::SAMPLING_CONSENSUS;
    for stack in own.iter().filter(is_sampled) {
        let other = operator
            .nodes
            .iter()
            .find(|node| **node != stack.node_small_id);
        if let Some(other) = other {
            network.force_attesters(stack.stack_small_id, vec![*other]);
        }
    }
}

/// The security level of a stack's task.
pub(super) fn security_level(demo: &Demo, stack: &DemoStack) -> SecurityLevel {
    demo.tasks
        .iter()
        .find(|task| task.task_small_id == stack.task_small_id)
        .map_or(SecurityLevel::NONE, |task| {
            SecurityLevel::new(task.security_level)
        })
}
