//! Building transactions, offline.
//!
//! Nothing is read from a network. Who builds a transaction gives all that it is made from: the ids of the
//! contract, the version of each owned object, the gas price and the budget.

mod contract;
mod error;
mod purchase;

pub use contract::ContractInputs;
pub(crate) use contract::RANDOM;
pub use error::BuildError;
pub use purchase::StackPurchase;
