//! Stacks that entered settlement, and disputes about them.

use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use atoma_domain::Epoch;
use atoma_domain::ports::DisputeSide;
use atoma_operator::Operator;

use super::at;
use super::reads::nodes;
use crate::error::ApiError;
use crate::paging::{ListQuery, answer, one_more};
use crate::views::{ClaimedStackView, DisputeView};

type Answer = Result<HttpResponse, ApiError>;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/claimed_stacks", web::get().to(claimed)))
        .service(at("/claimed_stacks/{node}", web::get().to(claimed_of)))
        .service(at("/against_attestation_disputes", web::get().to(against)))
        .service(at(
            "/against_attestation_disputes/{node}",
            web::get().to(against_one),
        ))
        .service(at("/own_attestation_disputes", web::get().to(own)))
        .service(at(
            "/own_attestation_disputes/{node}",
            web::get().to(own_of),
        ));
}

async fn claimed(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
) -> Answer {
    list_claimed(&request, &operator, &query, None).await
}

async fn claimed_of(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    node: Path<String>,
) -> Answer {
    list_claimed(&request, &operator, &query, Some(&node)).await
}

async fn list_claimed(
    request: &HttpRequest,
    operator: &Operator,
    query: &ListQuery,
    node: Option<&str>,
) -> Answer {
    let nodes = nodes(operator, node).await?;
    let page = query.page()?;
    let ports = operator.ports();
    let settlements = ports.state.settlements(&nodes, one_more(page)).await?;
    let now = ports.events.progress().await?.epoch;
    let now = now.unwrap_or(Epoch::new(0));
    Ok(answer(
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
) -> Answer {
    list_disputes(&request, &operator, &query, None, DisputeSide::Defendant).await
}

async fn against_one(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    node: Path<String>,
) -> Answer {
    let side = DisputeSide::Defendant;
    list_disputes(&request, &operator, &query, Some(&node), side).await
}

async fn own(request: HttpRequest, operator: Data<Operator>, query: Query<ListQuery>) -> Answer {
    list_disputes(&request, &operator, &query, None, DisputeSide::Plaintiff).await
}

async fn own_of(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    node: Path<String>,
) -> Answer {
    let side = DisputeSide::Plaintiff;
    list_disputes(&request, &operator, &query, Some(&node), side).await
}

async fn list_disputes(
    request: &HttpRequest,
    operator: &Operator,
    query: &ListQuery,
    node: Option<&str>,
    side: DisputeSide,
) -> Answer {
    let nodes = nodes(operator, node).await?;
    let page = query.page()?;
    let state = &operator.ports().state;
    let disputes = state.disputes(&nodes, side, one_more(page)).await?;
    Ok(answer(
        request,
        page.limit,
        disputes,
        |dispute| dispute.stack_small_id,
        DisputeView::from,
    ))
}
