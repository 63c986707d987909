//! The gRPC services of a Sui full node, over gRPC and grpc-web on one port.

mod balance_changes;
mod command_outputs;
mod cursor;
mod delay;
mod description;
mod epoch;
mod execution;
mod filter;
mod headers;
mod ledger;
mod list;
mod packages;
mod render;
mod signatures;
mod sources;
mod state;
mod subscription;
mod view;

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use sui_rpc::proto::sui::rpc::v2::ledger_service_server::LedgerServiceServer;
use sui_rpc::proto::sui::rpc::v2::move_package_service_server::MovePackageServiceServer;
use sui_rpc::proto::sui::rpc::v2::state_service_server::StateServiceServer;
use sui_rpc::proto::sui::rpc::v2::subscription_service_server::SubscriptionServiceServer;
use sui_rpc::proto::sui::rpc::v2::transaction_execution_service_server::TransactionExecutionServiceServer;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::codegen::BoxStream;
use tonic_web::GrpcWebLayer;

use self::headers::NodeHeaders;
use crate::core::NetworkCore;
use crate::faults::FaultKind;

/// The maximum size of a message. gRPC's default of 4 MiB is too small for full checkpoints.
const MAX_MESSAGE_BYTES: usize = 128 * 1024 * 1024;

/// The implementation of all services.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    core: Arc<NetworkCore>,
    stop: CancellationToken,
}

impl Service {
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
        match self.core.faults.take(FaultKind::Unavailable) {
            Some(_) => Err(Status::unavailable("service unavailable (injected)")),
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

/// Serves until `stop` is cancelled.
///
/// # Errors
/// When the server fails.
pub(crate) async fn serve(
    core: Arc<NetworkCore>,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let headers = NodeHeaders::new(Arc::clone(&core));
    let service = Service {
        core,
        stop: stop.clone(),
    };
    // Without this, a small response waits for the client's delayed acknowledgement, about 40 ms.
    let incoming = TcpListenerStream::new(listener).map(|stream| {
        stream.and_then(|stream| {
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    });
    tonic::transport::Server::builder()
        .accept_http1(true)
        .layer(headers)
        .layer(GrpcWebLayer::new())
        .add_service(
            LedgerServiceServer::new(service.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(StateServiceServer::new(service.clone()))
        .add_service(SubscriptionServiceServer::new(service.clone()))
        .add_service(
            TransactionExecutionServiceServer::new(service.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(MovePackageServiceServer::new(service))
        .serve_with_incoming_shutdown(incoming, async move { stop.cancelled().await })
        .await
}
