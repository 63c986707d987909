//! Requests over several stacks: settle, attest, claim.

use actix_web::web::ServiceConfig;
use atoma_domain::{ComputeUnits, StackSmallId};
use atoma_operator::StackResult;
use serde::Deserialize;

use super::resource::{SIMULATED, post};
use crate::body::JsonBody;
use crate::error::ApiResult;
use crate::ignored::Ignored;
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
    #[serde(flatten)]
    ignored: Ignored,
}

async fn settle(context: RequestContext, body: JsonBody<Settle>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let units = request.num_claimed_compute_units;
    let results = operator
        .settle(&request.stack_small_ids, units, node, gas)
        .await?;
    let warnings = request
        .ignored
        .warnings(&["stack_small_ids", "num_claimed_compute_units"]);
    let results = with_warnings(results, &warnings);
    Ok(batch_response(&results).json(BatchView::new(results, context.is_dry_run())))
}

#[derive(Debug, Deserialize)]
struct Attest {
    #[serde(flatten)]
    common: CommonFields,
    stack_small_ids: Vec<StackSmallId>,
    #[serde(default)]
    allow_dispute: bool,
    #[serde(flatten)]
    ignored: Ignored,
}

async fn attest(context: RequestContext, body: JsonBody<Attest>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let results = operator
        .attest(&request.stack_small_ids, request.allow_dispute, node, gas)
        .await?;
    let warnings = request
        .ignored
        .warnings(&["stack_small_ids", "allow_dispute"]);
    let results = with_warnings(results, &warnings);
    Ok(batch_response(&results).json(BatchView::new(results, context.is_dry_run())))
}

#[derive(Debug, Deserialize)]
struct Claim {
    #[serde(flatten)]
    common: CommonFields,
    stack_small_ids: Vec<StackSmallId>,
    #[serde(flatten)]
    ignored: Ignored,
}

async fn claim(context: RequestContext, body: JsonBody<Claim>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let results = operator.claim(&request.stack_small_ids, node, gas).await?;
    let warnings = request.ignored.warnings(&["stack_small_ids"]);
    let results = with_warnings(results, &warnings);
    Ok(batch_response(&results).json(ClaimView::new(results, context.is_dry_run())))
}

/// The results with warnings about the request, which concern every stack.
fn with_warnings(mut results: Vec<StackResult>, warnings: &[String]) -> Vec<StackResult> {
    for result in &mut results {
        result.warnings.extend_from_slice(warnings);
    }
    results
}
