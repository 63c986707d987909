//! Stacks that entered settlement, and disputes about them.

use actix_web::HttpRequest;
use actix_web::web::{Data, Path, Query, ServiceConfig};
use atoma_domain::Epoch;
use atoma_domain::ports::DisputeSide;
use atoma_operator::Operator;

use super::node_path::nodes;
use super::resource::get;
use crate::error::ApiResult;
use crate::paging::{ListQuery, one_more, page_response};
use crate::views::{ClaimedStackView, DisputeView};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(get("/claimed_stacks", claimed))
        .service(get("/claimed_stacks/{node}", claimed_by_node))
        .service(get("/against_attestation_disputes", against))
        .service(get("/against_attestation_disputes/{node}", against_node))
        .service(get("/own_attestation_disputes", own))
        .service(get("/own_attestation_disputes/{node}", own_by_node));
}

async fn claimed(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
) -> ApiResult {
    list_claimed(&request, &operator, &query, None).await
}

async fn claimed_by_node(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    node: Path<String>,
) -> ApiResult {
    list_claimed(&request, &operator, &query, Some(&node)).await
}

async fn list_claimed(
    request: &HttpRequest,
    operator: &Operator,
    query: &ListQuery,
    node: Option<&str>,
) -> ApiResult {
    let nodes = nodes(operator, node).await?;
    let page = query.page()?;
    let ports = operator.ports();
    let settlements = ports.state.settlements(&nodes, one_more(page)).await?;
    let now = ports.events.progress().await?.epoch;
    let now = now.unwrap_or(Epoch::new(0));
    Ok(page_response(
        request,
        page.limit,
        settlements,
        |settlement| settlement.stack_small_id,
        |settlement| ClaimedStackView::new(settlement, now),
    ))
}

async fn against(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
) -> ApiResult {
    list_disputes(&request, &operator, &query, None, DisputeSide::Defendant).await
}

async fn against_node(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    node: Path<String>,
) -> ApiResult {
    let side = DisputeSide::Defendant;
    list_disputes(&request, &operator, &query, Some(&node), side).await
}

async fn own(request: HttpRequest, operator: Data<Operator>, query: Query<ListQuery>) -> ApiResult {
    list_disputes(&request, &operator, &query, None, DisputeSide::Plaintiff).await
}

async fn own_by_node(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    node: Path<String>,
) -> ApiResult {
    let side = DisputeSide::Plaintiff;
    list_disputes(&request, &operator, &query, Some(&node), side).await
}

async fn list_disputes(
    request: &HttpRequest,
    operator: &Operator,
    query: &ListQuery,
    node: Option<&str>,
    side: DisputeSide,
) -> ApiResult {
    let nodes = nodes(operator, node).await?;
    let page = query.page()?;
    let state = &operator.ports().state;
    let disputes = state.disputes(&nodes, side, one_more(page)).await?;
    Ok(page_response(
        request,
        page.limit,
        disputes,
        |dispute| dispute.stack_small_id,
        DisputeView::from,
    ))
}
