//! The control calls over HTTP and JSON, on a port of their own.

mod contract;
mod network;
mod request;
mod response;

pub(crate) use network::routes;
