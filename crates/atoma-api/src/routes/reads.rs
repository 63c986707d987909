//! Tasks, subscriptions and stacks.

use actix_web::HttpRequest;
use actix_web::web::{Data, Path, Query, ServiceConfig};
use atoma_domain::ports::StackFilter;
use atoma_operator::Operator;

use super::node_path::nodes;
use super::resource::get;
use crate::error::ApiResult;
use crate::paging::{ListQuery, one_more, page_response};
use crate::params::fraction;
use crate::views::{StackView, SubscriptionView, TaskView};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(get("/tasks", tasks))
        .service(get("/subscriptions", subscriptions))
        .service(get("/subscriptions/{node}", subscriptions_of))
        .service(get("/stacks", stacks))
        .service(get("/stacks/{node}", stacks_of))
        .service(get("/almost_filled_stacks/{fraction}", almost_filled))
        .service(get(
            "/almost_filled_stacks/{node}/{fraction}",
            almost_filled_of,
        ));
}

async fn tasks(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
) -> ApiResult {
    operator.readiness().require().await?;
    let page = query.page()?;
    let tasks = operator.ports().state.tasks(one_more(page)).await?;
    Ok(page_response(
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
) -> ApiResult {
    // Only a mirror that has caught up knows whether a node is registered.
    operator.readiness().require().await?;
    operator.nodes().await?;
    list_subscriptions(&request, &operator, &query, None).await
}

async fn subscriptions_of(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    node: Path<String>,
) -> ApiResult {
    list_subscriptions(&request, &operator, &query, Some(&node)).await
}

async fn list_subscriptions(
    request: &HttpRequest,
    operator: &Operator,
    query: &ListQuery,
    node: Option<&str>,
) -> ApiResult {
    let nodes = nodes(operator, node).await?;
    let page = query.page()?;
    let state = &operator.ports().state;
    let offers = state.subscriptions(&nodes, one_more(page)).await?;
    Ok(page_response(
        request,
        page.limit,
        offers,
        |offer| (offer.node_small_id, offer.task_small_id),
        SubscriptionView::from,
    ))
}

async fn stacks(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
) -> ApiResult {
    list_stacks(&request, &operator, &query, None, None).await
}

async fn stacks_of(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    node: Path<String>,
) -> ApiResult {
    list_stacks(&request, &operator, &query, Some(&node), None).await
}

async fn almost_filled(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    filled: Path<String>,
) -> ApiResult {
    let filled = fraction(&filled)?;
    list_stacks(&request, &operator, &query, None, Some(filled)).await
}

async fn almost_filled_of(
    request: HttpRequest,
    operator: Data<Operator>,
    query: Query<ListQuery>,
    path: Path<(String, String)>,
) -> ApiResult {
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
) -> ApiResult {
    let nodes = nodes(operator, node).await?;
    let page = query.page()?;
    let filter = StackFilter {
        nodes: &nodes,
        filled_beyond,
    };
    let state = &operator.ports().state;
    let stacks = state.stacks(filter, one_more(page)).await?;
    Ok(page_response(
        request,
        page.limit,
        stacks,
        |stack| stack.stack_small_id,
        StackView::from,
    ))
}
