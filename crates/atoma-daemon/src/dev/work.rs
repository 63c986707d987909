//! Served messages for the demo world.

use anyhow::Context;
use atoma_domain::model::NewMessage;
use atoma_domain::{ComputeUnits, Hash32, StackSmallId};
use atoma_localnet::demo::DemoStack;
use atoma_operator::{Operator, Ports};

/// Messages recorded on each stack.
const MESSAGES: u64 = 3;
/// Compute units of each message. Three messages leave a tenth of a stack unused.
const UNITS: u64 = 300_000;

/// Waits until the mirror knows the stacks, then records messages on those that have none.
pub(super) async fn record(operator: &Operator, stacks: &[DemoStack]) -> anyhow::Result<()> {
    let ids: Vec<StackSmallId> = stacks.iter().map(|stack| stack.stack_small_id).collect();
    let Ports { work, clock, .. } = operator.ports();
    for stack in operator.wait_for_stacks(&ids).await? {
        if stack.num_total_messages > 0 || stack.in_settle_period || stack.is_claimed {
            continue;
        }
        for message in 0..MESSAGES {
            let id = stack.stack_small_id.get().to_le_bytes();
            let hash = Hash32::of(&[b"demonstration", &id, &message.to_le_bytes()]);
            let (units, now) = (ComputeUnits::new(UNITS), clock.now());
            let message = NewMessage::new(stack.stack_small_id, hash, units, now);
            work.record_message(&message).await.with_context(|| {
                format!("can't record a message on stack {}", stack.stack_small_id)
            })?;
        }
    }
    Ok(())
}
