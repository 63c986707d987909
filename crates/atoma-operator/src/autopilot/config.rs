//! The autopilot's settings.

use std::path::PathBuf;
use std::time::Duration;

use atoma_domain::autopilot::AutopilotPolicy;

/// The autopilot's settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AutopilotConfig {
    /// Whether it acts.
    pub mode: AutopilotMode,
    /// When it does what.
    pub policy: AutopilotPolicy,
    /// The interval between two looks at everything. What a transaction asks for is seen at once.
    pub interval: Duration,
    /// A file that pauses the autopilot while it exists.
    pub pause_file: Option<PathBuf>,
}

impl Default for AutopilotConfig {
    fn default() -> Self {
        Self {
            mode: AutopilotMode::Off,
            policy: AutopilotPolicy::default(),
            interval: Duration::from_secs(10),
            pause_file: None,
        }
    }
}

/// Whether the autopilot acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutopilotMode {
    /// It does nothing. It still says on request what it would do.
    Off,
    /// It only says what it would do.
    Plan,
    /// It does what is due.
    On,
}

impl AutopilotMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Off, Self::Plan, Self::On];

    /// Its name in the configuration, the API and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Plan => "plan",
            Self::On => "on",
        }
    }
}
