//! The HTTP API of the node daemon: thin routes over [`atoma_operator::Operator`].
//!
//! A handler parses the request, calls one use case and shapes the response; the use cases decide
//! what is allowed. `error` holds the status, code and advice of every error. `guard` refuses
//! requests of foreign web pages and hosts before any route sees them.
//!
//! To add an endpoint, write a handler in `routes/`, list it in that module's `configure`, and add
//! the shape of its response to `views/`.

mod body;
mod error;
mod guard;
mod paging;
mod params;
mod request_context;
mod routes;
mod server;
mod views;

pub use guard::AllowedHosts;
pub use server::{ApiConfig, ApiServer, BindError};
