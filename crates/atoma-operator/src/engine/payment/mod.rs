//! Paying for transactions: the address's gas coins, each leased to one attempt at a time, and gas
//! budgets.

mod budget;
mod coins;
mod holdings;
mod lease;
mod pool;
mod queue;

pub(super) use budget::{Budgets, CallClass, with_margin};
pub(super) use coins::{choose, sum};
pub(super) use lease::GasLease;
pub(super) use pool::{GasError, GasPool};
