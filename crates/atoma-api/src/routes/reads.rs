//! Tasks, subscriptions and stacks.

use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use atoma_domain::NodeSmallId;
use atoma_domain::ports::StackFilter;
use atoma_operator::Operator;

use super::at;
use crate::error::ApiError;
use crate::paging::{ListQuery, answer, one_more};
use crate::params::{fraction, segment};
use crate::views::{StackView, SubscriptionView, TaskView};

type Answer = Result<HttpResponse, ApiError>;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/tasks", web::get().to(tasks)))
        .service(at("/subscriptions", web::get().to(subscriptions)))
        .service(at("/subscriptions/{node}", web::get().to(subscriptions_of)))
        .service(at("/stacks", web::get().to(stacks)))
        .service(at("/stacks/{node}", web::get().to(stacks_of)))
        .service(at(
            "/almost_filled_stacks/{fraction}",
            web::get().to(almost_filled),
        ))
        .service(at(
            "/almost_filled_stacks/{node}/{fraction}",
            web::get().to(almost_filled_of),
        ));
}

/// The operator's nodes, be it none, or the one named.
pub(super) async fn nodes(
    operator: &Operator,
    named: Option<&str>,
) -> Result<Vec<NodeSmallId>, ApiError> {
    operator.readiness().require().await?;
    match named {
        Some(text) => {
            let node = operator.node(segment("node_small_id", text)?).await?;
            Ok(vec![node.node_small_id])
        }
        None => {
            let nodes = operator.ports().state.operator_nodes().await?;
            Ok(nodes.into_iter().map(|node| node.node_small_id).collect())
        }
    }
}

async fn tasks(request: HttpRequest, operator: Data<Operator>, query: Query<ListQuery>) -> Answer {
    operator.readiness().require().await?;
    let page = query.page()?;
    let tasks = operator.ports().state.tasks(one_more(page)).await?;
    Ok(answer(
        &request,
        page.limit,
        tasks,
        |task| task.task_small_id,
        TaskView::from,
    ))
}

async fn subscriptions(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
) -> Answer {
    // Before the mirror has caught up nobody knows whether a node is registered.
    operator.readiness().require().await?;
    operator.nodes().await?;
    list_subscriptions(&request, &operator, &query, None).await
}

async fn subscriptions_of(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    node: Path<String>,
) -> Answer {
    list_subscriptions(&request, &operator, &query, Some(&node)).await
}

async fn list_subscriptions(
    request: &HttpRequest,
    operator: &Operator,
    query: &ListQuery,
    node: Option<&str>,
) -> Answer {
    let nodes = nodes(operator, node).await?;
    let page = query.page()?;
    let state = &operator.ports().state;
    let offers = state.subscriptions(&nodes, one_more(page)).await?;
    Ok(answer(
        request,
        page.limit,
        offers,
        |offer| (offer.node_small_id, offer.task_small_id),
        SubscriptionView::from,
    ))
}

async fn stacks(request: HttpRequest, operator: Data<Operator>, query: Query<ListQuery>) -> Answer {
    list_stacks(&request, &operator, &query, None, None).await
}

async fn stacks_of(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    node: Path<String>,
) -> Answer {
    list_stacks(&request, &operator, &query, Some(&node), None).await
}

async fn almost_filled(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    filled: Path<String>,
) -> Answer {
    let filled = fraction(&filled)?;
    list_stacks(&request, &operator, &query, None, Some(filled)).await
}

async fn almost_filled_of(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    path: Path<(String, String)>,
) -> Answer {
    let (node, filled) = path.into_inner();
    let filled = fraction(&filled)?;
    list_stacks(&request, &operator, &query, Some(&node), Some(filled)).await
}

async fn list_stacks(
    request: &HttpRequest,
    operator: &Operator,
    query: &ListQuery,
    node: Option<&str>,
    filled_beyond: Option<f64>,
) -> Answer {
    let nodes = nodes(operator, node).await?;
    let page = query.page()?;
    let filter = StackFilter {
        nodes: &nodes,
        filled_beyond,
    };
    let state = &operator.ports().state;
    let stacks = state.stacks(filter, one_more(page)).await?;
    Ok(answer(
        request,
        page.limit,
        stacks,
        |stack| stack.stack_small_id,
        StackView::from,
    ))
}
