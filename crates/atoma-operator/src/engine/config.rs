//! What can be set about the engine.

use std::time::Duration;

use super::guard::GuardConfig;

/// The engine's settings.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// How many intents may wait for one badge; more are refused with `queue_full`.
    pub queue_limit: usize,
    /// How many stacks one claim may carry, at most about 100 by the network's limits.
    pub claims_per_transaction: usize,
    /// How many attestations one transaction may carry.
    pub attestations_per_transaction: usize,
    /// What is added to a simulated gas need, in percent.
    pub gas_margin_percent: u64,
    /// The largest budget that the daemon chooses by itself, in MIST.
    pub gas_budget_ceiling: u64,
    /// How often a read is tried at a stretch, and how often an answer is doubted that a node
    /// which lags behind would give too.
    pub read_attempts: u32,
    /// How often one intent is signed at most when each of its transactions is cancelled.
    pub sign_attempts: u32,
    /// The first pause between tries; doubles up to [`backoff_limit`](Self::backoff_limit).
    pub backoff: Duration,
    /// The longest pause between tries.
    pub backoff_limit: Duration,
    /// The first pause after a cancellation (congestion, no randomness), which is over no sooner
    /// than the network's next commits; doubles likewise.
    pub congestion_backoff: Duration,
    /// For how long an outcome may wait to be written down with the next attempt: for longer than
    /// a local read takes, and no longer than anyone notices.
    pub outcome_delay: Duration,
    /// How often the contract's treasury is looked at while claims wait for it to grow.
    pub treasury_interval: Duration,
    /// How often a node is asked for what came of a transaction that is known to be executed.
    pub untold_interval: Duration,
    /// How long a stop waits for answers from the network; what is not answered by then is taken up
    /// at the next start.
    pub stopping_grace: Duration,
    /// Below this the operator is warned that gas runs out, in MIST.
    pub low_gas_balance: u64,
    /// The brakes on spending.
    pub guard: GuardConfig,
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
            congestion_backoff: Duration::from_secs(1),
            outcome_delay: Duration::from_millis(5),
            treasury_interval: Duration::from_secs(10),
            untold_interval: Duration::from_secs(30),
            stopping_grace: Duration::from_secs(3),
            low_gas_balance: 1_000_000_000,
            guard: GuardConfig::default(),
        }
    }
}

/// Pauses that double up to a limit.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    limit: Duration,
}

impl Backoff {
    pub(super) fn new(config: &EngineConfig) -> Self {
        Self::from(config.backoff, config)
    }

    /// Pauses after cancellations.
    pub(super) fn of_congestion(config: &EngineConfig) -> Self {
        Self::from(config.congestion_backoff, config)
    }

    fn from(first: Duration, config: &EngineConfig) -> Self {
        Self {
            next: first,
            limit: config.backoff_limit.max(first),
        }
    }

    /// Waits for the next pause to pass.
    pub(super) async fn pause(&mut self) {
        tokio::time::sleep(self.take()).await;
    }

    /// The next pause, for who waits otherwise.
    pub(super) fn take(&mut self) -> Duration {
        let pause = self.next;
        self.next = (self.next * 2).min(self.limit);
        pause
    }
}
