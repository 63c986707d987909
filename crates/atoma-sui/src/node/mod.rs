//! The Sui node at the other end: its address, how to reach it, what it must be, and why it fails.

mod access;
mod fault;
mod freshness;
mod gate;
mod url;

pub(crate) use access::endpoint;
pub use access::{Access, AccessError, RequestHeader};
pub(crate) use fault::{NodeFault, answered};
pub(crate) use freshness::Freshness;
pub use freshness::MaxLag;
pub(crate) use gate::Gate;
pub use url::{InvalidUrl, NodeUrl};
