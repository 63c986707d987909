//! The transaction engine: journal first, then the chain, one lane per badge.

mod abandoned;
mod ahead;
mod attempt;
mod backlog;
mod balance;
mod budget;
mod conclusion;
mod config;
mod fate;
mod funding;
mod gas;
mod guard;
mod lane;
mod outage;
mod outcomes;
mod parked;
mod planning;
mod prepare;
mod reads;
mod recovery;
mod rehearsal;
mod shared;
mod shortage;
mod submit;
#[cfg(test)]
mod testing;
mod turns;
mod untold;
mod waiting;

pub use config::EngineConfig;
pub use guard::{Brakes, GuardConfig};
pub use submit::{Engine, Submission};
pub use waiting::{AbandonError, Waited};
