//! The faucet on the path that SDKs call.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use sui_sdk_types::Address;

use crate::network::LocalNet;

/// What a request receives, in MIST: as much as from the faucet of Sui's own local network.
const GIFT_MIST: u64 = 200_000_000_000;

#[derive(Debug, Deserialize)]
enum FaucetRequest {
    FixedAmountRequest { recipient: Address },
}

/// `POST /v2/gas`, and `GET /` for those who wait for the faucet.
pub(crate) fn routes(network: LocalNet) -> Router {
    Router::new()
        .route("/", get(async || "OK"))
        .route("/v2/gas", post(gas))
        .with_state(network)
}

async fn gas(State(network): State<LocalNet>, Json(request): Json<FaucetRequest>) -> Response {
    let FaucetRequest::FixedAmountRequest { recipient } = request;
    match network.gift(recipient, GIFT_MIST) {
        Ok(gift) => {
            let coins: Vec<_> = gift
                .coins
                .iter()
                .map(|coin| {
                    json!({ "amount": GIFT_MIST, "id": coin, "transferTxDigest": gift.digest })
                })
                .collect();
            Json(json!({ "status": "Success", "coins_sent": coins })).into_response()
        }
        Err(error) => {
            let failure = json!({ "Failure": { "Internal": error.to_string() } });
            let body = json!({ "status": failure, "coins_sent": null });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
        }
    }
}
