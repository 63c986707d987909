//! Requests over several stacks: settle, attest, claim.

use actix_web::web::ServiceConfig;
use atoma_domain::{ComputeUnits, StackSmallId};
use serde::Deserialize;

use super::resource::{SIMULATED, post};
use crate::body::JsonBody;
use crate::error::ApiResult;
use crate::params::CommonFields;
use crate::request_context::RequestContext;
use crate::views::{BatchView, ClaimView, batch_response};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(post("/try_settle_stack_ids", SIMULATED, settle))
        .service(post(
            "/submit_stack_settlement_attestations",
            SIMULATED,
            attest,
        ))
        .service(post("/claim_funds", SIMULATED, claim));
}

#[derive(Debug, Deserialize)]
struct Settle {
    #[serde(flatten)]
    common: CommonFields,
    stack_small_ids: Vec<StackSmallId>,
    #[serde(default)]
    num_claimed_compute_units: Option<ComputeUnits>,
}

async fn settle(context: RequestContext, body: JsonBody<Settle>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let units = request.num_claimed_compute_units;
    let results = operator
        .settle(&request.stack_small_ids, units, node, gas)
        .await?;
    Ok(batch_response(&results).json(BatchView::new(results, context.is_dry_run())))
}

#[derive(Debug, Deserialize)]
struct Attest {
    #[serde(flatten)]
    common: CommonFields,
    stack_small_ids: Vec<StackSmallId>,
    #[serde(default)]
    allow_dispute: bool,
}

async fn attest(context: RequestContext, body: JsonBody<Attest>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let results = operator
        .attest(&request.stack_small_ids, request.allow_dispute, node, gas)
        .await?;
    Ok(batch_response(&results).json(BatchView::new(results, context.is_dry_run())))
}

#[derive(Debug, Deserialize)]
struct Claim {
    #[serde(flatten)]
    common: CommonFields,
    stack_small_ids: Vec<StackSmallId>,
}

async fn claim(context: RequestContext, body: JsonBody<Claim>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let results = operator.claim(&request.stack_small_ids, node, gas).await?;
    Ok(batch_response(&results).json(ClaimView::new(results, context.is_dry_run())))
}
