//! Tasks, subscriptions and stacks.

use actix_web::web::{Data, Path, ServiceConfig};
use atoma_domain::ports::StackFilter;
use atoma_operator::Operator;

use super::node_path::nodes;
use super::resource::get;
use crate::error::ApiResult;
use crate::lists::{ListRequest, PAGING};
use crate::paging::one_more;
use crate::params::fraction;
use crate::views::{StackView, SubscriptionView, TaskView};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(get("/tasks", PAGING, tasks))
        .service(get("/subscriptions", PAGING, subscriptions))
        .service(get("/subscriptions/{node}", PAGING, subscriptions_of))
        .service(get("/stacks", PAGING, stacks))
        .service(get("/stacks/{node}", PAGING, stacks_of))
        .service(get(
            "/almost_filled_stacks/{fraction}",
            PAGING,
            almost_filled,
        ))
        .service(get(
            "/almost_filled_stacks/{node}/{fraction}",
            PAGING,
            almost_filled_of,
        ));
}

async fn tasks(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    operator.readiness().require().await?;
    let page = list.page()?;
    let tasks = operator.ports().state.tasks(one_more(page)).await?;
    list.respond(page, tasks, |task| task.task_small_id, TaskView::from)
        .await
}

async fn subscriptions(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    // Only a mirror that has caught up knows whether a node is registered.
    operator.readiness().require().await?;
    operator.nodes().await?;
    list_subscriptions(&operator, list, None).await
}

async fn subscriptions_of(
    operator: Data<Operator>,
    list: ListRequest,
    node: Path<String>,
) -> ApiResult {
    list_subscriptions(&operator, list, Some(&node)).await
}

async fn list_subscriptions(
    operator: &Operator,
    list: ListRequest,
    node: Option<&str>,
) -> ApiResult {
    let nodes = nodes(operator, node).await?;
    let page = list.page()?;
    let state = &operator.ports().state;
    let offers = state.subscriptions(&nodes, one_more(page)).await?;
    list.respond(
        page,
        offers,
        |offer| (offer.node_small_id, offer.task_small_id),
        SubscriptionView::from,
    )
    .await
}

async fn stacks(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    list_stacks(&operator, list, None, None).await
}

async fn stacks_of(operator: Data<Operator>, list: ListRequest, node: Path<String>) -> ApiResult {
    list_stacks(&operator, list, Some(&node), None).await
}

async fn almost_filled(
    operator: Data<Operator>,
    list: ListRequest,
    filled: Path<String>,
) -> ApiResult {
    let filled = fraction(&filled)?;
    list_stacks(&operator, list, None, Some(filled)).await
}

async fn almost_filled_of(
    operator: Data<Operator>,
    list: ListRequest,
    path: Path<(String, String)>,
) -> ApiResult {
    let (node, filled) = path.into_inner();
    let filled = fraction(&filled)?;
    list_stacks(&operator, list, Some(&node), Some(filled)).await
}

async fn list_stacks(
    operator: &Operator,
    list: ListRequest,
    node: Option<&str>,
    filled_beyond: Option<f64>,
) -> ApiResult {
    let nodes = nodes(operator, node).await?;
    let page = list.page()?;
    let filter = StackFilter {
        nodes: &nodes,
        filled_beyond,
    };
    let ports = operator.ports();
    let stacks = ports.state.stacks(filter, one_more(page)).await?;
    let now = ports.clock.now();
    list.respond(
        page,
        stacks,
        |stack| stack.stack_small_id,
        move |stack| StackView::new(stack, now),
    )
    .await
}
