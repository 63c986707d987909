//! The autopilot in numbers, for metrics.

use std::collections::BTreeMap;

use atoma_domain::TimestampMs;
use atoma_domain::autopilot::{DutyKind, PauseScope, Standing, WaitsFor};

use super::config::AutopilotMode;
use super::status::AutopilotStatus;

/// The autopilot in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutopilotFigures {
    /// Whether it acts.
    pub mode: AutopilotMode,
    /// What is paused.
    pub paused: Option<PauseScope>,
    /// When it looked last, or began if it has not looked.
    pub looked_at: TimestampMs,
    /// How many duties have failed within the policy's window.
    pub recent_failures: u32,
    /// How many duties it saw: by kind, standing and reason.
    pub duties: BTreeMap<(&'static str, &'static str, &'static str), usize>,
    /// The first deadline of an attestation that is not made.
    pub first_deadline: Option<TimestampMs>,
}

impl From<&AutopilotStatus> for AutopilotFigures {
    fn from(status: &AutopilotStatus) -> Self {
        let mut duties = BTreeMap::new();
        let mut first_deadline = None;
        if let Some(survey) = &status.latest {
            for duty in &survey.duties {
                let (standing, reason) = (duty.standing.name(), duty.standing.reason());
                *duties
                    .entry((duty.kind.name(), standing, reason))
                    .or_default() += 1;
            }
            let open = survey.duties.iter().filter(|duty| {
                duty.kind == DutyKind::Attest
                    && duty.standing != Standing::waiting(WaitsFor::TurnedOff)
            });
            first_deadline = open.filter_map(|duty| duty.deadline).min();
        }
        Self {
            mode: status.mode,
            paused: status.pause.as_ref().map(|pause| pause.scope),
            looked_at: status
                .latest
                .as_ref()
                .map_or(status.began_at, |survey| survey.taken_at),
            recent_failures: status.recent_failures,
            duties,
            first_deadline,
        }
    }
}
