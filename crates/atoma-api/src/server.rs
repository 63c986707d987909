//! The HTTP server: bind, run, stop.

use std::net::SocketAddr;

use actix_web::dev::{Server, ServerHandle};
use actix_web::error::QueryPayloadError;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, PayloadConfig, QueryConfig};
use actix_web::{App, HttpRequest, HttpServer};
use atoma_operator::Operator;
use thiserror::Error;

use crate::body::BODY_LIMIT;
use crate::error::{ApiError, ApiResult};
use crate::guard::{AllowedHosts, refuse_foreign};
use crate::routes;

/// The settings of the server.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// The address to listen on. It must be loopback: the API spends money and has no other
    /// protection.
    pub addr: SocketAddr,
    /// The host names that clients may use, besides those of loopback.
    pub allowed_hosts: AllowedHosts,
    /// The number of worker threads.
    pub workers: usize,
}

/// Why the server can't start.
#[derive(Debug, Error)]
pub enum BindError {
    /// Other machines could reach the address.
    #[error(
        "`http_addr` {0} is not a loopback address; the API spends money, so it listens on loopback only"
    )]
    NotLoopback(SocketAddr),
    /// The port is in use, or needs more privileges.
    #[error("can't listen on `http_addr` {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
}

/// A server that is bound to its address.
#[must_use = "the server serves nothing until it runs"]
pub struct ApiServer {
    server: Server,
    addr: SocketAddr,
}

impl std::fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiServer")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

impl ApiServer {
    /// Binds the address.
    ///
    /// # Errors
    /// When the address is not loopback, or the system refuses it.
    pub fn bind(operator: Operator, config: ApiConfig) -> Result<Self, BindError> {
        let addr = config.addr;
        if !addr.ip().is_loopback() {
            return Err(BindError::NotLoopback(addr));
        }
        let operator = Data::new(operator);
        let hosts = Data::new(config.allowed_hosts);
        let factory = move || {
            App::new()
                .app_data(operator.clone())
                .app_data(hosts.clone())
                .app_data(PayloadConfig::new(BODY_LIMIT))
                .app_data(
                    QueryConfig::default().error_handler(|error, _| invalid_query(&error).into()),
                )
                .wrap(from_fn(refuse_foreign))
                .configure(routes::configure)
                .default_service(web::to(no_route))
        };
        let listen = |source| BindError::Listen { addr, source };
        let server = HttpServer::new(factory)
            .workers(config.workers)
            .disable_signals()
            .shutdown_timeout(5)
            .bind(addr)
            .map_err(listen)?;
        // For port 0 the system has chosen one.
        let addr = server.addrs().first().copied().unwrap_or(addr);
        Ok(Self {
            server: server.run(),
            addr,
        })
    }

    /// The address that it listens on.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A handle that stops it.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until stopped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(self) -> std::io::Result<()> {
        self.server.await
    }
}

fn invalid_query(error: &QueryPayloadError) -> ApiError {
    let cause = match error {
        QueryPayloadError::Deserialize(cause) => cause.to_string(),
        other => other.to_string(),
    };
    ApiError::invalid(format!("The query can't be read: {cause}."))
}

async fn no_route(request: HttpRequest) -> ApiResult {
    Err(ApiError::no_route(&request))
}
