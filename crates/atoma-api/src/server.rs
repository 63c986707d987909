//! The server.

use std::net::SocketAddr;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, PayloadConfig, QueryConfig};
use actix_web::{App, HttpServer};
use atoma_operator::Operator;
use thiserror::Error;

use crate::body::BODY_LIMIT;
use crate::error::ApiError;
use crate::guard::{AllowedHosts, refuse_foreign};
use crate::routes;

/// How to serve.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// Where to listen. Only loopback: the API spends money and has no other protection.
    pub addr: SocketAddr,
    /// Under which names it may be asked, besides loopback's.
    pub allowed_hosts: AllowedHosts,
    /// How many threads answer.
    pub workers: usize,
}

/// Why the API can't be served.
#[derive(Debug, Error)]
pub enum BindError {
    /// The address is reachable from elsewhere.
    #[error(
        "`http_addr` {0} is not a loopback address; the API spends money and is served on loopback only"
    )]
    NotLoopback(SocketAddr),
    /// The port is taken, or may not be used.
    #[error("`http_addr` {addr} can't be listened on")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

/// An API that listens.
#[must_use = "the server answers nothing until it is run"]
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
    /// Listens.
    ///
    /// # Errors
    /// When the address is not loopback or can't be listened on.
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
                    QueryConfig::default()
                        .error_handler(|error, _| ApiError::invalid(error.to_string()).into()),
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
        // Port 0 becomes the one that the system chose.
        let addr = server.addrs().first().copied().unwrap_or(addr);
        Ok(Self {
            server: server.run(),
            addr,
        })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops it from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Answers until stopped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(self) -> std::io::Result<()> {
        self.server.await
    }
}

async fn no_route() -> Result<(), ApiError> {
    Err(ApiError::NoRoute)
}
