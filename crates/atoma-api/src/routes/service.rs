//! The daemon itself: health, readiness, nodes, the journal.

use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use atoma_domain::journal::{Action, Failure, IntentRecord, IntentStatus};
use atoma_domain::ports::{JournalFilter, JournalKey};
use atoma_domain::{Digest, IntentId, NodeSmallId, StackSmallId};
use atoma_operator::{NotReady, Operator};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::at;
use crate::asked::Asked;
use crate::error::{ApiError, ErrorBody};
use crate::paging::{ListQuery, answer, one_more};
use crate::views::{BrakesView, NodeView, TransactionDetailView, TransactionView};

type Answer = Result<HttpResponse, ApiError>;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/health", web::get().to(health)))
        .service(at("/ready", web::get().to(ready)))
        .service(at("/nodes", web::get().to(nodes)))
        .service(at("/transactions", web::get().to(transactions)))
        .service(at("/transactions/{id}", web::get().to(transaction)))
        .service(at("/transactions/{id}/abandon", web::post().to(abandon)));
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

async fn ready(operator: Data<Operator>) -> Answer {
    let checked = operator.check().await;
    let brakes = BrakesView::from(operator.limits().await?);
    Ok(match checked {
        Ok(()) => HttpResponse::Ok().json(json!({
            "status": "ready",
            "warnings": operator.warnings(),
            "brakes": brakes,
        })),
        Err(NotReady(reasons)) => {
            let error = ErrorBody::from(&Failure::NotReady { reasons });
            HttpResponse::ServiceUnavailable().json(NotReadyView { error, brakes })
        }
    })
}

/// The answer of a daemon that can't serve.
#[derive(Debug, Serialize)]
struct NotReadyView {
    #[serde(flatten)]
    error: ErrorBody,
    brakes: BrakesView,
}

async fn nodes(operator: Data<Operator>) -> Answer {
    let nodes = operator.ports().state.operator_nodes().await?;
    let views: Vec<_> = nodes.into_iter().map(NodeView::from).collect();
    Ok(HttpResponse::Ok().json(views))
}

/// Which transactions to list; what is absent is any.
#[derive(Debug, Deserialize)]
struct TransactionQuery {
    kind: Option<String>,
    status: Option<String>,
    node_small_id: Option<NodeSmallId>,
    stack_small_id: Option<StackSmallId>,
    tx_digest: Option<Digest>,
}

impl TransactionQuery {
    fn filter(&self) -> Result<JournalFilter, ApiError> {
        let kind = self.kind.as_deref().map(|name| {
            Action::kind_from_name(name).ok_or_else(|| {
                let kinds = Action::KINDS.join(", ");
                ApiError::invalid(format!("`kind` must be one of {kinds}"))
            })
        });
        let status = self.status.as_deref().map(|name| {
            IntentStatus::from_name(name).ok_or_else(|| {
                ApiError::invalid("`status` must be queued, submitted, succeeded or failed")
            })
        });
        Ok(JournalFilter {
            kind: kind.transpose()?,
            status: status.transpose()?,
            node: self.node_small_id,
            stack: self.stack_small_id,
            tx_digest: self.tx_digest,
        })
    }
}

async fn transactions(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    filter: Query<TransactionQuery>,
) -> Answer {
    let page = query.page::<IntentId>()?;
    let filter = filter.filter()?;
    let journal = &operator.ports().journal;
    let records = journal.list(&filter, one_more(page)).await?;
    Ok(answer(
        &request,
        page.limit,
        records,
        |record| record.intent.id,
        |record| view(&operator, record),
    ))
}

async fn transaction(operator: Data<Operator>, path: Path<String>) -> Answer {
    let record = find(&operator, path.into_inner()).await?;
    // Read after it: whatever brought it where it stands is among them.
    let journal = &operator.ports().journal;
    let attempts = journal.attempts_of(record.intent.id).await?;
    let detail = TransactionDetailView::new(view(&operator, record), attempts);
    let detail = detail.map_err(|overflow| Failure::Internal {
        reason: overflow.to_string(),
    })?;
    Ok(HttpResponse::Ok().json(detail))
}

/// Gives a transaction up, where it is proved that it never executes.
async fn abandon(asked: Asked, operator: Data<Operator>, path: Path<String>) -> Answer {
    if asked.is_dry() {
        return Err(ApiError::invalid("giving up can't be rehearsed"));
    }
    let record = find(&operator, path.into_inner()).await?;
    let record = operator.abandon(record.intent.id).await?;
    Ok(HttpResponse::Ok().json(view(&operator, record)))
}

fn view(operator: &Operator, record: IntentRecord) -> TransactionView {
    let held = operator.held(record.intent.id);
    TransactionView::new(record, held)
}

/// The journal's entry of that number or digest.
async fn find(operator: &Operator, text: String) -> Result<IntentRecord, ApiError> {
    let key = match (text.parse::<IntentId>(), text.parse::<Digest>()) {
        (Ok(id), _) => JournalKey::Id(id),
        (_, Ok(digest)) => JournalKey::Digest(digest),
        _ => {
            return Err(ApiError::invalid(
                "a transaction is asked for by its number or its digest",
            ));
        }
    };
    let found = operator.ports().journal.find(key).await?;
    found.ok_or_else(|| Failure::UnknownTransaction { transaction: text }.into())
}
