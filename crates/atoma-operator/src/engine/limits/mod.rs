//! Why nothing is signed now: a circuit breaker, a daily cap on gas, badges that somebody else
//! uses, and a stop for when nothing may be signed at all.

mod breaker;
mod config;
mod foreign_use;
#[cfg(feature = "testing")]
mod gas_cap;
mod last_day;
mod signing;
mod spending;

pub use config::LimitsConfig;
pub(super) use foreign_use::ForeignUses;
#[cfg(feature = "testing")]
pub use gas_cap::GasCap;
pub use signing::{Brake, LimitStatus};
pub(super) use signing::{Hold, Limits};
pub(super) use spending::Reservation;
