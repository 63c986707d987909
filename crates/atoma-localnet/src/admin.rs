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
use crate::faults::Fault;
use crate::network::{LocalNet, LocalNetError};

/// MIST that the faucet gives when no amount is named.
const DEFAULT_MIST: u64 = 10_000_000_000;

/// Serves until `stop`.
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
        .route("/parameters", post(set_parameters))
        .route("/stacks/{id}/attesters", post(force_attesters))
        .route("/state", get(state))
        .route("/faults", post(inject_fault).delete(clear_faults))
        .with_state(network);
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

/// A failed call: the error as JSON.
struct Failure(LocalNetError);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self.0 {
            LocalNetError::Action(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = axum::Json(json!({ "error": self.0.to_string() }));
        (status, body).into_response()
    }
}

impl From<LocalNetError> for Failure {
    fn from(error: LocalNetError) -> Self {
        Self(error)
    }
}

type Answer = Result<axum::Json<Value>, Failure>;

fn answer(value: Value) -> Answer {
    Ok(axum::Json(value))
}

async fn advance_epoch(State(network): State<LocalNet>) -> Answer {
    let epoch = network.advance_epoch()?;
    answer(json!({ "epoch": epoch }))
}

async fn checkpoint(State(network): State<LocalNet>) -> Answer {
    let checkpoint = network.step()?;
    answer(json!({ "checkpoint": checkpoint }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faucet {
    address: Address,
    sui_mist: Option<u64>,
    usdc: Option<u64>,
}

async fn faucet(State(network): State<LocalNet>, axum::Json(wanted): axum::Json<Faucet>) -> Answer {
    let sui_mist = match (wanted.sui_mist, wanted.usdc) {
        (None, None) => DEFAULT_MIST,
        (sui_mist, _) => sui_mist.unwrap_or_default(),
    };
    let usdc = wanted.usdc.unwrap_or_default();
    network.faucet(wanted.address, sui_mist, usdc)?;
    answer(json!({ "sui_mist": sui_mist, "usdc": usdc }))
}

async fn create_task(
    State(network): State<LocalNet>,
    axum::Json(task): axum::Json<NewTask>,
) -> Answer {
    let task = network.create_task(&task)?;
    answer(json!({ "task_small_id": task }))
}

async fn create_model(
    State(network): State<LocalNet>,
    axum::Json(model): axum::Json<NewModel>,
) -> Answer {
    network.create_model(&model)?;
    answer(json!(model))
}

async fn buy_stacks(
    State(network): State<LocalNet>,
    axum::Json(purchase): axum::Json<Purchase>,
) -> Answer {
    let stacks = network.buy_stacks(&purchase)?;
    answer(json!({ "stack_small_ids": stacks }))
}

async fn set_parameters(
    State(network): State<LocalNet>,
    axum::Json(parameters): axum::Json<Parameters>,
) -> Answer {
    network.set_parameters(&parameters)?;
    answer(json!(parameters))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attesters {
    node_small_ids: Vec<NodeSmallId>,
}

async fn force_attesters(
    State(network): State<LocalNet>,
    Path(stack): Path<StackSmallId>,
    axum::Json(attesters): axum::Json<Attesters>,
) -> Answer {
    let nodes = attesters.node_small_ids;
    network.force_attesters(stack, nodes.clone());
    answer(json!({ "stack_small_id": stack, "node_small_ids": nodes }))
}

async fn state(State(network): State<LocalNet>) -> Answer {
    answer(network.state()?)
}

async fn inject_fault(
    State(network): State<LocalNet>,
    axum::Json(fault): axum::Json<Fault>,
) -> Answer {
    network.inject_fault(fault);
    answer(json!(fault))
}

async fn clear_faults(State(network): State<LocalNet>) -> Answer {
    network.clear_faults();
    answer(json!({}))
}
