//! The HTTP API of the node daemon: thin routes over [`atoma_operator::Operator`].
//! ```no_run
//! # async fn example(node: atoma_operator::Node) -> Result<(), Box<dyn std::error::Error>> {
//! use atoma_api::{AllowedHosts, ApiAccess, ApiConfig, ApiLimits, ApiServer};
//!
//! let config = ApiConfig {
//!     addr: "127.0.0.1:3000".parse()?,
//!     allowed_hosts: AllowedHosts::default(),
//!     access: ApiAccess::default(), // anyone on this machine
//!     workers: 2,
//!     limits: ApiLimits::default(),
//!     metrics: atoma_metrics::Metrics::new()?,
//!     page: true,
//!     configuration: atoma_api_types::ConfigurationView::default(),
//! };
//! ApiServer::bind(node.operator().clone(), node.autopilot().clone(), config)?.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A handler parses the request, calls one use case and shapes the response; the use cases decide
//! what is allowed. `error` holds the status, code and advice of every error. `guard` refuses
//! requests of foreign web pages and hosts before any route sees them, and `access` those without a token. `connection` gives the HTTP parser's
//! own refusals the body of every other error, and leaves clients that read nothing. `lists` and `body` bound what lists and request bodies
//! may take, so that reads never starve writes, and `rates` how many requests a caller may send. `headers` tells browsers that no other
//! page may show or load a response.
//!
//! To add an endpoint, add the shapes of its request and response to `atoma-api-types`, write a handler in `routes/`,
//! list it with its description in that module's `endpoints`, and make its response in `views/`. The OpenAPI
//! document is made from the same list (`document`).

mod access;
mod access_log;
mod audit;
mod authentication;
mod authority;
mod authorize;
mod body;
mod caller;
mod connection;
mod document;
mod error;
mod guard;
mod headers;
mod ignored;
mod limits;
mod lists;
mod live;
mod openapi;
mod page;
mod paging;
mod params;
mod query;
mod rates;
mod request_context;
mod routes;
mod server;
mod session_cookie;
mod sessions;
mod spelling;
mod tls;
mod views;

pub use access::{AccessControl, ApiAccess, ApiScope, ApiToken, Unprotected};
pub use caller::RESERVED_NAMES;
pub use document::document;
pub use guard::{AllowedHosts, InvalidHost};
pub use limits::ApiLimits;
pub use openapi::error_page;
pub use rates::RateLimits;
pub use server::{ApiConfig, ApiServer, BindError};
pub use spelling::similar;
pub use tls::{ApiTls, OutOfDate, TlsError};
