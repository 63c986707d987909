//! The daemon itself: health, readiness, nodes, and the transaction journal.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig};
use atoma_domain::IntentId;
use atoma_domain::journal::{Action, Failure, IntentRecord, IntentStatus};
use atoma_domain::ports::{JournalFilter, JournalKey};
use atoma_operator::{Checked, Operator};
use serde::Serialize;
use serde_json::json;

use super::resource::{SIMULATED, get, post};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::lists::ListRequest;
use crate::paging::one_more;
use crate::params::{digest, whole};
use crate::request_context::RequestContext;
use crate::views::{NodeView, SpendingLimitsView, TransactionDetailView, TransactionView};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(get("/health", &[], health))
        .service(get("/ready", &[], ready))
        .service(get("/nodes", &[], nodes))
        .service(get("/transactions", FILTERS, transactions))
        .service(get("/transactions/{id}", &[], transaction))
        .service(post("/transactions/{id}/abandon", SIMULATED, abandon));
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

async fn ready(operator: Data<Operator>) -> ApiResult {
    let Checked {
        reasons,
        stopped,
        limits,
    } = operator.check().await;
    let limits = limits.map(SpendingLimitsView::from);
    Ok(if reasons.is_empty() {
        HttpResponse::Ok().json(json!({
            "status": "ready",
            "warnings": operator.warnings(),
            "brakes": limits,
        }))
    } else {
        let failure = Failure::NotReady { reasons };
        // Polling is no advice if the reason doesn't end by itself.
        let error = ErrorBody::advised_by(&failure, stopped.as_ref().unwrap_or(&failure));
        HttpResponse::ServiceUnavailable().json(NotReadyView { error, limits })
    })
}

/// The response while the daemon is not ready.
#[derive(Debug, Serialize)]
struct NotReadyView {
    #[serde(flatten)]
    error: ErrorBody,
    #[serde(rename = "brakes")]
    limits: Option<SpendingLimitsView>,
}

async fn nodes(operator: Data<Operator>) -> ApiResult {
    let nodes = operator.ports().state.operator_nodes().await?;
    let views: Vec<_> = nodes.into_iter().map(NodeView::from).collect();
    Ok(HttpResponse::Ok().json(views))
}

/// The query parameters of the list of transactions: filters, and the page.
const FILTERS: &[&str] = &[
    "kind",
    "status",
    "node_small_id",
    "stack_small_id",
    "tx_digest",
    "limit",
    "cursor",
];

/// The filter that the query names; an absent parameter matches all.
fn filter(list: &ListRequest) -> Result<JournalFilter, ApiError> {
    let kind = list.parameter("kind")?.map(|name| {
        Action::kind_from_name(&name).ok_or_else(|| {
            let kinds = Action::KINDS.join(", ");
            ApiError::invalid(format!("`kind` must be one of {kinds}."))
        })
    });
    let status = list.parameter("status")?.map(|name| {
        IntentStatus::from_name(&name).ok_or_else(|| {
            ApiError::invalid("`status` must be queued, submitted, succeeded or failed.")
        })
    });
    let node = list.parameter("node_small_id")?;
    let stack = list.parameter("stack_small_id")?;
    let tx_digest = list.parameter("tx_digest")?;
    Ok(JournalFilter {
        kind: kind.transpose()?,
        status: status.transpose()?,
        node: node.map(|id| whole("node_small_id", &id)).transpose()?,
        stack: stack.map(|id| whole("stack_small_id", &id)).transpose()?,
        tx_digest: tx_digest
            .map(|text| digest("tx_digest", &text))
            .transpose()?,
    })
}

async fn transactions(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    let page = list.page::<IntentId>()?;
    let filter = filter(&list)?;
    let journal = &operator.ports().journal;
    let records = journal.list(&filter, one_more(page)).await?;
    list.respond(
        page,
        records,
        |record| record.intent.id,
        |record| view(&operator, record),
    )
    .await
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
    let key = match text.parse::<IntentId>() {
        Ok(id) => JournalKey::Id(id),
        Err(_) => JournalKey::Digest(digest("id", &text).map_err(|_| {
            ApiError::invalid(
                "`id` in the path must be a transaction's number in the journal or its digest.",
            )
        })?),
    };
    let found = operator.ports().journal.find(key).await?;
    found.ok_or_else(|| Failure::UnknownTransaction { transaction: text }.into())
}
