//! What failed: when it is tried again, and how often something failed lately.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use atoma_domain::autopilot::{Duty, DutyKind};
use atoma_domain::journal::Failure;
use atoma_domain::{NodeSmallId, StackSmallId};

/// How many failures are counted at most. More are more than enough for a pause.
const COUNTED: usize = 10_000;

/// A duty, to be found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DutyKey {
    pub(super) kind: DutyKind,
    pub(super) stack: Option<StackSmallId>,
    pub(super) node: NodeSmallId,
}

impl DutyKey {
    pub(super) const fn new(
        kind: DutyKind,
        stack: Option<StackSmallId>,
        node: NodeSmallId,
    ) -> Self {
        Self { kind, stack, node }
    }

    pub(super) const fn of(duty: &Duty) -> Self {
        Self::new(duty.kind, duty.stack_small_id, duty.node_small_id)
    }

    /// The first and the longest pause between two tries. An attestation has a deadline.
    const fn pauses(self) -> [Duration; 2] {
        match self.kind {
            DutyKind::Attest => [Duration::from_secs(2), Duration::from_secs(60)],
            DutyKind::Settle | DutyKind::Claim | DutyKind::Withdraw => {
                [Duration::from_secs(15), Duration::from_secs(3_600)]
            }
        }
    }
}

/// What failed, by the time that this process has seen pass.
#[derive(Debug, Default)]
pub(super) struct Setbacks {
    waiting: HashMap<DutyKey, Setback>,
    /// When something failed for good, oldest first.
    failures: VecDeque<Duration>,
}

#[derive(Debug)]
struct Setback {
    times: u32,
    until: Duration,
}

impl Setbacks {
    /// Notes that a duty failed. It is tried again after a pause that doubles each time.
    pub(super) fn note(&mut self, key: DutyKey, failure: &Failure, is_final: bool, now: Duration) {
        let [first, longest] = key.pauses();
        // What is no longer tried is forgotten, long after its pause.
        self.waiting
            .retain(|_, setback| now < setback.until.saturating_add(longest.max(first) * 2));
        let times = self.waiting.get(&key).map_or(0, |setback| setback.times);
        let pause = first.saturating_mul(1 << times.min(16)).min(longest);
        let setback = Setback {
            times: times.saturating_add(1),
            until: now.saturating_add(pause),
        };
        self.waiting.insert(key, setback);
        if is_final && !is_harmless(failure) {
            self.failures.push_back(now);
            if self.failures.len() > COUNTED {
                self.failures.pop_front();
            }
        }
    }

    /// Notes that a duty is done.
    pub(super) fn forget(&mut self, key: DutyKey) {
        self.waiting.remove(&key);
    }

    /// For how long a duty is not tried again, if so.
    pub(super) fn pause_of(&self, key: DutyKey, now: Duration) -> Option<Duration> {
        let left = self.waiting.get(&key)?.until.checked_sub(now)?;
        (!left.is_zero()).then_some(left)
    }

    /// How many duties have failed within this time.
    pub(super) fn within(&mut self, window: Duration, now: Duration) -> u32 {
        let since = now.saturating_sub(window);
        while self.failures.front().is_some_and(|at| *at < since) {
            self.failures.pop_front();
        }
        u32::try_from(self.failures.len()).unwrap_or(u32::MAX)
    }

    /// Forgets the failures, because a person has seen them.
    pub(super) fn forget_failures(&mut self) {
        self.failures.clear();
    }
}

/// Whether a failure only says that there is nothing left to do, or that the time has not come: the mirror was behind.
pub(super) const fn is_harmless(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::AlreadyAttested { .. }
            | Failure::AlreadySettling { .. }
            | Failure::AlreadyClaimed { .. }
            | Failure::NothingToWithdraw { .. }
            | Failure::NotYetClaimable { .. }
            | Failure::RequestsInProgress { .. }
            | Failure::InFlightWithOtherParameters { .. }
            | Failure::Abandoned {}
            | Failure::TreasuryShort {}
    ) || failure.is_transient()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn key(kind: DutyKind) -> DutyKey {
        DutyKey::new(kind, Some(StackSmallId::new(1)), NodeSmallId::new(1))
    }

    fn failed() -> Failure {
        Failure::ExecutionFailed {
            reason: String::from("it was refused"),
        }
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let mut setbacks = Setbacks::default();
        let key = key(DutyKind::Attest);
        let mut now = seconds(0);
        for pause in [2, 4, 8, 16, 32, 60, 60] {
            setbacks.note(key, &failed(), true, now);
            assert_eq!(setbacks.pause_of(key, now), Some(seconds(pause)));
            now += seconds(pause);
            assert_eq!(setbacks.pause_of(key, now), None);
        }
        setbacks.forget(key);
        setbacks.note(key, &failed(), true, now);
        assert_eq!(setbacks.pause_of(key, now), Some(seconds(2)));
    }

    #[test]
    fn failures_count_within_the_window_until_a_person_sees_them() {
        let mut setbacks = Setbacks::default();
        for at in [0, 10, 20] {
            setbacks.note(key(DutyKind::Settle), &failed(), true, seconds(at));
        }
        assert_eq!(setbacks.within(seconds(15), seconds(25)), 2);
        setbacks.forget_failures();
        assert_eq!(setbacks.within(seconds(15), seconds(25)), 0);
    }

    #[test]
    fn what_is_nobodys_fault_is_not_counted() {
        let mut setbacks = Setbacks::default();
        let stack_small_id = StackSmallId::new(1);
        let key = key(DutyKind::Claim);
        setbacks.note(
            key,
            &Failure::AlreadyClaimed { stack_small_id },
            true,
            seconds(1),
        );
        setbacks.note(key, &Failure::ShuttingDown {}, true, seconds(1));
        setbacks.note(key, &failed(), false, seconds(1));
        assert_eq!(setbacks.within(seconds(9), seconds(2)), 0);
        assert!(setbacks.pause_of(key, seconds(2)).is_some());
    }
}
