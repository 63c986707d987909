//! Requests over several stacks: settle, attest, claim.

use actix_web::http::Method;
use atoma_api_types::{AttestRequest, BatchView, ClaimRequest, ClaimView, SettleRequest};
use atoma_operator::StackResult;

use super::beginnings::transaction_request;
use super::endpoint::Endpoint;
use crate::body::JsonBody;
use crate::error::ApiResult;
use crate::ignored;
use crate::params::{gas, node};
use crate::request_context::RequestContext;
use crate::views::{batch_response, batch_view, claim_view};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let request =
        |id, summary| transaction_request(id, summary).errors(&["unknown_stack", "task_removed"]);
    let all = "All succeeded, or would.";
    let some =
        "Some succeeded, or some are under way beside others. `results` has the outcome of each.";
    vec![
        Endpoint::at("/try_settle_stack_ids").write(
            Method::POST,
            request("settle_stacks", "Settles stacks, each by its selected node.")
                .takes::<SettleRequest>()
                .answers::<BatchView>(200, all)
                .answers::<BatchView>(207, some)
                .may_fail_with::<BatchView>()
                .errors(&[
                    "already_settling",
                    "already_claimed",
                    "needs_no_settlement",
                    "stack_has_no_messages",
                    "requests_in_progress",
                    "node_not_selected",
                    "too_many_compute_units",
                ]),
            settle,
        ),
        Endpoint::at("/submit_stack_settlement_attestations").write(
            Method::POST,
            request(
                "attest_stacks",
                "Attests settlements by the given node, or by every node of the operator that a ticket asks for.",
            )
            .takes::<AttestRequest>()
            .answers::<BatchView>(200, all)
            .answers::<BatchView>(207, some)
            .may_fail_with::<BatchView>()
            .errors(&[
                "not_settled",
                "already_attested",
                "already_claimed",
                "nothing_to_attest_with",
                "attestation_not_requested",
                "no_attestation_requested",
                "attestation_window_over",
                "commitment_mismatch",
                "stack_in_dispute",
            ]),
            attest,
        ),
        Endpoint::at("/claim_funds")
            .and_at("/nodes/claim-funds")
            .write(
                Method::POST,
                request(
                    "claim_stacks",
                    "Claims the funds of stacks, each by its selected node. Stacks share transactions.",
                )
                .takes::<ClaimRequest>()
                .answers::<ClaimView>(200, all)
                .answers::<ClaimView>(207, some)
                .may_fail_with::<ClaimView>()
                .errors(&[
                    "not_settled",
                    "not_yet_claimable",
                    "already_claimed",
                    "node_not_selected",
                    "requests_in_progress",
                    "stack_has_no_messages",
                    "stack_in_dispute",
                    "treasury_short",
                ]),
                claim,
            ),
    ]
}

async fn settle(context: RequestContext, body: JsonBody<SettleRequest>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (node(&request.options), gas(&request.options));
    let units = request.num_claimed_compute_units;
    let results = operator
        .settle(&request.stack_small_ids, units, node, gas)
        .await?;
    let warnings = ignored::warnings(
        &request.ignored,
        &["stack_small_ids", "num_claimed_compute_units"],
    );
    let results = with_warnings(results, &warnings);
    Ok(batch_response(&results).json(batch_view(results, context.is_dry_run())))
}

async fn attest(context: RequestContext, body: JsonBody<AttestRequest>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (node(&request.options), gas(&request.options));
    let results = operator
        .attest(&request.stack_small_ids, request.allow_dispute, node, gas)
        .await?;
    let warnings = ignored::warnings(&request.ignored, &["stack_small_ids", "allow_dispute"]);
    let results = with_warnings(results, &warnings);
    Ok(batch_response(&results).json(batch_view(results, context.is_dry_run())))
}

async fn claim(context: RequestContext, body: JsonBody<ClaimRequest>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (node(&request.options), gas(&request.options));
    let results = operator.claim(&request.stack_small_ids, node, gas).await?;
    let warnings = ignored::warnings(&request.ignored, &["stack_small_ids"]);
    let results = with_warnings(results, &warnings);
    Ok(batch_response(&results).json(claim_view(results, context.is_dry_run())))
}

/// The results with warnings about the request, which concern every stack.
fn with_warnings(mut results: Vec<StackResult>, warnings: &[String]) -> Vec<StackResult> {
    for result in &mut results {
        result.warnings.extend_from_slice(warnings);
    }
    results
}
