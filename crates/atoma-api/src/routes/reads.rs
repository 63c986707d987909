//! Tasks, subscriptions and stacks.

use actix_web::web::{Data, Path};
use atoma_api_types::{StackView, SubscriptionView, TaskView};
use atoma_domain::ports::StackFilter;
use atoma_operator::Operator;

use super::beginnings::state_list;
use super::endpoint::Endpoint;
use super::node_path::nodes;
use crate::error::ApiResult;
use crate::lists::{CURSOR, LIMIT, ListRequest, PAIR_PAGING};
use crate::openapi::{Query, Values, codes};
use crate::paging::one_more;
use crate::params::fraction;
use crate::views::{stack_view, subscription_view, task_view};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let stacks_list = |id, summary| state_list(id, summary).lists::<StackView>();
    vec![
        Endpoint::at("/tasks").get(
            state_list("list_tasks", "Lists all tasks, deprecated ones too.").lists::<TaskView>(),
            tasks,
        ),
        Endpoint::at("/subscriptions").get(
            state_list(
                "list_subscriptions",
                "Lists the subscriptions of all the operator's nodes.",
            )
            .query(PAIR_PAGING)
            .lists::<SubscriptionView>()
            .errors(&["no_node_registered"]),
            subscriptions,
        ),
        Endpoint::at("/subscriptions/{node_small_id}")
            .and_at("/subscriptions/nodes/{node_small_id}")
            .get(
                state_list(
                    "list_subscriptions_of_node",
                    "Lists the subscriptions of one of the operator's nodes.",
                )
                    .query(PAIR_PAGING)
                .lists::<SubscriptionView>()
                .errors(codes::NODE),
                subscriptions_of,
            ),
        Endpoint::at("/stacks").get(
            stacks_list("list_stacks", "Lists the stacks of all the operator's nodes."),
            stacks,
        ),
        Endpoint::at("/stacks/{node_small_id}").get(
            stacks_list(
                "list_stacks_of_node",
                "Lists the stacks of one of the operator's nodes.",
            )
            .errors(codes::NODE),
            stacks_of,
        ),
        Endpoint::at("/stacks/nodes/{node_small_id}").get(
            stacks_list(
                "list_stacks_of_node_by_fill",
                "Lists the stacks of one of the operator's nodes, all or the fuller ones.",
            )
            .query(FILL)
            .errors(codes::NODE),
            stacks_by_fill,
        ),
        Endpoint::at("/almost_filled_stacks/{fraction}").get(
            stacks_list(
                "list_almost_filled_stacks",
                "Lists the stacks of all the operator's nodes of which more than a share of the units is computed.",
            ),
            almost_filled,
        ),
        Endpoint::at("/almost_filled_stacks/{node_small_id}/{fraction}").get(
            stacks_list(
                "list_almost_filled_stacks_of_node",
                "Lists the stacks of one node of which more than a share of the units is computed.",
            )
            .errors(codes::NODE),
            almost_filled_of,
        ),
    ]
}

/// The page, and a filter of stacks.
const FILL: &[Query] = &[
    LIMIT,
    CURSOR,
    Query {
        name: "min_fill_fraction",
        about: "Only stacks of which more than this share of the units is computed.",
        is_required: false,
        values: Values::Fraction,
    },
];

async fn tasks(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    operator.readiness().require().await?;
    let page = list.page()?;
    let tasks = operator.ports().state.tasks(one_more(page)).await?;
    list.respond(page, tasks, |task| task.task_small_id, task_view)
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
        subscription_view,
    )
    .await
}

async fn stacks(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    list_stacks(&operator, list, None, None).await
}

async fn stacks_of(operator: Data<Operator>, list: ListRequest, node: Path<String>) -> ApiResult {
    list_stacks(&operator, list, Some(&node), None).await
}

async fn stacks_by_fill(
    operator: Data<Operator>,
    list: ListRequest,
    node: Path<String>,
) -> ApiResult {
    let filled = list.parameter("min_fill_fraction")?;
    let filled = filled
        .map(|text| fraction("`min_fill_fraction`", &text))
        .transpose()?;
    list_stacks(&operator, list, Some(&node), filled).await
}

async fn almost_filled(
    operator: Data<Operator>,
    list: ListRequest,
    filled: Path<String>,
) -> ApiResult {
    let filled = fraction("The fraction in the path", &filled)?;
    list_stacks(&operator, list, None, Some(filled)).await
}

async fn almost_filled_of(
    operator: Data<Operator>,
    list: ListRequest,
    path: Path<(String, String)>,
) -> ApiResult {
    let (node, filled) = path.into_inner();
    let filled = fraction("The fraction in the path", &filled)?;
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
        move |stack| stack_view(stack, now),
    )
    .await
}
