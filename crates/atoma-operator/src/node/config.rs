//! A node's settings.

use std::time::Duration;

use crate::alarms::AlarmConfig;
use crate::autopilot::AutopilotConfig;
use crate::engine::EngineConfig;
use crate::random::random_fraction;

/// A day in seconds.
const DAY_S: u64 = 86_400;

/// A node's settings. The defaults are the daemon's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeConfig {
    /// The engine's settings.
    pub engine: EngineConfig,
    /// The autopilot's settings.
    pub autopilot: AutopilotConfig,
    /// How long a request waits for outcomes.
    pub request_timeout: Duration,
    /// How long the start waits for the outcomes of the last run's transactions. A lane without one goes on waiting, and
    /// signs nothing; the others begin.
    pub recovery_timeout: Duration,
    /// How long concluded transactions keep their bytes; `None` is for ever.
    pub keep_bytes: Option<Duration>,
    /// When alarms are looked for and told.
    pub alarms: AlarmConfig,
    /// The interval between reads of the current epoch.
    pub epoch_interval: Duration,
    /// The interval between reads of the operator's coins while their balance is low.
    pub balance_interval: Duration,
    /// The pause between attempts to start while the Sui node or the database is not available. If only writes can't be
    /// accepted yet, it doubles up to half a minute.
    pub start_pause: Duration,
    /// Other software is known to have used the badges before, as the setup of a demonstration does, so it is no reason
    /// for a warning. Only with [`EngineConfig::allow_foreign_use`].
    pub expects_foreign_use: bool,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            engine: EngineConfig {
                // Lanes that failed together must not all try again at the same moment.
                jitter: random_fraction,
                allow_foreign_use: false,
                ..EngineConfig::default()
            },
            autopilot: AutopilotConfig::default(),
            request_timeout: Duration::from_secs(90),
            recovery_timeout: Duration::from_secs(60),
            keep_bytes: Some(Duration::from_secs(30 * DAY_S)),
            alarms: AlarmConfig::default(),
            epoch_interval: Duration::from_secs(2),
            balance_interval: Duration::from_secs(30),
            start_pause: Duration::from_secs(2),
            expects_foreign_use: false,
        }
    }
}
