//! What the autopilot says is wrong.

use atoma_domain::alarms::{AlarmKind, Condition, Subject};
use atoma_domain::autopilot::{DutyKind, Obstacle, Pause, Standing};

use super::shared::Shared;
use super::survey::Survey;

impl Shared {
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
        let duties = survey.duties.iter().filter(|duty| {
            duty.kind == DutyKind::Attest && duty.standing == Standing::Blocked(Obstacle::NoRecord)
        });
        let recordless = duties.filter_map(|duty| {
            let (node, stack) = (duty.node_small_id, duty.stack_small_id?);
            let summary = format!(
                "node {node} must attest the settlement of stack {stack} and has no record of it: run the stack's requests \
                 again and record them for the node"
            );
            let kind = AlarmKind::NothingToAttestWith;
            Some(Condition::new(kind, Subject::Stack(stack), summary).until(duty.deadline))
        });
        reports.report(AlarmKind::NothingToAttestWith, recordless);
    }

    /// Says that nothing is wrong with an autopilot that is turned off.
    pub(super) fn report_off(&self) {
        let reports = self.operator.alarm_reports();
        for kind in [AlarmKind::AutopilotPaused, AlarmKind::NothingToAttestWith] {
            reports.report(kind, []);
        }
    }
}
