//! The Move module `atoma::db` (revision of April 2025), executed natively.
//!
//! Each entry function does what the published bytecode does, in the same order: the same checks,
//! abort codes and places of abort, the same integer expressions with their overflows, the same
//! events and objects. What that is was read off the module's interface and measured by executing
//! it in a Move VM; `tests/vectors/` at the workspace's root holds the measurements, and the tests
//! beside this code hold it to them.
//!
//! [`abi`] lists the functions with their parameters; [`call`] checks arguments against it and
//! runs one. A new function needs an entry there and an arm in [`call`].

pub mod abi;
mod aborts;
mod addresses;
mod arguments;
mod attestation;
mod claims;
mod db;
mod dispatch;
mod draw;
mod keys;
mod layout;
mod models;
mod parameters;
mod publication;
mod registration;
mod settlement;
mod stacks;
mod state;
mod subscriptions;
mod tasks;
mod treasury;

pub use aborts::{ABORTS, abort_name};
pub use addresses::ContractAddresses;
pub use arguments::ResolvedArgument;
pub use dispatch::call;
pub use publication::{Publication, publish};
pub use state::{
    ContractState, NodeState, ParameterState, StackState, SubscriptionState, TaskState,
    TicketState, read_state,
};

#[cfg(test)]
mod tests;
