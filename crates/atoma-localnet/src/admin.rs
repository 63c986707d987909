//! The control calls over HTTP and JSON, on a loopback port.

use atoma_domain::{NodeSmallId, StackSmallId};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use sui_sdk_types::Address;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::actions::{NewModel, NewTask, Parameters, Purchase};
use crate::error::LocalNetError;
use crate::faults::Fault;
use crate::network::LocalNet;

/// What the faucet sends when the request names no amount, in MIST.
const DEFAULT_MIST: u64 = 10_000_000_000;

/// Serves until `stop` is cancelled.
///
/// # Errors
/// When the server fails.
pub(crate) async fn serve(
    network: LocalNet,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/epoch/advance", post(advance_epoch))
        .route("/checkpoint", post(checkpoint))
        .route("/faucet", post(faucet))
        .route("/tasks", post(create_task))
        .route("/models", post(create_model))
        .route("/stacks", post(buy_stacks))
        .route("/package/upgrade", post(upgrade_package))
        .route("/parameters", post(set_parameters))
        .route("/stacks/{id}/attesters", post(force_attesters))
        .route("/state", get(state))
        .route("/faults", post(inject_fault).delete(clear_faults))
        .with_state(network);
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

/// A failed call; the response is the error as JSON.
struct ControlError(LocalNetError);

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match self.0 {
            LocalNetError::Action(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = axum::Json(json!({ "error": self.0.to_string() }));
        (status, body).into_response()
    }
}

impl From<LocalNetError> for ControlError {
    fn from(error: LocalNetError) -> Self {
        Self(error)
    }
}

type ControlResult = Result<axum::Json<Value>, ControlError>;

fn respond(value: Value) -> ControlResult {
    Ok(axum::Json(value))
}

async fn advance_epoch(State(network): State<LocalNet>) -> ControlResult {
    let epoch = network.advance_epoch()?;
    respond(json!({ "epoch": epoch }))
}

async fn checkpoint(State(network): State<LocalNet>) -> ControlResult {
    let checkpoint = network.step()?;
    respond(json!({ "checkpoint": checkpoint }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaucetRequest {
    address: Address,
    sui_mist: Option<u64>,
    usdc: Option<u64>,
}

async fn faucet(
    State(network): State<LocalNet>,
    axum::Json(request): axum::Json<FaucetRequest>,
) -> ControlResult {
    let sui_mist = match (request.sui_mist, request.usdc) {
        (None, None) => DEFAULT_MIST,
        (sui_mist, _) => sui_mist.unwrap_or_default(),
    };
    let usdc = request.usdc.unwrap_or_default();
    network.faucet(request.address, sui_mist, usdc)?;
    respond(json!({ "sui_mist": sui_mist, "usdc": usdc }))
}

async fn create_task(
    State(network): State<LocalNet>,
    axum::Json(task): axum::Json<NewTask>,
) -> ControlResult {
    let task = network.create_task(&task)?;
    respond(json!({ "task_small_id": task }))
}

async fn create_model(
    State(network): State<LocalNet>,
    axum::Json(model): axum::Json<NewModel>,
) -> ControlResult {
    network.create_model(&model)?;
    respond(json!(model))
}

async fn buy_stacks(
    State(network): State<LocalNet>,
    axum::Json(purchase): axum::Json<Purchase>,
) -> ControlResult {
    let stacks = network.buy_stacks(&purchase)?;
    respond(json!({ "stack_small_ids": stacks }))
}

async fn set_parameters(
    State(network): State<LocalNet>,
    axum::Json(parameters): axum::Json<Parameters>,
) -> ControlResult {
    network.set_parameters(&parameters)?;
    respond(json!(parameters))
}

async fn upgrade_package(State(network): State<LocalNet>) -> ControlResult {
    let package = network.upgrade_package()?;
    respond(json!({ "package_id": package }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttestersRequest {
    node_small_ids: Vec<NodeSmallId>,
}

async fn force_attesters(
    State(network): State<LocalNet>,
    Path(stack): Path<StackSmallId>,
    axum::Json(attesters): axum::Json<AttestersRequest>,
) -> ControlResult {
    let nodes = attesters.node_small_ids;
    network.force_attesters(stack, nodes.clone());
    respond(json!({ "stack_small_id": stack, "node_small_ids": nodes }))
}

async fn state(State(network): State<LocalNet>) -> ControlResult {
    respond(network.state()?)
}

async fn inject_fault(
    State(network): State<LocalNet>,
    axum::Json(fault): axum::Json<Fault>,
) -> ControlResult {
    network.inject_fault(fault);
    respond(json!(fault))
}

async fn clear_faults(State(network): State<LocalNet>) -> ControlResult {
    network.clear_faults();
    respond(json!({}))
}
