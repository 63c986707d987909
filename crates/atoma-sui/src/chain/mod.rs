//! The `Chain` port on a Sui full node.

mod cache;
mod coins;
mod contract_state;
mod currency;
mod evidence;
mod execution;
mod objects;
mod port;
mod reads;
mod subscribers;
mod sui_chain;
mod view;

pub use coins::OwnedCoin;
pub use sui_chain::SuiChain;
