//! The gRPC services of a Sui full node, native and grpc-web on one port.

mod cursor;
mod delay;
mod execution;
mod filter;
mod ledger;
mod list;
mod packages;
mod render;
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

use crate::core::Core;
use crate::faults::FaultKind;

/// Messages may be longer than gRPC's usual 4 MiB: full checkpoints are.
const MAX_MESSAGE_BYTES: usize = 128 * 1024 * 1024;

/// All services; they share one state.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    core: Arc<Core>,
    stop: CancellationToken,
}

impl Service {
    /// The delay that every call has.
    async fn delay(&self) {
        let ms = self.core.config.rpc_ms;
        if ms > 0 {
            delay::wait_until(Instant::now() + Duration::from_millis(ms)).await;
        }
    }

    /// The delay and faults of a call that is answered once.
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

/// Serves until `stop`.
///
/// # Errors
/// When the server fails.
pub(crate) async fn serve(
    core: Arc<Core>,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let service = Service {
        core,
        stop: stop.clone(),
    };
    // Without this a small answer waits for the client's delayed acknowledgement, some 40 ms.
    let incoming = TcpListenerStream::new(listener).map(|stream| {
        stream.and_then(|stream| {
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    });
    tonic::transport::Server::builder()
        .accept_http1(true)
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
