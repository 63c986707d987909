//! The limits' settings.

use std::time::Duration;

use atoma_domain::Mist;

/// The limits' settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// The most gas that may be spent in 24 hours, in MIST; `None` is no cap.
    pub daily_gas_cap: Option<Mist>,
    /// After how many failed transactions in a row the circuit breaker opens; 0 is never.
    pub breaker_failures: u32,
    /// For how long it stays open.
    pub breaker_pause: Duration,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            daily_gas_cap: None,
            breaker_failures: 20,
            breaker_pause: Duration::from_secs(300),
        }
    }
}
