//! The autopilot and its duties.

use std::collections::BTreeMap;

use atoma_api_types::{
    AutopilotModeView, AutopilotView, DutyCountView, DutyKindView, DutyPoliciesView,
    DutyStandingView, DutyView, PauseScopeView, PauseView, PolicyView, TaskPolicyView,
};
use atoma_domain::TimestampMs;
use atoma_domain::autopilot::{
    AutopilotPolicy, Duty, DutyKind, DutyPolicies, Pause, PauseScope, Standing,
};
use atoma_operator::{AutopilotMode, AutopilotStatus, Survey};

use super::time::rfc3339;

/// How many duties the autopilot's view has.
const NEXT: usize = 20;

/// The autopilot, with what it saw in a survey.
pub(crate) fn autopilot_view(
    status: &AutopilotStatus,
    survey: Option<&Survey>,
    policy: &AutopilotPolicy,
) -> AutopilotView {
    AutopilotView {
        mode: match status.mode {
            AutopilotMode::Off => AutopilotModeView::Off,
            AutopilotMode::Plan => AutopilotModeView::Plan,
            AutopilotMode::On => AutopilotModeView::On,
        },
        pause: status.pause.as_ref().map(pause_view),
        writes_stopped: status.writes_stopped.as_ref().map(ToString::to_string),
        pause_file: status
            .pause_file
            .as_ref()
            .map(|file| file.display().to_string()),
        is_paused_by_file: status.is_paused_by_file,
        looked_at: survey.and_then(|survey| rfc3339(survey.taken_at)),
        epoch: survey.map(|survey| survey.moment.epoch()),
        epoch_ends_at: survey.and_then(|survey| optional_time(survey.moment.epoch_ends_at())),
        recent_failures: status.recent_failures,
        counts: survey
            .map(|survey| counts(&survey.duties))
            .unwrap_or_default(),
        next: survey
            .map(|survey| next(&survey.duties))
            .unwrap_or_default(),
        policy: policy_view(policy),
    }
}

/// A duty.
pub(crate) fn duty_view(duty: &Duty) -> DutyView {
    DutyView {
        duty: kind(duty.kind),
        stack_small_id: duty.stack_small_id,
        task_small_id: duty.task_small_id,
        node_small_id: duty.node_small_id,
        standing: standing(duty.standing),
        reason: duty.standing.reason().to_owned(),
        explanation: duty.standing.to_string(),
        waits_until: match duty.standing {
            Standing::Waiting { until, .. } => optional_time(until),
            Standing::Due(_) | Standing::Blocked(_) => None,
        },
        deadline: optional_time(duty.deadline),
        proceeds_micro_usdc: duty.proceeds,
        since: optional_time(duty.since),
    }
}

/// A pause.
pub(crate) fn pause_view(pause: &Pause) -> PauseView {
    PauseView {
        scope: match pause.scope {
            PauseScope::AllButAttestations => PauseScopeView::AllButAttestations,
            PauseScope::All => PauseScopeView::All,
        },
        reason: pause.code().to_owned(),
        explanation: pause.to_string(),
        since: rfc3339(pause.since),
    }
}

fn counts(duties: &[Duty]) -> Vec<DutyCountView> {
    let mut counts: BTreeMap<(DutyKindView, DutyStandingView, &str), usize> = BTreeMap::new();
    for duty in duties {
        let key = (
            kind(duty.kind),
            standing(duty.standing),
            duty.standing.reason(),
        );
        *counts.entry(key).or_default() += 1;
    }
    let counts = counts.into_iter();
    let counts = counts.map(|((duty, standing, reason), count)| DutyCountView {
        duty,
        standing,
        reason: reason.to_owned(),
        count,
    });
    counts.collect()
}

/// The duties that an operator looks at first.
fn next(duties: &[Duty]) -> Vec<DutyView> {
    let mut first: Vec<&Duty> = duties
        .iter()
        .filter(|duty| {
            duty.deadline.is_some() || !matches!(duty.standing, Standing::Waiting { .. })
        })
        .collect();
    first.sort_by_key(|duty| duty.deadline.unwrap_or(TimestampMs::new(u64::MAX)));
    first.into_iter().take(NEXT).map(duty_view).collect()
}

const fn kind(kind: DutyKind) -> DutyKindView {
    match kind {
        DutyKind::Attest => DutyKindView::Attest,
        DutyKind::Settle => DutyKindView::Settle,
        DutyKind::Claim => DutyKindView::Claim,
        DutyKind::Withdraw => DutyKindView::Withdraw,
    }
}

const fn standing(standing: Standing) -> DutyStandingView {
    match standing {
        Standing::Due(_) => DutyStandingView::Due,
        Standing::Waiting { .. } => DutyStandingView::Waiting,
        Standing::Blocked(_) => DutyStandingView::Blocked,
    }
}

fn policy_view(policy: &AutopilotPolicy) -> PolicyView {
    let tasks = policy.tasks.iter().map(|(task, duties)| TaskPolicyView {
        task_small_id: *task,
        duties: duties_view(duties),
    });
    PolicyView {
        duties: duties_view(&policy.duties),
        tasks: tasks.collect(),
        sui_price_micro_usdc: policy.gas.sui_price,
        gas_reserve_mist: policy.gas.reserve,
        max_failures: policy.watch.max_failures,
        failure_window_s: policy.watch.failure_window.as_secs(),
    }
}

fn duties_view(duties: &DutyPolicies) -> DutyPoliciesView {
    let DutyPolicies {
        attest,
        settle,
        claim,
    } = duties;
    DutyPoliciesView {
        attest: attest.is_on,
        attest_margin_s: attest.margin.as_secs(),
        settle: settle.is_on,
        settle_fill_percent: settle.fill.get() / 10,
        settle_idle_s: settle.idle_after.as_secs(),
        settle_quiet_percent: settle.quiet.get() / 10,
        claim: claim.is_on,
        claim_gas_factor: claim.gas_factor,
        claim_longest_wait_s: claim.longest_wait.as_secs(),
    }
}

fn optional_time(time: Option<TimestampMs>) -> Option<String> {
    time.and_then(rfc3339)
}
