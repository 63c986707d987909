//! The Move module `atoma::db` (revision of April 2025), executed natively.
//!
//! Each entry function does what the published bytecode does, in the same order: the same checks,
//! abort codes and abort locations, the same integer expressions with their overflows, the same
//! events and objects. This behaviour was determined from the module's interface and by executing
//! the module in a Move VM. The measurements are in `tests/vectors/` at the workspace root, and the
//! tests in this folder compare the code with them.
//!
//! [`abi`] lists the functions with their parameters. [`call`] checks a call's arguments against
//! it and executes the function. To add a function, add an entry to [`abi`] and an arm to [`call`].

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
mod versions;

pub use aborts::{ABORTS, abort_name};
pub use addresses::ContractAddresses;
pub use arguments::ResolvedArgument;
pub use dispatch::call;
pub use publication::{Publication, publish};
pub(crate) use state::stacks_bought;
pub use state::{
    ContractState, MAX_STACKS_READ, NodeState, ParameterState, StackState, SubscriptionState,
    TaskState, TicketState, read_state,
};
pub use versions::{is_version, original_id};

#[cfg(test)]
mod tests;
