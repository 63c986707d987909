//! The engine's settings.

use std::time::Duration;

use super::limits::LimitsConfig;

/// The engine's settings.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// How many intents may wait for one badge; more are refused as `queue_full`. A tenth of the places is kept for
    /// attestations.
    pub queue_limit: usize,
    /// How many stacks one claim may carry, at most about 100 by the network's limits.
    pub claims_per_transaction: usize,
    /// How many attestations one transaction may carry.
    pub attestations_per_transaction: usize,
    /// The margin on top of simulated gas, in percent.
    pub gas_margin_percent: u64,
    /// The largest gas budget that the daemon chooses by itself, in MIST.
    pub gas_budget_ceiling: u64,
    /// How many times a read is tried in a row, and how many times an answer is doubted that a
    /// lagging node would give too.
    pub read_attempts: u32,
    /// After how many cancelled transactions an intent fails.
    pub sign_attempts: u32,
    /// The first pause between tries; doubles up to [`backoff_limit`](Self::backoff_limit).
    pub backoff: Duration,
    /// The longest pause between tries.
    pub backoff_limit: Duration,
    /// The source of random fractions, from 0 to below 1, that spread pauses: lanes that failed together
    /// should not all try again at the same moment. A pause is at least half of its nominal length.
    pub jitter: fn() -> f64,
    /// The first pause after the network cancelled a transaction (congestion, no randomness). Such
    /// a condition lasts at least until the network's next commits. Doubles likewise.
    pub congestion_backoff: Duration,
    /// How long a success may wait to be journalled together with the next attempt: longer than a
    /// local read takes, too short for anyone to notice.
    pub outcome_delay: Duration,
    /// How often the contract's treasury is read while claims wait for it to grow.
    pub treasury_interval: Duration,
    /// How often the node is asked for the effects of a transaction that is known to have executed.
    pub effects_interval: Duration,
    /// How long a stop waits for answers from the network. The next start takes up the rest.
    pub stopping_grace: Duration,
    /// Sign with a badge whose last use the journal does not know. Without it, a badge's first attempt in a
    /// process waits if other software used the badge last.
    pub allow_foreign_use: bool,
    /// Below this balance the operator gets a warning, in MIST.
    pub low_gas_balance: u64,
    /// The circuit breaker and the cap on gas.
    pub limits: LimitsConfig,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            queue_limit: 10_000,
            claims_per_transaction: 100,
            attestations_per_transaction: 50,
            gas_margin_percent: 25,
            gas_budget_ceiling: 5_000_000_000,
            read_attempts: 4,
            sign_attempts: 5,
            backoff: Duration::from_millis(100),
            backoff_limit: Duration::from_secs(5),
            jitter: || 1.0,
            congestion_backoff: Duration::from_secs(1),
            outcome_delay: Duration::from_millis(5),
            treasury_interval: Duration::from_secs(10),
            effects_interval: Duration::from_secs(30),
            stopping_grace: Duration::from_secs(3),
            allow_foreign_use: true,
            low_gas_balance: 1_000_000_000,
            limits: LimitsConfig::default(),
        }
    }
}
