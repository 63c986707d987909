//! What the operator's nodes have to do, as the autopilot saw it.

use std::collections::HashSet;

use atoma_domain::autopilot::{Duty, DutyKind, Moment, Standing, WaitsFor};
use atoma_domain::{StackSmallId, TimestampMs};

/// What the operator's nodes had to do at one moment.
#[derive(Clone, Debug)]
pub struct Survey {
    /// When it was made, by the daemon's clock.
    pub taken_at: TimestampMs,
    /// The time of its decisions.
    pub moment: Moment,
    /// The duties: the most urgent kind first, then by deadline and stack.
    pub duties: Vec<Duty>,
    /// The stacks whose reservations should begin or end to be refused.
    pub(super) draining: Draining,
}

/// Stacks that are to be settled once their reservations have ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Draining {
    pub(super) begin: Vec<StackSmallId>,
    pub(super) end: Vec<StackSmallId>,
    /// Those that drain and should go on, unless nothing is settled for now.
    pub(super) go_on: Vec<StackSmallId>,
}

impl Survey {
    /// Those that are due.
    pub fn due(&self) -> impl Iterator<Item = &Duty> {
        let duties = self.duties.iter();
        duties.filter(|duty| matches!(duty.standing, Standing::Due(_)))
    }
}

impl Draining {
    /// What should change, if these stacks drain now.
    pub(super) fn of(duties: &[Duty], draining: &HashSet<StackSmallId>) -> Self {
        let mut change = Self::default();
        for duty in duties.iter().filter(|duty| duty.kind != DutyKind::Attest) {
            let Some(stack) = duty.stack_small_id else {
                continue;
            };
            let is_draining = draining.contains(&stack);
            let waits_for_reservations = matches!(
                duty.standing,
                Standing::Waiting {
                    waits_for: WaitsFor::Reservations,
                    ..
                }
            );
            let is_closing = waits_for_reservations
                || matches!(
                    duty.standing,
                    Standing::Due(_)
                        | Standing::Waiting {
                            waits_for: WaitsFor::UnderWay,
                            ..
                        }
                );
            match (is_draining, is_closing) {
                (false, _) if waits_for_reservations => change.begin.push(stack),
                (true, true) => change.go_on.push(stack),
                (true, false) => change.end.push(stack),
                (false, _) => {}
            }
        }
        change
    }

    /// What should change while nothing is settled. A stack that is settled all the same is closed anyway.
    pub(super) fn paused(self) -> Self {
        let Self {
            begin: _,
            mut end,
            go_on,
        } = self;
        end.extend(go_on);
        Self {
            end,
            ..Self::default()
        }
    }
}
