//! The Sui side of the Atoma node daemon: one step each, no policy.
//!
//! - [`SuiChain`] is the chain port: it reads what an action depends on, builds, simulates, sends
//!   and looks up transactions. What never changes (shared versions, table ids, types) is learned
//!   once; what an action needs is read in one call as a rule.
//! - [`SuiEventSource`] is the event source: the transactions that touch the contract, from a
//!   resumable stream of the node.
//! - [`ClientConfig`] and [`KeystoreSigner`] read the Sui CLI's files and sign.
//!
//! Outcomes come from structured fields; the words in which a network refuses a transaction are
//! known to `refusal` alone. Connections are made when first used, so a node may be down when the
//! daemon starts. Trying again is the caller's policy; only the event stream repairs its own
//! connection, and a view begins anew when a subscriber list changed while it was read.
//!
//! A new call of the contract is a variant of `ContractCall` in the domain and one arm in `abi`; a
//! new object to be read is a struct in `layout`, its id a function in `fields`.

mod abi;
mod builder;
mod chain;
mod connection;
mod contract_events;
mod cursor;
mod facts;
mod fields;
mod history;
mod keystore;
mod layout;
mod outcome;
mod refusal;
mod source;

pub use chain::SuiChain;
pub use connection::{ConnectError, SuiConfig};
pub use keystore::{ClientConfig, KeyError, KeystoreError, KeystoreSigner};
pub use source::SuiEventSource;
