//! Requests over several stacks: settling, attesting, claiming.

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use atoma_domain::{ComputeUnits, StackSmallId};
use serde::Deserialize;

use super::at;
use crate::asked::Asked;
use crate::body::Body;
use crate::error::ApiError;
use crate::params::Common;
use crate::views::{BatchView, ClaimView, batch_answer};

type Answer = Result<HttpResponse, ApiError>;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/try_settle_stack_ids", web::post().to(settle)))
        .service(at(
            "/submit_stack_settlement_attestations",
            web::post().to(attest),
        ))
        .service(at("/claim_funds", web::post().to(claim)));
}

#[derive(Debug, Deserialize)]
struct Settle {
    #[serde(flatten)]
    common: Common,
    stack_small_ids: Vec<StackSmallId>,
    #[serde(default)]
    num_claimed_compute_units: Option<ComputeUnits>,
}

async fn settle(asked: Asked, body: Body<Settle>) -> Answer {
    let operator = asked.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let units = request.num_claimed_compute_units;
    let results = operator
        .settle(&request.stack_small_ids, units, node, gas)
        .await?;
    Ok(batch_answer(&results).json(BatchView::new(results, asked.is_dry())))
}

#[derive(Debug, Deserialize)]
struct Attest {
    #[serde(flatten)]
    common: Common,
    stack_small_ids: Vec<StackSmallId>,
    #[serde(default)]
    allow_dispute: bool,
}

async fn attest(asked: Asked, body: Body<Attest>) -> Answer {
    let operator = asked.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let results = operator
        .attest(&request.stack_small_ids, request.allow_dispute, node, gas)
        .await?;
    Ok(batch_answer(&results).json(BatchView::new(results, asked.is_dry())))
}

#[derive(Debug, Deserialize)]
struct Claim {
    #[serde(flatten)]
    common: Common,
    stack_small_ids: Vec<StackSmallId>,
}

async fn claim(asked: Asked, body: Body<Claim>) -> Answer {
    let operator = asked.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let results = operator.claim(&request.stack_small_ids, node, gas).await?;
    Ok(batch_answer(&results).json(ClaimView::new(results, asked.is_dry())))
}
