//! The HTTP server: bind, run, stop.

use std::net::SocketAddr;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_server::{GracefulShutdownSignal, Server, ServerHandle};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data};
use actix_web::{App, Error, HttpRequest, ResponseError as _};
use atoma_api_types::ConfigurationView;
use atoma_metrics::Metrics;
use atoma_operator::{Autopilot, Operator};
use thiserror::Error as ThisError;
use tokio::net::TcpSocket;
use tracing::debug;
use utoipa_swagger_ui::SwaggerUi;

use crate::access::{AccessControl, ApiAccess, Unprotected};
use crate::access_log::log_access;
use crate::authorize::{authorize, is_viewer};
use crate::body::BodyTurns;
use crate::connection::Connection;
use crate::document::document;
use crate::error::{ApiError, ApiResult};
use crate::guard::{AllowedHosts, refuse_foreign};
use crate::headers::{protect, refuse_unacceptable};
use crate::limits::ApiLimits;
use crate::lists::ListTurns;
use crate::live::Live;
use crate::openapi::DocumentJson;
use crate::page;
use crate::routes;
use crate::tls::accept;

/// Connections that the system keeps until a worker takes them.
const BACKLOG: u32 = 1_024;
/// How long the head of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a closing connection waits for its client.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long requests may go on after a stop, in seconds.
const STOP_TIMEOUT_S: u64 = 5;

/// The settings of the server.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// The address to listen on. Beyond loopback, `access` must have a token and encryption, because the API
    /// spends money.
    pub addr: SocketAddr,
    /// The host names that clients may use, besides those of loopback.
    pub allowed_hosts: AllowedHosts,
    /// Who may use the API.
    pub access: ApiAccess,
    /// The number of worker threads.
    pub workers: usize,
    /// What requests may use at once.
    pub limits: ApiLimits,
    /// What `GET /metrics` shows. Requests are counted there.
    pub metrics: Metrics,
    /// Whether the operator's page is served at `/`.
    pub page: bool,
    /// What `GET /configuration` shows, without secrets.
    pub configuration: ConfigurationView,
}

/// Why the server can't start.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum BindError {
    /// Other machines could reach the address, and the access does not suffice for that.
    #[error("can't serve at {addr}: {lack}")]
    Unprotected {
        /// The address.
        addr: SocketAddr,
        /// What is missing.
        lack: Unprotected,
    },
    /// The OpenAPI document can't be written.
    #[error("can't write the OpenAPI document")]
    Document(#[source] serde_json::Error),
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
    access: AccessControl,
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
    /// When the access does not suffice for the address, or the system refuses it.
    pub fn bind(
        operator: Operator,
        autopilot: Autopilot,
        config: ApiConfig,
    ) -> Result<Self, BindError> {
        let addr = config.addr;
        let access = AccessControl::new(addr, config.access)
            .map_err(|lack| BindError::Unprotected { addr, lack })?;
        let listen = |source| BindError::Listen { addr, source };
        let listener = listen_on(addr).map_err(listen)?;
        // For port 0 the system has chosen one.
        let addr = listener.local_addr().map_err(listen)?;
        let json = document().to_json().map_err(BindError::Document)?;
        let workers = config.workers.max(1);
        let builder = Server::build()
            .workers(workers)
            .max_concurrent_connections((config.limits.connections / workers).max(1))
            .disable_signals()
            .shutdown_timeout(STOP_TIMEOUT_S);
        let stopping = builder.graceful_shutdown_signal();
        let live = Live::new(operator.clone(), autopilot.clone(), stopping.clone());
        let shared = Shared {
            operator: Data::new(operator),
            autopilot: Data::new(autopilot),
            metrics: Data::new(config.metrics),
            access: Data::new(access.clone()),
            hosts: Data::new(config.allowed_hosts),
            lists: Data::new(ListTurns::new(&config.limits)),
            bodies: Data::new(BodyTurns::new(&config.limits)),
            document: Data::new(DocumentJson(json.into())),
            live: Data::new(live),
            configuration: Data::new(config.configuration),
            write_idle: config.limits.write_idle,
            has_page: config.page,
        };
        let server = builder
            .listen("api", listener, move || {
                connections(shared.clone(), stopping.clone())
            })
            .map_err(listen)?
            .run();
        Ok(Self {
            server,
            addr,
            access,
        })
    }

    /// The address that it listens on.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The tokens in use.
    pub const fn access(&self) -> &AccessControl {
        &self.access
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

/// What the workers share.
#[derive(Clone)]
struct Shared {
    operator: Data<Operator>,
    autopilot: Data<Autopilot>,
    metrics: Data<Metrics>,
    hosts: Data<AllowedHosts>,
    access: Data<AccessControl>,
    lists: Data<ListTurns>,
    bodies: Data<BodyTurns>,
    document: Data<DocumentJson>,
    live: Data<Live>,
    configuration: Data<ConfigurationView>,
    write_idle: Duration,
    has_page: bool,
}

/// A listener with room for many connections at once; that of the standard library has little.
fn listen_on(addr: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = if addr.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The service of one worker, which serves connections. It is put together as actix-web's `HttpServer`
/// does, which allows no stream but its own.
fn connections(
    shared: Shared,
    stopping: GracefulShutdownSignal,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = impl Sized, InitError = ()>
{
    let write_idle = shared.write_idle;
    let access = shared.access.clone();
    let http = HttpService::build()
        .client_request_timeout(HEAD_TIMEOUT)
        .client_disconnect_timeout(CLOSE_TIMEOUT)
        // `Connection` ends what a client that leaves has asked for.
        .h1_allow_half_closed(true)
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .finish(map_config(app(shared).into_factory(), |()| {
            AppConfig::default()
        }));
    fn_service(move |stream: TcpStream| {
        let peer = stream.peer_addr().ok();
        // An answer is written at once; waiting for more of it would only delay it.
        let _ = stream.set_nodelay(true);
        let access = access.current();
        async move {
            let stream = accept(stream, access.access.tls.as_ref()).await;
            let stream = stream.map_err(DispatchError::Io).inspect_err(|error| {
                let peer = peer.map(tracing::field::display);
                debug!(peer, %error, "no encrypted connection could be made");
            })?;
            let connection = Connection::new(stream, peer, write_idle);
            Ok((connection, Protocol::Http1, peer))
        }
    })
    .and_then(http)
}

fn app(
    shared: Shared,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(shared.operator)
        .app_data(shared.autopilot)
        .app_data(shared.metrics)
        .app_data(shared.hosts)
        .app_data(shared.access)
        .app_data(shared.lists)
        .app_data(shared.bodies)
        .app_data(shared.document)
        .app_data(shared.live)
        .app_data(shared.configuration)
        .wrap(from_fn(explain_viewer))
        .wrap(Compress::default())
        .wrap(from_fn(refuse_unacceptable))
        .wrap(from_fn(authorize))
        .wrap(from_fn(refuse_foreign))
        .wrap(from_fn(protect))
        .wrap(from_fn(log_access))
        .configure(routes::configure)
        .configure(move |config| {
            if shared.has_page {
                page::configure(config);
            }
        })
        .service(web::redirect("/swagger-ui", "/swagger-ui/"))
        .service(swagger_ui())
        .default_service(web::to(no_route))
}

/// The OpenAPI document to read and to try in a browser. Its files are part of the program.
fn swagger_ui() -> SwaggerUi {
    let config = utoipa_swagger_ui::Config::from("/openapi.json").validator_url("none");
    SwaggerUi::new("/swagger-ui/{_:.*}").config(config)
}

/// Gives what the viewer doesn't have, which it answers without a word, the body of every error.
async fn explain_viewer<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let is_viewer = is_viewer(request.path());
    let response = next.call(request).await?;
    if !is_viewer || response.status() != StatusCode::NOT_FOUND {
        return Ok(response.map_into_left_body());
    }
    let error = ApiError::no_route(response.request());
    let explained = error.error_response().map_into_right_body();
    Ok(response.into_response(explained))
}

async fn no_route(request: HttpRequest) -> ApiResult {
    Err(ApiError::no_route(&request))
}
