//! The transaction engine: journal first, then the chain, one lane per badge.

mod abandoned;
mod ahead;
mod attempt;
mod budget;
mod conclusion;
mod config;
mod fate;
mod funding;
mod gas;
mod guard;
mod lane;
mod outcomes;
mod prepare;
mod reads;
mod rehearsal;
mod submit;
#[cfg(test)]
mod testing;

pub use config::EngineConfig;
pub use guard::GuardConfig;
pub use submit::{AbandonError, Engine, Submission, Waited};
