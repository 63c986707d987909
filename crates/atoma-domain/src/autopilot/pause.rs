//! When the autopilot stops by itself. Only a person lets it go on.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::policy::WatchPolicy;
use crate::{NodeSmallId, StackSmallId, TimestampMs};

/// What the autopilot remembers from run to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutopilotState {
    /// Why it is paused, if it is.
    pub pause: Option<Pause>,
    /// The disputes against the operator's nodes that a person knows of, ascending: they are no reason to pause again.
    pub known_disputes: Vec<StackSmallId>,
}

/// A pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// What is not done.
    pub scope: PauseScope,
    /// Why: what it began with, and what has happened since. At least one, and at most [`MAX_REASONS`](Self::MAX_REASONS).
    pub reasons: Vec<PauseReason>,
    /// Since when.
    pub since: TimestampMs,
}

impl Pause {
    /// The most reasons that are kept.
    pub const MAX_REASONS: usize = 20;

    /// A pause for one reason.
    pub fn new(scope: PauseScope, reason: PauseReason, since: TimestampMs) -> Self {
        Self {
            scope,
            reasons: vec![reason],
            since,
        }
    }

    /// The pause with a further reason. It never becomes narrower.
    #[must_use]
    pub fn and(mut self, scope: PauseScope, reason: PauseReason) -> Self {
        let widens = scope > self.scope;
        self.scope = self.scope.max(scope);
        if self.reasons.contains(&reason) {
            return self;
        }
        // What stops more is told, whatever it takes the place of.
        if widens && self.reasons.len() >= Self::MAX_REASONS {
            self.reasons.pop();
        }
        if self.reasons.len() < Self::MAX_REASONS {
            self.reasons.push(reason);
        }
        self
    }

    /// The stable code of what it began with.
    pub fn code(&self) -> &'static str {
        self.reasons.first().map_or("requested", PauseReason::code)
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, reason) in self.reasons.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            reason.fmt(f)?;
        }
        Ok(())
    }
}

/// What a pause stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseScope {
    /// All but attestations, which are the last to be stopped, because the contract punishes those that are missing.
    AllButAttestations,
    /// Everything.
    All,
}

impl PauseScope {
    /// Its name in the API and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllButAttestations => "all_but_attestations",
            Self::All => "all",
        }
    }
}

/// Why the autopilot is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum PauseReason {
    /// A person wanted it.
    Requested {
        /// Why, in that person's words; at most [`MAX_NOTE`](Self::MAX_NOTE) bytes.
        note: Option<String>,
    },
    /// Somebody disputes a settlement of one of the operator's nodes.
    DisputeAgainst {
        /// The disputed stack.
        stack_small_id: StackSmallId,
    },
    /// Other software uses a badge.
    BadgeUsedElsewhere {
        /// The badge's node.
        node_small_id: NodeSmallId,
    },
    /// Too many duties failed.
    Failures {
        /// How many.
        failures: u32,
        /// Within how many seconds.
        within_s: u64,
    },
}

impl PauseReason {
    /// The most bytes of a note.
    pub const MAX_NOTE: usize = 500;

    /// Its stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "requested",
            Self::DisputeAgainst { .. } => "dispute_against",
            Self::BadgeUsedElsewhere { .. } => "badge_used_elsewhere",
            Self::Failures { .. } => "failures",
        }
    }

    /// What a pause for it stops, if the autopilot pauses by itself.
    const fn scope(&self) -> PauseScope {
        match self {
            // Two programs with one badge can lock it until the end of the epoch, also for attestations.
            Self::BadgeUsedElsewhere { .. } => PauseScope::All,
            Self::Requested { .. } | Self::DisputeAgainst { .. } | Self::Failures { .. } => {
                PauseScope::AllButAttestations
            }
        }
    }
}

impl fmt::Display for PauseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested { note: None } => write!(f, "somebody paused it"),
            Self::Requested { note: Some(note) } => write!(f, "somebody paused it: {note}"),
            Self::DisputeAgainst { stack_small_id } => write!(
                f,
                "the settlement of stack {stack_small_id} is disputed: find out whose record is wrong before more is settled"
            ),
            Self::BadgeUsedElsewhere { node_small_id } => write!(
                f,
                "other software uses the badge of node {node_small_id}: make sure that only one daemon has its key"
            ),
            Self::Failures { failures, within_s } => {
                write!(f, "{failures} duties failed within {within_s} s")
            }
        }
    }
}

/// What the watch looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// The unresolved disputes against the operator's nodes.
    pub disputes_against: Vec<StackSmallId>,
    /// A node whose badge other software has used.
    pub badge_used_elsewhere: Option<NodeSmallId>,
    /// How many duties have failed for good within the policy's window, that no person has seen.
    pub failures: u32,
}

/// The pause as it is from now on, if something has happened that is a reason for one. A pause never becomes narrower by
/// itself.
pub fn reason_to_pause(
    state: &AutopilotState,
    watched: &Watched,
    policy: &WatchPolicy,
    now: TimestampMs,
) -> Option<Pause> {
    let elsewhere = watched
        .badge_used_elsewhere
        .map(|node_small_id| PauseReason::BadgeUsedElsewhere { node_small_id });
    let disputes = watched.disputes_against.iter();
    let disputes = disputes
        .filter(|stack| state.known_disputes.binary_search(stack).is_err())
        .map(|stack| PauseReason::DisputeAgainst {
            stack_small_id: *stack,
        });
    let is_failing = policy.max_failures > 0 && watched.failures >= policy.max_failures;
    let failures = is_failing.then_some(PauseReason::Failures {
        failures: watched.failures,
        within_s: policy.failure_window.as_secs(),
    });
    let before = state.pause.as_ref();
    let is_news = |reason: &PauseReason| {
        before.is_none_or(|pause| {
            let is_known = pause.reasons.iter().any(|known| match reason {
                // Their number grows.
                PauseReason::Failures { .. } => known.code() == reason.code(),
                _ => known == reason,
            });
            let has_place = pause.reasons.len() < Pause::MAX_REASONS;
            !is_known && (has_place || reason.scope() > pause.scope)
        })
    };
    let news = elsewhere.into_iter().chain(disputes).chain(failures);
    news.filter(is_news).fold(None, |pause, reason| {
        let scope = reason.scope();
        Some(match pause.or_else(|| before.cloned()) {
            None => Pause::new(scope, reason, now),
            Some(pause) => pause.and(scope, reason),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: TimestampMs = TimestampMs::new(7);

    fn watch(state: &AutopilotState, watched: &Watched) -> Option<Pause> {
        reason_to_pause(state, watched, &WatchPolicy::default(), NOW)
    }

    fn disputed(stacks: &[u64]) -> Watched {
        Watched {
            disputes_against: stacks.iter().copied().map(StackSmallId::new).collect(),
            ..Watched::default()
        }
    }

    fn paused(scope: PauseScope) -> AutopilotState {
        AutopilotState {
            pause: Some(Pause::new(
                scope,
                PauseReason::Requested { note: None },
                NOW,
            )),
            known_disputes: Vec::new(),
        }
    }

    #[test]
    fn a_new_dispute_pauses_all_but_attestations() {
        let mut state = AutopilotState {
            known_disputes: vec![StackSmallId::new(3)],
            ..AutopilotState::default()
        };
        assert_eq!(watch(&state, &disputed(&[3])), None);
        let pause = watch(&state, &disputed(&[3, 4])).unwrap();
        assert_eq!(pause.scope, PauseScope::AllButAttestations);
        let stack_small_id = StackSmallId::new(4);
        assert_eq!(
            pause.reasons,
            [PauseReason::DisputeAgainst { stack_small_id }]
        );
        state.pause = Some(pause);
        assert_eq!(watch(&state, &disputed(&[3, 4])), None);
    }

    #[test]
    fn failures_pause_from_the_limit_on() {
        let failures = |failures| Watched {
            failures,
            ..Watched::default()
        };
        let state = AutopilotState::default();
        assert_eq!(watch(&state, &failures(9)), None);
        assert!(watch(&state, &failures(10)).is_some());
        let never = WatchPolicy {
            max_failures: 0,
            ..WatchPolicy::default()
        };
        assert_eq!(reason_to_pause(&state, &failures(99), &never, NOW), None);
    }

    #[test]
    fn a_badge_that_is_used_elsewhere_stops_attestations_too() {
        let watched = Watched {
            badge_used_elsewhere: Some(NodeSmallId::new(1)),
            ..disputed(&[4])
        };
        for state in [
            AutopilotState::default(),
            paused(PauseScope::AllButAttestations),
        ] {
            assert_eq!(watch(&state, &watched).unwrap().scope, PauseScope::All);
        }
    }

    /// However many disputes were raised before.
    #[test]
    fn a_pause_with_as_many_reasons_as_are_kept_still_widens() {
        let stacks: Vec<u64> = (1..=30).collect();
        let mut state = AutopilotState::default();
        state.pause = watch(&state, &disputed(&stacks));
        let pause = state.pause.as_ref().unwrap();
        assert_eq!(pause.reasons.len(), Pause::MAX_REASONS);
        assert_eq!(watch(&state, &disputed(&stacks)), None);
        let elsewhere = Watched {
            badge_used_elsewhere: Some(NodeSmallId::new(1)),
            ..disputed(&stacks)
        };
        let pause = watch(&state, &elsewhere).unwrap();
        assert_eq!(pause.scope, PauseScope::All);
        assert_eq!(pause.reasons.len(), Pause::MAX_REASONS);
        let last = pause.reasons.last().unwrap();
        assert_eq!(last.code(), "badge_used_elsewhere");
    }

    #[test]
    fn what_happens_during_a_pause_is_told_too() {
        let state = paused(PauseScope::All);
        let watched = Watched {
            failures: 10,
            ..disputed(&[4, 5])
        };
        let pause = watch(&state, &watched).unwrap();
        assert_eq!(pause.scope, PauseScope::All);
        let codes: Vec<_> = pause.reasons.iter().map(PauseReason::code).collect();
        let expected = [
            "requested",
            "dispute_against",
            "dispute_against",
            "failures",
        ];
        assert_eq!(codes, expected);
        let state = AutopilotState {
            pause: Some(pause),
            ..state
        };
        let more = Watched {
            failures: 11,
            ..watched
        };
        assert_eq!(watch(&state, &more), None);
    }
}
