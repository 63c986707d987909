//! Calls from web pages.

use std::time::Duration;

use http::Method;
use tower_http::cors::{Any, CorsLayer};

/// How long browsers may remember the answer to a preflight request.
const MAX_AGE: Duration = Duration::from_secs(3_600);

/// Lets pages of any origin call the network, as public full nodes do.
pub(crate) fn cross_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(Any)
        .expose_headers(Any)
        // A page from elsewhere may call a network on loopback.
        .allow_private_network(true)
        .max_age(MAX_AGE)
}
