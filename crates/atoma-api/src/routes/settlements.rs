//! Stacks that entered settlement, and disputes about them.

use actix_web::web::{Data, Path, ServiceConfig};
use atoma_domain::Epoch;
use atoma_domain::ports::DisputeSide;
use atoma_operator::Operator;

use super::node_path::nodes;
use super::resource::get;
use crate::error::ApiResult;
use crate::lists::{ListRequest, PAGING};
use crate::paging::one_more;
use crate::views::{ClaimedStackView, DisputeView};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(get("/claimed_stacks", PAGING, claimed))
        .service(get("/claimed_stacks/{node}", PAGING, claimed_by_node))
        .service(get("/against_attestation_disputes", PAGING, against))
        .service(get(
            "/against_attestation_disputes/{node}",
            PAGING,
            against_node,
        ))
        .service(get("/own_attestation_disputes", PAGING, own))
        .service(get("/own_attestation_disputes/{node}", PAGING, own_by_node));
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
    let now = ports.events.progress().await?.epoch;
    let now = now.unwrap_or(Epoch::new(0));
    list.respond(
        page,
        settlements,
        |settlement| settlement.stack_small_id,
        |settlement| ClaimedStackView::new(settlement, now),
    )
    .await
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
        DisputeView::from,
    )
    .await
}
