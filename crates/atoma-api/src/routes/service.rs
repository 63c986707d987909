//! The daemon itself: health, readiness, nodes, and the transaction journal.

use actix_web::web::{Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use atoma_domain::journal::{Action, Failure, IntentRecord, IntentStatus};
use atoma_domain::ports::{JournalFilter, JournalKey};
use atoma_domain::{Digest, IntentId, NodeSmallId, StackSmallId};
use atoma_operator::{NotReady, Operator};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::resource::{get, post};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::paging::{ListQuery, one_more, page_response};
use crate::request_context::RequestContext;
use crate::views::{NodeView, SpendingLimitsView, TransactionDetailView, TransactionView};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(get("/health", health))
        .service(get("/ready", ready))
        .service(get("/nodes", nodes))
        .service(get("/transactions", transactions))
        .service(get("/transactions/{id}", transaction))
        .service(post("/transactions/{id}/abandon", abandon));
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

async fn ready(operator: Data<Operator>) -> ApiResult {
    let checked = operator.check().await;
    let limits = SpendingLimitsView::from(operator.limits().await?);
    Ok(match checked {
        Ok(()) => HttpResponse::Ok().json(json!({
            "status": "ready",
            "warnings": operator.warnings(),
            "brakes": limits,
        })),
        Err(NotReady(reasons)) => {
            let error = ErrorBody::from(&Failure::NotReady { reasons });
            HttpResponse::ServiceUnavailable().json(NotReadyView { error, limits })
        }
    })
}

/// The response while the daemon is not ready.
#[derive(Debug, Serialize)]
struct NotReadyView {
    #[serde(flatten)]
    error: ErrorBody,
    #[serde(rename = "brakes")]
    limits: SpendingLimitsView,
}

async fn nodes(operator: Data<Operator>) -> ApiResult {
    let nodes = operator.ports().state.operator_nodes().await?;
    let views: Vec<_> = nodes.into_iter().map(NodeView::from).collect();
    Ok(HttpResponse::Ok().json(views))
}

/// The filter of a list of transactions; an absent field matches all.
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
                ApiError::invalid(format!("`kind` must be one of {kinds}."))
            })
        });
        let status = self.status.as_deref().map(|name| {
            IntentStatus::from_name(name).ok_or_else(|| {
                ApiError::invalid("`status` must be queued, submitted, succeeded or failed.")
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
) -> ApiResult {
    let page = query.page::<IntentId>()?;
    let filter = filter.filter()?;
    let journal = &operator.ports().journal;
    let records = journal.list(&filter, one_more(page)).await?;
    Ok(page_response(
        &request,
        page.limit,
        records,
        |record| record.intent.id,
        |record| view(&operator, record),
    ))
}

async fn transaction(operator: Data<Operator>, path: Path<String>) -> ApiResult {
    let record = find(&operator, path.into_inner()).await?;
    // Read after the record, so that the attempt which led to its status is among them.
    let journal = &operator.ports().journal;
    let attempts = journal.attempts_of(record.intent.id).await?;
    let detail = TransactionDetailView::new(view(&operator, record), attempts);
    let detail = detail.map_err(|overflow| Failure::Internal {
        reason: overflow.to_string(),
    })?;
    Ok(HttpResponse::Ok().json(detail))
}

/// Abandons a transaction that provably can't execute.
async fn abandon(
    context: RequestContext,
    operator: Data<Operator>,
    path: Path<String>,
) -> ApiResult {
    if context.is_dry_run() {
        return Err(ApiError::invalid(
            "Abandoning a transaction can't be simulated. Leave `dry_run` out.",
        ));
    }
    let record = find(&operator, path.into_inner()).await?;
    let record = operator.abandon(record.intent.id).await?;
    Ok(HttpResponse::Ok().json(view(&operator, record)))
}

fn view(operator: &Operator, record: IntentRecord) -> TransactionView {
    let waiting_for = operator.held(record.intent.id);
    TransactionView::new(record, waiting_for)
}

/// The transaction with that id or digest.
async fn find(operator: &Operator, text: String) -> Result<IntentRecord, ApiError> {
    let key = match (text.parse::<IntentId>(), text.parse::<Digest>()) {
        (Ok(id), _) => JournalKey::Id(id),
        (_, Ok(digest)) => JournalKey::Digest(digest),
        _ => {
            return Err(ApiError::invalid(
                "A transaction is named by its id or by its digest.",
            ));
        }
    };
    let found = operator.ports().journal.find(key).await?;
    found.ok_or_else(|| Failure::UnknownTransaction { transaction: text }.into())
}
