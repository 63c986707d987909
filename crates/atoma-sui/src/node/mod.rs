//! The Sui node at the other end: its address, how to reach it, what it must be, and why it fails.

mod access;
mod fault;
mod freshness;
mod gate;
mod limiter;
mod peers;
mod url;
mod versions;

pub(crate) use access::endpoint;
pub use access::{Access, AccessError, RequestHeader};
pub(crate) use fault::{NodeFault, answered, is_own_limit, is_rate_limit};
pub use freshness::MaxLag;
pub(crate) use gate::Gate;
pub use limiter::{Priority, RequestLimit};
pub(crate) use peers::Peers;
pub use url::{InvalidUrl, NodeUrl};
