//! From a transaction's bytes to its effects: checks that need no objects, signatures, inputs,
//! commands, effects.

mod calls;
mod checks;
mod commands;
mod effects;
mod environment;
mod executor;
mod framework;
mod gas;
mod inputs;
pub(crate) mod limits;
mod locks;
mod objects;
mod outputs;
mod refusal;
mod resolution;
mod signatures;
mod simulation;
pub(crate) mod status;
mod values;

pub(crate) use commands::CommandOutput;
pub(crate) use environment::{Environment, ForcedDraws};
pub(crate) use executor::{execute, precheck};
pub(crate) use framework::UpgradeCap;
pub(crate) use locks::{HeldLocks, InputLocks};
pub(crate) use objects::object_of;
pub(crate) use refusal::TransactionRefusal;
pub(crate) use simulation::{Simulated, SimulationOptions, simulate};
