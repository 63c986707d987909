//! The transaction engine: journal first, then the chain, one lane per node badge.
//!
//! The folders tell the story:
//!
//! - `front/`: what callers use. Submit intents, wait for them, abandon them, rehearse them.
//! - `lane/`: one serial worker per node badge, with its backlog, retries and outages.
//! - `attempt/`: one transaction as a pipeline of values: inputs → plan → fund → sign → record →
//!   send → resolve → conclude.
//! - `payment/`: gas coins, their leases, and gas budgets.
//! - `treasury/`: claims that the contract's treasury can't pay yet.
//! - `limits/`: the circuit breaker, the cap on gas, and uses of a badge by somebody else.
//! - `shared/`: what all lanes share, such as the registry of unfinished intents.
//! - `recovery.rs`: takes up what the process before left unfinished.

mod attempt;
mod backoff;
mod config;
mod front;
mod lane;
mod limits;
mod payment;
mod reads;
mod recovery;
mod shared;
#[cfg(test)]
pub(crate) mod testing;
mod treasury;
mod wait_reason;

pub use config::EngineConfig;
pub use front::{AbandonError, Engine, EngineFigures, LaneFigures, Submission, Waited};
#[cfg(feature = "testing")]
pub use limits::GasCap;
pub use limits::{Brake, LimitStatus, LimitsConfig};
