//! What the autopilot says is wrong.

use atoma_domain::alarms::{AlarmKind, Condition, Subject};
use atoma_domain::autopilot::{DutyKind, Obstacle, Pause, Standing};
use atoma_domain::journal::Failure;

use super::shared::Shared;
use super::survey::Survey;

impl Shared {
    /// Reports whether the autopilot sees what is due.
    pub(super) fn report_sight(&self, failure: Option<&Failure>) {
        let blind = failure.map(|failure| {
            let summary = format!("the autopilot can't see all that is due: {failure}");
            Condition::new(AlarmKind::AutopilotBlind, Subject::Daemon, summary)
        });
        let reports = self.operator.alarm_reports();
        reports.report(AlarmKind::AutopilotBlind, blind);
    }

    /// Reports a pause, and attestations that nobody can make.
    pub(super) fn report(&self, pause: Option<&Pause>, survey: &Survey) {
        let reports = self.operator.alarm_reports();
        let paused = pause.map(|pause| {
            let summary = format!(
                "the autopilot is paused ({}): {}",
                pause.scope.name(),
                pause
            );
            Condition::new(AlarmKind::AutopilotPaused, Subject::Daemon, summary)
        });
        reports.report(AlarmKind::AutopilotPaused, paused);
        let duties = survey.duties.iter();
        let attestations = duties.filter(|duty| duty.kind == DutyKind::Attest);
        let recordless = attestations.filter_map(|duty| {
            let what = match duty.standing {
                Standing::Blocked(Obstacle::NoRecord) => "has no record of it",
                // Also while the requests are run again one by one.
                Standing::Blocked(Obstacle::RecordDiffers) => "has another record of it",
                _ => return None,
            };
            let (node, stack) = (duty.node_small_id, duty.stack_small_id?);
            let summary = format!(
                "node {node} must attest the settlement of stack {stack} and {what}: run the stack's requests again and \
                 record them for the node"
            );
            let kind = AlarmKind::NothingToAttestWith;
            Some(Condition::new(kind, Subject::Stack(stack), summary).until(duty.deadline))
        });
        reports.report(AlarmKind::NothingToAttestWith, recordless);
    }

    /// Says that nothing is wrong with an autopilot that is turned off.
    pub(super) fn report_off(&self) {
        let reports = self.operator.alarm_reports();
        for kind in [
            AlarmKind::AutopilotPaused,
            AlarmKind::AutopilotBlind,
            AlarmKind::NothingToAttestWith,
        ] {
            reports.report(kind, []);
        }
    }
}
