//! Transactions of the accounts whose keys the network holds: the faucet, the manager, buyers and
//! operators.

mod manager;
mod market;
mod nodes;
mod perform;
mod requests;

pub(crate) use market::Gift;
pub(crate) use perform::ActionError;
pub use requests::{NewModel, NewTask, NodeRegistration, Parameters, Purchase};
