//! The routes of all control calls, and the calls that concern the network as a whole.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use sui_sdk_types::Address;

use super::contract;
use super::request::Json;
use super::response::{ControlResult, no_call, other_method, respond, stopped};
use crate::error::LocalNetError;
use crate::faults::Fault;
use crate::network::LocalNet;

/// What the faucet sends when the request names no amount, in MIST.
const DEFAULT_MIST: u64 = 10_000_000_000;

/// The routes of the control calls.
pub(crate) fn routes(network: LocalNet) -> Router {
    Router::new()
        .route("/epoch/advance", post(advance_epoch))
        .route("/checkpoint", post(checkpoint))
        .route("/snapshot", post(snapshot))
        .route("/faucet", post(faucet))
        .route("/gas-price", post(set_next_gas_price))
        .route("/clock/advance", post(advance_clock))
        .route("/accounts", post(add_account))
        .route("/state", get(state))
        .route("/faults", post(inject_fault).delete(clear_faults))
        .merge(contract::routes())
        .fallback(no_call)
        .method_not_allowed_fallback(other_method)
        .with_state(network)
}

async fn advance_epoch(State(network): State<LocalNet>) -> ControlResult {
    let epoch = network.advance_epoch()?;
    respond(json!({ "epoch": epoch }))
}

async fn snapshot(State(network): State<LocalNet>) -> ControlResult {
    let saved = tokio::task::spawn_blocking(move || network.snapshot());
    let (checkpoint, bytes) = saved.await.map_err(stopped)??;
    respond(json!({ "checkpoint": checkpoint, "bytes": bytes }))
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
    Json(request): Json<FaucetRequest>,
) -> ControlResult {
    let sui_mist = match (request.sui_mist, request.usdc) {
        (None, None) => DEFAULT_MIST,
        (sui_mist, _) => sui_mist.unwrap_or_default(),
    };
    let usdc = request.usdc.unwrap_or_default();
    network.faucet(request.address, sui_mist, usdc)?;
    respond(json!({ "sui_mist": sui_mist, "usdc": usdc }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GasPriceRequest {
    /// In MIST per computation unit, from the next epoch on.
    price: u64,
}

async fn set_next_gas_price(
    State(network): State<LocalNet>,
    Json(request): Json<GasPriceRequest>,
) -> ControlResult {
    network.set_next_gas_price(request.price)?;
    respond(json!({ "price": request.price }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockRequest {
    ms: u64,
}

/// The last millisecond of the year 9999, the end of what timestamps of the API can say.
const END_OF_TIME_MS: u64 = 253_402_300_799_999;

async fn advance_clock(
    State(network): State<LocalNet>,
    Json(request): Json<ClockRequest>,
) -> ControlResult {
    let time = network.core.clock.now_ms().checked_add(request.ms);
    if time.is_none_or(|time| time > END_OF_TIME_MS) {
        let error = String::from("the clock can't go beyond the year 9999");
        return Err(LocalNetError::Action(error).into());
    }
    network.advance_clock(request.ms);
    respond(json!({ "ms": request.ms }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountRequest {
    /// An entry of `sui.keystore`, or `suiprivkey1…`.
    key: String,
}

async fn add_account(
    State(network): State<LocalNet>,
    Json(request): Json<AccountRequest>,
) -> ControlResult {
    let address = network.add_account(&request.key)?;
    respond(json!({ "address": address }))
}

async fn state(State(network): State<LocalNet>) -> ControlResult {
    respond(network.state()?)
}

async fn inject_fault(State(network): State<LocalNet>, Json(fault): Json<Fault>) -> ControlResult {
    network.inject_fault(fault);
    respond(json!(fault))
}

async fn clear_faults(State(network): State<LocalNet>) -> ControlResult {
    network.clear_faults();
    respond(json!({}))
}
