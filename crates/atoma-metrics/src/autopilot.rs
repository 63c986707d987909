//! The autopilot.

use atoma_domain::autopilot::PauseScope;
use atoma_operator::{AutopilotFigures, AutopilotMode};
use prometheus::Result;

use crate::numbers::{count, flag, seconds};
use crate::written::Written;

pub(crate) fn write(to: &Written, figures: &AutopilotFigures) -> Result<()> {
    to.gauges(
        "atoma_autopilot_mode",
        "The autopilot's mode: 1 for the one that it is in.",
        ["mode"],
        AutopilotMode::ALL.map(|mode| ([mode.name()], flag(mode == figures.mode))),
    )?;
    to.gauges(
        "atoma_autopilot_paused",
        "Whether the autopilot is paused so (1) or not (0). Only a person lets it go on.",
        ["scope"],
        [PauseScope::AllButAttestations, PauseScope::All]
            .map(|scope| ([scope.name()], flag(figures.paused == Some(scope)))),
    )?;
    to.gauge(
        "atoma_autopilot_recent_failures",
        "Duties that have failed for good within `autopilot.failure_window_s`.",
        f64::from(figures.recent_failures),
    )?;
    to.gauges(
        "atoma_autopilot_duties",
        "What the autopilot saw when it looked last, by what it is about, how it stands and why.",
        ["duty", "standing", "reason"],
        figures
            .duties
            .iter()
            .map(|((duty, standing, reason), number)| {
                ([*duty, *standing, *reason], count(*number))
            }),
    )?;
    to.gauge(
        "atoma_autopilot_look_timestamp_seconds",
        "When the autopilot looked last, or began if it has not looked.",
        seconds(figures.looked_at.get()),
    )?;
    if let Some(at) = figures.first_deadline {
        to.gauge(
            "atoma_autopilot_attestation_deadline_timestamp_seconds",
            "The first deadline of an attestation that is not made.",
            seconds(at.get()),
        )?;
    }
    Ok(())
}
