//! The daemon itself: health, readiness, nodes, the journal.

use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use atoma_domain::journal::Failure;
use atoma_domain::ports::{JournalFilter, JournalKey};
use atoma_domain::{Digest, TransactionId};
use atoma_operator::{NotReady, Operator};
use serde_json::json;

use super::at;
use crate::error::ApiError;
use crate::paging::{ListQuery, answer, one_more};
use crate::views::{NodeView, TransactionView};

type Answer = Result<HttpResponse, ApiError>;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/health", web::get().to(health)))
        .service(at("/ready", web::get().to(ready)))
        .service(at("/nodes", web::get().to(nodes)))
        .service(at("/transactions", web::get().to(transactions)))
        .service(at("/transactions/{id}", web::get().to(transaction)));
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

async fn ready(operator: Data<Operator>) -> Answer {
    match operator.readiness().check().await {
        Ok(()) => Ok(HttpResponse::Ok().json(json!({"status": "ready"}))),
        Err(NotReady(reasons)) => Err(Failure::NotReady { reasons }.into()),
    }
}

async fn nodes(operator: Data<Operator>) -> Answer {
    let nodes = operator.ports().state.operator_nodes().await?;
    let views: Vec<_> = nodes.into_iter().map(NodeView::from).collect();
    Ok(HttpResponse::Ok().json(views))
}

async fn transactions(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
) -> Answer {
    let page = query.page::<TransactionId>()?;
    let journal = &operator.ports().journal;
    let filter = JournalFilter::default();
    let records = journal.list(&filter, one_more(page)).await?;
    Ok(answer(
        &request,
        page.limit,
        records,
        |record| record.intent.id,
        TransactionView::from,
    ))
}

async fn transaction(operator: Data<Operator>, path: Path<String>) -> Answer {
    let text = path.into_inner();
    let key = match (text.parse::<TransactionId>(), text.parse::<Digest>()) {
        (Ok(id), _) => JournalKey::Id(id),
        (_, Ok(digest)) => JournalKey::Digest(digest),
        _ => {
            return Err(ApiError::invalid(
                "a transaction is asked for by its number or its digest",
            ));
        }
    };
    match operator.ports().journal.find(key).await? {
        Some(record) => Ok(HttpResponse::Ok().json(TransactionView::from(record))),
        None => Err(Failure::UnknownTransaction { transaction: text }.into()),
    }
}
