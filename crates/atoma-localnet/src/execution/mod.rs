//! From a transaction's bytes to its effects: checks that need no objects, signatures, inputs,
//! commands, effects.

mod checks;
mod commands;
mod effects;
mod environment;
mod executor;
mod gas;
mod inputs;
pub(crate) mod limits;
mod objects;
mod refusal;
mod signatures;
mod simulation;

pub(crate) use environment::{Environment, ForcedDraws};
pub(crate) use executor::{execute, precheck};
pub(crate) use objects::object_of;
pub(crate) use refusal::TransactionRefusal;
pub(crate) use simulation::{SimulationOptions, simulate};
