//! What failed: when it is tried again, and how often something failed lately.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use atoma_domain::autopilot::{Duty, DutyKind};
use atoma_domain::journal::Failure;
use atoma_domain::{Digest, NodeSmallId, StackSmallId};

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
            DutyKind::Attest => [Duration::from_secs(2), Duration::from_secs(10)],
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
    /// What failed for good and when, oldest first.
    failures: VecDeque<Failed>,
}

/// A duty that failed for good, with the transaction that was to do it.
#[derive(Debug)]
struct Failed {
    at: Duration,
    key: DutyKey,
    digest: Option<Digest>,
}

/// How a try ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try<'f> {
    /// Why it failed.
    pub(super) failure: &'f Failure,
    /// Whether a transaction failed, and not only the request for one.
    pub(super) is_final: bool,
    /// The transaction, if one was sent.
    pub(super) digest: Option<Digest>,
}

#[derive(Debug)]
struct Setback {
    times: u32,
    until: Duration,
}

impl Setbacks {
    /// Notes that a duty failed. It is tried again after a pause that doubles each time, up to a tenth of the epoch at most. A
    /// failure that is nobody's fault leaves the pause short.
    pub(super) fn note(
        &mut self,
        key: DutyKey,
        tried: Try<'_>,
        now: Duration,
        epoch: Option<Duration>,
    ) {
        let [first, longest] = key.pauses();
        let longest = epoch
            .map_or(longest, |epoch| longest.min(epoch / 10))
            .max(first);
        let is_harmless = is_harmless(key.kind, tried.failure);
        // What is no longer tried is forgotten, long after its pause.
        self.waiting
            .retain(|_, setback| now < setback.until.saturating_add(longest.max(first) * 2));
        let times = self.waiting.get(&key).map_or(0, |setback| setback.times);
        let pause = first.saturating_mul(1 << times.min(16)).min(longest);
        let setback = Setback {
            times: times.saturating_add(u32::from(!is_harmless)),
            until: now.saturating_add(pause),
        };
        self.waiting.insert(key, setback);
        if tried.is_final && !is_harmless && !cannot_draw(key.kind, tried.failure) {
            self.failures.push_back(Failed {
                at: now,
                key,
                digest: tried.digest,
            });
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

    /// How many failures there were within this time. A duty that fails again is no other failure, and what one transaction
    /// was to do for several stacks is one.
    pub(super) fn within(&mut self, window: Duration, now: Duration) -> u32 {
        let since = now.saturating_sub(window);
        while self
            .failures
            .front()
            .is_some_and(|failed| failed.at < since)
        {
            self.failures.pop_front();
        }
        let (mut duties, mut transactions) = (HashSet::new(), HashSet::new());
        let mut count = 0_u32;
        for Failed { key, digest, .. } in &self.failures {
            let is_new_duty = duties.insert(*key);
            let is_new_transaction = digest.is_none_or(|digest| transactions.insert(digest));
            count = count.saturating_add(u32::from(is_new_duty && is_new_transaction));
        }
        count
    }

    /// Forgets the failures, because a person has seen them.
    pub(super) fn forget_failures(&mut self) {
        self.failures.clear();
    }
}

/// Whether a failure only says that there is nothing left to do, or that the time has not come: the mirror was behind, or
/// somebody else was first.
pub(super) const fn is_harmless(kind: DutyKind, failure: &Failure) -> bool {
    // A claim takes away the ticket of an attestation that comes late, and a dispute ends it.
    let is_over = matches!(kind, DutyKind::Attest)
        && matches!(
            failure,
            Failure::NotSettled { .. }
                | Failure::AttestationWindowOver { .. }
                | Failure::StackInDispute { .. }
        );
    is_over
        || matches!(
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
        )
        || failure.is_transient()
}

/// Whether the contract could not draw attesters: until somebody buys a stack of the task, it stumbles over a subscriber that
/// has left. One such node delays all settlements of the task, which is no reason to pause.
fn cannot_draw(kind: DutyKind, failure: &Failure) -> bool {
    kind == DutyKind::Settle
        && matches!(failure, Failure::ContractAbort { abort, .. } if abort.module == "dynamic_field")
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

    const fn tried(failure: &Failure, is_final: bool) -> Try<'_> {
        Try {
            failure,
            is_final,
            digest: None,
        }
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
        for pause in [2, 4, 8, 10, 10] {
            setbacks.note(key, tried(&failed(), true), now, None);
            assert_eq!(setbacks.pause_of(key, now), Some(seconds(pause)));
            now += seconds(pause);
            assert_eq!(setbacks.pause_of(key, now), None);
        }
        setbacks.forget(key);
        setbacks.note(key, tried(&failed(), true), now, None);
        assert_eq!(setbacks.pause_of(key, now), Some(seconds(2)));
    }

    #[test]
    fn failures_count_within_the_window_until_a_person_sees_them() {
        let mut setbacks = Setbacks::default();
        for (at, stack) in [(0, 1), (10, 2), (20, 3), (21, 3)] {
            let key = DutyKey::new(
                DutyKind::Settle,
                Some(StackSmallId::new(stack)),
                NodeSmallId::new(1),
            );
            setbacks.note(key, tried(&failed(), true), seconds(at), None);
        }
        // However often each of them failed.
        assert_eq!(setbacks.within(seconds(15), seconds(25)), 2);
        setbacks.forget_failures();
        assert_eq!(setbacks.within(seconds(15), seconds(25)), 0);
    }

    #[test]
    fn what_one_transaction_was_to_do_fails_once() {
        let mut setbacks = Setbacks::default();
        let failure = failed();
        let mut fail = |stack, digest: u8| {
            let key = DutyKey::new(
                DutyKind::Claim,
                Some(StackSmallId::new(stack)),
                NodeSmallId::new(1),
            );
            let tried = Try {
                digest: Some(Digest::new([digest; 32])),
                ..tried(&failure, true)
            };
            setbacks.note(key, tried, seconds(1), None);
            setbacks.within(seconds(9), seconds(2))
        };
        let counts: Vec<_> = (1..=12).map(|stack| fail(stack, 7)).collect();
        assert_eq!(counts, [1; 12]);
        // Tried again one by one.
        assert_eq!(fail(3, 8), 1);
        assert_eq!(fail(13, 9), 2);
    }

    #[test]
    fn what_is_nobodys_fault_is_not_counted() {
        let mut setbacks = Setbacks::default();
        let stack_small_id = StackSmallId::new(1);
        let key = key(DutyKind::Claim);
        let claimed = Failure::AlreadyClaimed { stack_small_id };
        for _ in 0..9 {
            setbacks.note(key, tried(&claimed, true), seconds(1), None);
            setbacks.note(
                key,
                tried(&Failure::ShuttingDown {}, true),
                seconds(1),
                None,
            );
        }
        assert_eq!(setbacks.pause_of(key, seconds(1)), Some(seconds(15)));
        setbacks.note(key, tried(&failed(), false), seconds(1), None);
        assert_eq!(setbacks.within(seconds(9), seconds(2)), 0);
    }

    #[test]
    fn an_attestation_that_somebody_else_made_needless_is_no_failure() {
        let stack_small_id = StackSmallId::new(1);
        let last_epoch = atoma_domain::Epoch::new(3);
        for over in [
            Failure::NotSettled { stack_small_id },
            Failure::StackInDispute { stack_small_id },
            Failure::AttestationWindowOver {
                stack_small_id,
                last_epoch,
            },
        ] {
            assert!(is_harmless(DutyKind::Attest, &over));
            assert!(!is_harmless(DutyKind::Claim, &over));
        }
    }

    #[test]
    fn a_pause_takes_at_most_a_tenth_of_the_epoch() {
        let mut setbacks = Setbacks::default();
        let key = key(DutyKind::Settle);
        for _ in 0..20 {
            setbacks.note(key, tried(&failed(), true), seconds(1), Some(seconds(600)));
        }
        assert_eq!(setbacks.pause_of(key, seconds(1)), Some(seconds(60)));
    }
}
