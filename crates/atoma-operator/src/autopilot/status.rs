//! How the autopilot stands.

use std::path::PathBuf;
use std::sync::Arc;

use atoma_domain::TimestampMs;
use atoma_domain::autopilot::Pause;
use atoma_domain::journal::Failure;

use super::config::AutopilotMode;
use super::survey::Survey;

/// How the autopilot stands.
#[derive(Clone, Debug)]
pub struct AutopilotStatus {
    /// Whether it acts.
    pub mode: AutopilotMode,
    /// Why it is paused, if it is.
    pub pause: Option<Pause>,
    /// Why the daemon sends no transactions at all, if so.
    pub writes_stopped: Option<Failure>,
    /// The file that pauses it while it exists.
    pub pause_file: Option<PathBuf>,
    /// Whether that file exists.
    pub is_paused_by_file: bool,
    /// When it began, by the daemon's clock.
    pub began_at: TimestampMs,
    /// What it saw last; `None` before its first look.
    pub latest: Option<Arc<Survey>>,
    /// How many duties have failed within the policy's window.
    pub recent_failures: u32,
}
