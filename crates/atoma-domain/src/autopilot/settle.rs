//! When to settle a stack, or to claim one of a confidential task: when it is nearly used up, idle, or about to be lost.

use super::circumstances::Circumstances;
use super::claim::claim_standing;
use super::duty::{Duty, DutyKind, Obstacle, Standing, WaitsFor, Why};
use super::moment::{Moment, later};
use super::policy::{DutyPolicies, SettlePolicy};
use super::unpaid_stack::UnpaidStack;
use crate::SecurityLevel;
use crate::contract::stack_fee;
use crate::model::Task;

/// The next duty of a stack's selected node: to settle it, or to claim it. `task` is the stack's; `None` if the mirror
/// doesn't know it.
pub fn stack_duty(stack: &UnpaidStack, task: Option<&Task>, at: &Circumstances<'_>) -> Duty {
    let policies = at.policy.of_task(Some(stack.task_small_id));
    let is_confidential =
        task.is_some_and(|task| task.security_level == SecurityLevel::CONFIDENTIAL_COMPUTE);
    let kind = match stack.ticket {
        None if !is_confidential => DutyKind::Settle,
        _ => DutyKind::Claim,
    };
    let mut duty = Duty {
        kind,
        stack_small_id: Some(stack.stack_small_id),
        task_small_id: Some(stack.task_small_id),
        node_small_id: stack.selected_node_id,
        standing: Standing::Blocked(Obstacle::UnknownTask),
        deadline: None,
        proceeds: None,
        since: stack.ticket.as_ref().map(|ticket| ticket.settled_at),
    };
    let Some(task) = task else {
        return duty;
    };
    let fee = stack_fee(
        task.security_level,
        stack.payable_units(),
        stack.price_per_one_million_compute_units,
        at.charge,
    );
    duty.proceeds = fee;
    let is_untouched = stack.ticket.is_none() && stack.num_total_messages == 0;
    duty.standing = if is_untouched {
        Standing::waiting(WaitsFor::FirstMessage)
    } else if task.removed_at_epoch.is_some() {
        Standing::Blocked(Obstacle::TaskRemoved)
    } else if fee.is_none() {
        Standing::Blocked(Obstacle::FeeOverflows)
    } else if let Some(ticket) = stack.ticket.as_ref().filter(|_| !is_confidential) {
        claim_standing(ticket, task, policies, at)
    } else if stack.ticket.is_some() {
        // A confidential stack that was settled by mistake: it is paid by its ticket at once.
        turned_off_unless(policies.claim.is_on).unwrap_or(Standing::Due(Why::Filled))
    } else {
        closing_standing(stack, task, policies, at)
    };
    if let Standing::Blocked(_) = duty.standing {
        duty.proceeds = None;
    }
    if kind == DutyKind::Claim && stack.ticket.is_none() && duty.standing.is_due_or_drains() {
        duty.since = stack.last_recorded_at;
    }
    duty
}

/// How the settlement of an open stack stands, or the claim that takes its place.
fn closing_standing(
    stack: &UnpaidStack,
    task: &Task,
    policies: &DutyPolicies,
    at: &Circumstances<'_>,
) -> Standing {
    let is_confidential = task.security_level == SecurityLevel::CONFIDENTIAL_COMPUTE;
    let is_on = match is_confidential {
        true => policies.claim.is_on,
        false => policies.settle.is_on,
    };
    if stack.is_frozen {
        return Standing::waiting(WaitsFor::UnderWay);
    }
    if let Some(off) = turned_off_unless(is_on) {
        return off;
    }
    // Neither a settlement without messages nor a claim of 0 units can succeed.
    if stack.num_total_messages == 0 || (is_confidential && stack.already_computed_units.get() == 0)
    {
        return Standing::waiting(WaitsFor::FirstMessage);
    }
    let settle = &policies.settle;
    let Some(why) = reason_to_close(stack, task, settle, at.moment) else {
        let idle_from = stack.last_recorded_at;
        return Standing::Waiting {
            waits_for: WaitsFor::MoreMessages,
            until: idle_from.map(|last| later(last, settle.idle_after)),
        };
    };
    // Only sampling consensus draws nodes, and a task that ends can't wait for them.
    if task.security_level == SecurityLevel::SAMPLING_CONSENSUS
        && why != Why::TaskDeprecated
        && at.moment.is_in_last(settle.quiet)
    {
        return Standing::Waiting {
            waits_for: WaitsFor::NextEpoch,
            until: at.moment.epoch_ends_at(),
        };
    }
    // A lease ends by the clock, whatever the epoch.
    if stack.is_reserved(at.moment.clock()) {
        return Standing::Waiting {
            waits_for: WaitsFor::Reservations,
            until: stack.reserved_until,
        };
    }
    Standing::Due(why)
}

/// Why an open stack should be closed now; `None` while it should serve on.
fn reason_to_close(
    stack: &UnpaidStack,
    task: &Task,
    settle: &SettlePolicy,
    moment: &Moment,
) -> Option<Why> {
    if task.deprecated_at_epoch.is_some() {
        return Some(Why::TaskDeprecated);
    }
    if is_filled(stack, settle) {
        return Some(Why::Filled);
    }
    let last = stack.last_recorded_at?;
    moment
        .is_after(last, settle.idle_after)
        .then_some(Why::Idle)
}

/// Whether at least the policy's share of the units is computed.
fn is_filled(stack: &UnpaidStack, settle: &SettlePolicy) -> bool {
    let computed = u128::from(stack.already_computed_units.get());
    let total = u128::from(stack.num_compute_units.get());
    // A share above the whole is as good as the whole.
    let share = u128::from(settle.fill.get().min(1_000));
    computed * 1_000 >= total * share
}

fn turned_off_unless(is_on: bool) -> Option<Standing> {
    (!is_on).then(|| Standing::waiting(WaitsFor::TurnedOff))
}
