//! Whether the node is up, over gRPC (`grpc.health.v1`) and HTTP (`GET /health`).

use std::sync::Arc;

use axum::extract::{Query, State};
use http::StatusCode;
use serde::Deserialize;
use sui_rpc::proto::sui::rpc::v2::{
    ledger_service_server, move_package_service_server, state_service_server,
    subscription_service_server, transaction_execution_service_server,
};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};

use super::headers::tip_ms;
use crate::core::NetworkCore;
use crate::faults::Faults;

/// The services that this node offers.
pub(super) const SERVICES: [&str; 5] = [
    ledger_service_server::SERVICE_NAME,
    state_service_server::SERVICE_NAME,
    subscription_service_server::SERVICE_NAME,
    transaction_execution_service_server::SERVICE_NAME,
    move_package_service_server::SERVICE_NAME,
];

/// `grpc.health.v1`: every service is up from the start to the end.
pub(super) async fn service() -> HealthServer<impl Health> {
    let (reporter, server) = tonic_health::server::health_reporter();
    for service in SERVICES {
        reporter
            .set_service_status(service, ServingStatus::Serving)
            .await;
    }
    server
}

#[derive(Debug, Deserialize)]
pub(super) struct Threshold {
    threshold_seconds: Option<u32>,
}

/// `GET /health`, as a full node answers it: 200 and `up`, or 503 and `down` if the newest checkpoint is older
/// than `?threshold_seconds=N`. Without a threshold its age does not matter. Also 503 if
/// a record of the ledger can't be read.
pub(super) async fn http(
    State((core, faults)): State<(Arc<NetworkCore>, Arc<Faults>)>,
    Query(threshold): Query<Threshold>,
) -> (StatusCode, &'static str) {
    if core.ledger().check_readable().is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "down");
    }
    let age_ms = core.clock.now_ms().saturating_sub(tip_ms(&core, &faults));
    let limit = threshold.threshold_seconds;
    if limit.is_some_and(|seconds| age_ms > u64::from(seconds) * 1_000) {
        return (StatusCode::SERVICE_UNAVAILABLE, "down");
    }
    (StatusCode::OK, "up")
}
