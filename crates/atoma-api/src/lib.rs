//! The HTTP API of the node daemon: thin routes over [`atoma_operator::Operator`].
//!
//! A handler parses, calls one use case and shapes the answer; what is allowed is decided below.
//! Status and stable code of every error stand in `error.rs`; what a browser or a foreign host may
//! ask is decided in `guard.rs`, before any route.
//!
//! A new endpoint is a handler in `routes/`, its line in the module's `configure`, and the shape
//! of its answer in `views/`.

mod asked;
mod body;
mod error;
mod guard;
mod paging;
mod params;
mod routes;
mod server;
mod views;

pub use guard::AllowedHosts;
pub use server::{ApiConfig, ApiServer, BindError};
