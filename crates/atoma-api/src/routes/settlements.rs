//! Stacks that entered settlement, and disputes about them.

use actix_web::web::{Data, Path};
use atoma_api_types::{ClaimedStackView, DisputeView, DueAttestationView};
use atoma_domain::Epoch;
use atoma_domain::ports::DisputeSide;
use atoma_operator::Operator;

use super::beginnings::state_list;
use super::endpoint::Endpoint;
use super::node_path::nodes;
use crate::error::{ApiError, ApiResult};
use crate::lists::{ListRequest, PAIR_PAGING};
use crate::openapi::codes;
use crate::paging::one_more;
use crate::views::{claimed_stack_view, dispute_view, due_attestation_view};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let stacks = |id, summary| state_list(id, summary).lists::<ClaimedStackView>();
    let due = |id, summary| {
        let list = state_list(id, summary).query(PAIR_PAGING);
        list.lists::<DueAttestationView>()
    };
    let disputes = |id, summary| state_list(id, summary).lists::<DisputeView>();
    vec![
        Endpoint::at("/claimed_stacks").get(
            stacks(
                "list_claimed_stacks",
                "Lists the stacks of all the operator's nodes that entered settlement.",
            ),
            claimed,
        ),
        Endpoint::at("/claimed_stacks/{node_small_id}")
            .and_at("/claimed-stacks/nodes/{node_small_id}")
            .get(
                stacks(
                    "list_claimed_stacks_of_node",
                    "Lists the stacks of one of the operator's nodes that entered settlement.",
                )
                .errors(codes::NODE),
                claimed_by_node,
            ),
        Endpoint::at("/attestations_due").get(
            due(
                "list_attestations_due",
                "Lists the settlements that the operator's nodes must still attest, the most urgent first.",
            ),
            attestations_due,
        ),
        Endpoint::at("/attestations_due/{node_small_id}").get(
            due(
                "list_attestations_due_of_node",
                "Lists the settlements that one of the operator's nodes must still attest, the most urgent first.",
            )
            .errors(codes::NODE),
            attestations_due_of,
        ),
        Endpoint::at("/against_attestation_disputes").get(
            disputes(
                "list_disputes_against",
                "Lists the disputes against settlements of all the operator's nodes.",
            ),
            against,
        ),
        Endpoint::at("/against_attestation_disputes/{node_small_id}")
            .and_at("/attestation_disputes/against/nodes/{node_small_id}")
            .get(
                disputes(
                    "list_disputes_against_node",
                    "Lists the disputes against settlements of one of the operator's nodes.",
                )
                .errors(codes::NODE),
                against_node,
            ),
        Endpoint::at("/own_attestation_disputes").get(
            disputes(
                "list_own_disputes",
                "Lists the disputes that the operator's nodes raised.",
            ),
            own,
        ),
        Endpoint::at("/own_attestation_disputes/{node_small_id}")
            .and_at("/attestation_disputes/own/nodes/{node_small_id}")
            .get(
                disputes(
                    "list_own_disputes_of_node",
                    "Lists the disputes that one of the operator's nodes raised.",
                )
                .errors(codes::NODE),
                own_by_node,
            ),
    ]
}

async fn claimed(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    list_claimed(&operator, list, None).await
}

async fn claimed_by_node(
    operator: Data<Operator>,
    list: ListRequest,
    node: Path<String>,
) -> ApiResult {
    list_claimed(&operator, list, Some(&node)).await
}

async fn list_claimed(operator: &Operator, list: ListRequest, node: Option<&str>) -> ApiResult {
    let nodes = nodes(operator, node).await?;
    let page = list.page()?;
    let ports = operator.ports();
    let settlements = ports.state.settlements(&nodes, one_more(page)).await?;
    let now = epoch(operator).await?;
    list.respond(
        page,
        settlements,
        |settlement| settlement.stack_small_id,
        |settlement| claimed_stack_view(settlement, now),
    )
    .await
}

async fn attestations_due(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    list_due(&operator, list, None).await
}

async fn attestations_due_of(
    operator: Data<Operator>,
    list: ListRequest,
    node: Path<String>,
) -> ApiResult {
    list_due(&operator, list, Some(&node)).await
}

async fn list_due(operator: &Operator, list: ListRequest, node: Option<&str>) -> ApiResult {
    let nodes = nodes(operator, node).await?;
    let page = list.page()?;
    let now = epoch(operator).await?;
    let state = &operator.ports().state;
    let due = state.due_attestations(&nodes, now, one_more(page)).await?;
    list.respond(
        page,
        due,
        |due| (due.claimable_from_epoch, due.stack_small_id),
        due_attestation_view,
    )
    .await
}

/// The epoch that the mirror is in.
async fn epoch(operator: &Operator) -> Result<Epoch, ApiError> {
    let progress = operator.ports().events.progress().await?;
    Ok(progress.epoch.unwrap_or(Epoch::new(0)))
}

async fn against(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    list_disputes(&operator, list, None, DisputeSide::Defendant).await
}

async fn against_node(
    operator: Data<Operator>,
    list: ListRequest,
    node: Path<String>,
) -> ApiResult {
    let side = DisputeSide::Defendant;
    list_disputes(&operator, list, Some(&node), side).await
}

async fn own(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    list_disputes(&operator, list, None, DisputeSide::Plaintiff).await
}

async fn own_by_node(operator: Data<Operator>, list: ListRequest, node: Path<String>) -> ApiResult {
    let side = DisputeSide::Plaintiff;
    list_disputes(&operator, list, Some(&node), side).await
}

async fn list_disputes(
    operator: &Operator,
    list: ListRequest,
    node: Option<&str>,
    side: DisputeSide,
) -> ApiResult {
    let nodes = nodes(operator, node).await?;
    let page = list.page()?;
    let state = &operator.ports().state;
    let disputes = state.disputes(&nodes, side, one_more(page)).await?;
    list.respond(
        page,
        disputes,
        |dispute| dispute.stack_small_id,
        dispute_view,
    )
    .await
}
