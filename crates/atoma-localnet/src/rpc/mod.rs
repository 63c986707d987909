//! The gRPC services of a Sui full node, over gRPC and grpc-web on one port.

mod balance_changes;
mod command_outputs;
mod cursor;
mod delay;
mod description;
mod epoch;
mod execution;
mod filter;
mod floor;
mod headers;
mod health;
mod interruption;
mod ledger;
mod list;
mod node;
mod packages;
mod reflection;
mod refusals;
mod render;
mod signatures;
mod sources;
mod state;
mod subscription;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::{Stream, StreamExt};
use sui_rpc::proto::sui::rpc::v2::ledger_service_server::LedgerServiceServer;
use sui_rpc::proto::sui::rpc::v2::move_package_service_server::MovePackageServiceServer;
use sui_rpc::proto::sui::rpc::v2::state_service_server::StateServiceServer;
use sui_rpc::proto::sui::rpc::v2::subscription_service_server::SubscriptionServiceServer;
use sui_rpc::proto::sui::rpc::v2::transaction_execution_service_server::TransactionExecutionServiceServer;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::service::Routes;
use tonic::{Request, Status};
use tonic_web::GrpcWebLayer;

use self::headers::NodeHeaders;
use self::node::Node;
use crate::core::NetworkCore;
use crate::faults::{FaultKind, Faults};

/// The maximum size of a message. gRPC's default of 4 MiB is too small for full checkpoints.
const MAX_MESSAGE_BYTES: usize = 128 * 1024 * 1024;

/// The implementation of all services.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    core: Arc<NetworkCore>,
    /// Of this node.
    faults: Arc<Faults>,
    stop: CancellationToken,
}

impl Service {
    /// The node that a call reaches.
    fn node<T>(&self, request: &Request<T>) -> Node {
        Node::of(&self.core, &self.faults, request.extensions().get())
    }

    /// Waits for the configured delay of calls.
    async fn delay(&self) {
        let ms = self.core.config.rpc_ms;
        if ms > 0 {
            delay::wait_until(Instant::now() + Duration::from_millis(ms)).await;
        }
    }

    /// Applies the configured delay and injected faults to a unary call.
    async fn begin(&self) -> Result<(), Status> {
        self.delay().await;
        if self.faults.take(FaultKind::Unavailable).is_some() {
            return Err(Status::unavailable("service unavailable (injected)"));
        }
        match self.faults.take(FaultKind::RateLimit) {
            Some(delay) => Err(refusals::rate_limited(delay)),
            None => Ok(()),
        }
    }

    /// A stream that ends when the network stops.
    fn until_stopped<T: Send + 'static>(
        &self,
        stream: impl Stream<Item = Result<T, Status>> + Send + 'static,
    ) -> BoxStream<T> {
        let stop = self.stop.clone();
        Box::pin(stream.take_until(async move { stop.cancelled().await }))
    }
}

/// Answers calls of the services of a full node that this network does not serve, and all others.
async fn not_served(uri: Uri) -> Response {
    let method = uri.path().trim_start_matches('/');
    Status::unimplemented(format!("This network does not serve {method}."))
        .into_http::<Body>()
        .into_response()
}

/// The routes of a node's gRPC services, for gRPC and grpc-web, and of `GET /health`, under the faults of the node.
///
/// # Errors
/// When a descriptor set for reflection can't be decoded.
pub(crate) async fn routes(
    core: Arc<NetworkCore>,
    faults: Arc<Faults>,
    stop: CancellationToken,
) -> Result<Router, tonic_reflection::server::Error> {
    let service = Service {
        core: Arc::clone(&core),
        faults: Arc::clone(&faults),
        stop,
    };
    let grpc = Routes::new(
        LedgerServiceServer::new(service.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES),
    )
    .add_service(StateServiceServer::new(service.clone()))
    .add_service(SubscriptionServiceServer::new(service.clone()))
    .add_service(
        TransactionExecutionServiceServer::new(service.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES),
    )
    .add_service(MovePackageServiceServer::new(service))
    .add_service(health::service().await)
    .add_service(reflection::current()?)
    .add_service(reflection::alpha()?)
    .into_axum_router()
    .fallback(not_served)
    .layer(GrpcWebLayer::new())
    .layer(from_fn_with_state(
        Arc::clone(&faults),
        interruption::interrupt,
    ));
    Ok(Router::new()
        .route("/health", get(health::http))
        .with_state((Arc::clone(&core), Arc::clone(&faults)))
        .merge(grpc)
        .layer(NodeHeaders::new(core, faults)))
}
