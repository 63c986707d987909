//! The daemon itself: health, readiness, nodes, and the transaction journal.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::ContentType;
use actix_web::web::{Data, Path};
use atoma_api_types::{
    HealthStatus, HealthView, NodeView, NotReadyView, OverviewView, ReadyStatus, ReadyView,
    ReconciledView, TransactionDetailView, TransactionView,
};
use atoma_domain::journal::{Action, Failure, IntentRecord, IntentStatus};
use atoma_domain::ports::{JournalFilter, JournalKey};
use atoma_domain::{IntentId, NodeSmallId};
use atoma_metrics::{CONTENT_TYPE, Metrics};
use atoma_operator::{Autopilot, Checked, Operator};

use super::endpoint::Endpoint;
use crate::error::{ApiError, ApiResult, advised_by};
use crate::lists::{CURSOR, LIMIT, ListRequest, PAGING, ShortListRequest};
use crate::openapi::{DocumentJson, Query, Tag, Values, describe};
use crate::paging::one_more;
use crate::params::{digest, whole};
use crate::query::TRIED;
use crate::request_context::RequestContext;
use crate::views::{
    node_view, overview_view, reconciled_view, spending_limits_view, transaction_detail_view,
    transaction_view,
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let describe = |id, summary| describe(id, Tag::Daemon, summary);
    vec![
        Endpoint::at("/health").get(
            describe("health", "Whether the process is up.")
                .public()
                .unlimited()
                .answers::<HealthView>(200, "It is up."),
            health,
        ),
        Endpoint::at("/ready").get(
            describe(
                "ready",
                "Whether the daemon can serve and write: its state has caught up, and the Sui node answers.",
            )
            .answers::<ReadyView>(200, "The daemon is ready.")
            .fails_with::<NotReadyView>(&["not_ready"]),
            ready,
        ),
        Endpoint::at("/metrics").get(
            describe("metrics", "The daemon in numbers, for Prometheus.")
                .answers_text("text/plain", "The metrics; `docs/metrics.md` lists them."),
            metrics,
        ),
        Endpoint::at("/overview").get(
            describe(
                "get_overview",
                "The daemon at a glance: where the money is, the epoch, gas, lanes, alarms and Sui nodes.",
            )
            .answers::<OverviewView>(200, "What is known now."),
            overview,
        ),
        Endpoint::at("/openapi.json").get(
            describe("openapi", "This document.")
                .public()
                .answers_json("The document."),
            openapi,
        ),
        Endpoint::at("/nodes").get(
            describe("list_nodes", "Lists the operator's nodes.")
                .query(PAGING)
                .lists_at_once::<NodeView>(),
            nodes,
        ),
        Endpoint::at("/reconcile").write(
            Method::POST,
            describe(
                "reconcile",
                "Compares the mirror with the contract's own state, and repairs it.",
            )
            .query(TRIED)
            .answers::<ReconciledView>(200, "What differed, and is repaired unless it is a dry run.")
            .errors(&["not_ready", "shutting_down", "sui_node_error"]),
            reconcile,
        ),
        Endpoint::at("/reconcile/rebuild").write(
            Method::POST,
            describe(
                "rebuild_mirror",
                "Rebuilds the mirror from the contract's state at one version. Served work and the journal stay.",
            )
            .answers::<ReconciledView>(200, "The mirror is rebuilt, and this is what differed.")
            .errors(&["not_ready", "shutting_down", "sui_node_error"]),
            rebuild,
        ),
        Endpoint::at("/transactions").get(
            describe("list_transactions", "Lists the transaction journal.")
                .query(FILTERS)
                .lists::<TransactionView>(),
            transactions,
        ),
        Endpoint::at("/transactions/{id}").get(
            describe("get_transaction", "A transaction of the journal with its attempts.")
                .answers::<TransactionDetailView>(200, "The transaction.")
                .errors(&["unknown_transaction"]),
            transaction,
        ),
        Endpoint::at("/transactions/{id}/abandon").write(
            Method::POST,
            describe("abandon_transaction", "Abandons a transaction that can't execute any more.")
                .answers::<TransactionView>(200, "The transaction, which has failed.")
                .errors(&[
                    "unknown_transaction",
                    "may_still_execute",
                    "already_final",
                    "not_ready",
                    "shutting_down",
                    "sui_node_error",
                ]),
            abandon,
        ),
    ]
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(HealthView {
        status: HealthStatus::Ok,
    })
}

async fn metrics(
    operator: Data<Operator>,
    autopilot: Data<Autopilot>,
    metrics: Data<Metrics>,
) -> ApiResult {
    let measured = autopilot.add_to(operator.measure().await).await;
    let text = metrics.render(&measured);
    let text = text.map_err(|error| Failure::Internal {
        reason: error.to_string(),
    })?;
    Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).body(text))
}

async fn overview(operator: Data<Operator>) -> HttpResponse {
    let measured = operator.measure_without_waiting().await;
    HttpResponse::Ok().json(overview_view(&measured))
}

async fn openapi(document: Data<DocumentJson>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(document.0.clone())
}

async fn ready(operator: Data<Operator>) -> ApiResult {
    let Checked {
        reasons,
        stopped,
        warnings,
        limits,
    } = operator.check().await;
    let brakes = limits.as_ref().map(spending_limits_view);
    Ok(if reasons.is_empty() {
        HttpResponse::Ok().json(ReadyView {
            status: ReadyStatus::Ready,
            warnings,
            brakes,
        })
    } else {
        let failure = Failure::NotReady { reasons };
        // Polling is no advice if the reason doesn't end by itself.
        let error = advised_by(&failure, stopped.as_ref().unwrap_or(&failure));
        HttpResponse::ServiceUnavailable().json(NotReadyView { error, brakes })
    })
}

async fn nodes(operator: Data<Operator>, list: ShortListRequest) -> ApiResult {
    let list = list.0;
    let page = list.page::<NodeSmallId>()?;
    // An operator has few nodes, and reading them all is one query.
    let mut nodes = operator.ports().state.operator_nodes().await?;
    nodes.retain(|node| page.after.is_none_or(|after| node.node_small_id > after));
    list.respond(
        page,
        nodes,
        |node| node.node_small_id,
        |node| node_view(&node),
    )
    .await
}

/// Compares the whole mirror with the contract.
async fn reconcile(context: RequestContext) -> ApiResult {
    let found = context.operator_without_body().reconcile().await?;
    Ok(HttpResponse::Ok().json(reconciled_view(found, context.is_dry_run())))
}

/// Rebuilds the mirror.
async fn rebuild(operator: Data<Operator>) -> ApiResult {
    let found = operator.requiring_start().rebuild_mirror().await?;
    Ok(HttpResponse::Ok().json(reconciled_view(found, false)))
}

/// The query parameters of the list of transactions: filters, and the page.
const FILTERS: &[Query] = &[
    Query {
        name: "kind",
        about: "Only transactions of this kind.",
        is_required: false,
        values: Values::Name(&Action::KINDS),
    },
    Query {
        name: "status",
        about: "Only transactions with this status.",
        is_required: false,
        values: Values::Name(&IntentStatus::NAMES),
    },
    Query {
        name: "node_small_id",
        about: "Only transactions of this node.",
        is_required: false,
        values: Values::Id,
    },
    Query {
        name: "stack_small_id",
        about: "Only transactions about this stack.",
        is_required: false,
        values: Values::Id,
    },
    Query {
        name: "tx_digest",
        about: "Only the transactions that an attempt with this digest carries.",
        is_required: false,
        values: Values::Text("^[1-9A-HJ-NP-Za-km-z]{32,44}$"),
    },
    LIMIT,
    CURSOR,
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
            let names = IntentStatus::NAMES.join(", ");
            ApiError::invalid(format!("`status` must be one of {names}."))
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
    let detail = transaction_detail_view(view(&operator, record), attempts);
    let detail = detail.map_err(|overflow| Failure::Internal {
        reason: overflow.to_string(),
    })?;
    Ok(HttpResponse::Ok().json(detail))
}

/// Abandons a transaction that provably can't execute.
async fn abandon(operator: Data<Operator>, path: Path<String>) -> ApiResult {
    let record = find(&operator, path.into_inner()).await?;
    let record = operator.abandon(record.intent.id).await?;
    Ok(HttpResponse::Ok().json(view(&operator, record)))
}

fn view(operator: &Operator, record: IntentRecord) -> TransactionView {
    let waiting_for = operator.held(record.intent.id);
    transaction_view(record, waiting_for.as_ref())
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
