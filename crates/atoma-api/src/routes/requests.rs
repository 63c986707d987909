//! Requests of one transaction each: register, subscribe, withdraw, dispute.

use actix_web::http::Method;
use atoma_api_types::{
    DigestView, DisputeRequest, DisputedView, ModelSubscribeRequest, RegisterRequest,
    RegisteredView, SubscribedView, TaskSubscribeRequest, TaskUnsubscribeRequest, WithdrawRequest,
};

use atoma_operator::dispute_warning;

use super::beginnings::transaction_request;
use super::endpoint::Endpoint;
use crate::body::JsonBody;
use crate::error::ApiResult;
use crate::ignored;
use crate::params::{gas, node, per_million};
use crate::request_context::RequestContext;
use crate::views::{
    digest_view, disputed_view, done_response, registered_response, registered_view,
    subscribed_view,
};

/// The contract's fixed value of `max_num_compute_units`.
const MAX_NUM_COMPUTE_UNITS: u64 = 1_000_000;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let request = transaction_request;
    let done = "The transaction executed, or would succeed.";
    let unsubscribe = || {
        request(
            "unsubscribe_from_task",
            "Ends a node's subscription to a task.",
        )
        .takes::<TaskUnsubscribeRequest>()
        .answers::<DigestView>(200, done)
        .errors(&["unknown_task", "not_subscribed"])
    };
    vec![
        Endpoint::at("/register").and_at("/nodes/register").write(
            Method::POST,
            request("register_node", "Registers a node for the operator's address.")
                .takes::<RegisterRequest>()
                .answers::<RegisteredView>(200, done)
                .errors(&["already_registered"]),
            register,
        ),
        Endpoint::at("/model_subscribe")
            .and_at("/nodes/model-subscribe")
            .write(
                Method::POST,
                request("subscribe_to_model", "Subscribes a node to a model.")
                    .takes::<ModelSubscribeRequest>()
                    .answers::<DigestView>(200, done)
                    .errors(&["already_subscribed_to_model"]),
                model_subscribe,
            ),
        Endpoint::at("/task_subscribe")
            .and_at("/nodes/task-subscribe")
            .write(
                Method::POST,
                request("subscribe_to_task", "Subscribes a node to a task, at a price.")
                    .takes::<TaskSubscribeRequest>()
                    .answers::<SubscribedView>(200, done)
                    .errors(&["unknown_task", "already_subscribed"]),
                task_subscribe,
            ),
        Endpoint::at("/task_update_subscription")
            .and_at("/nodes/task-update-subscription")
            .write(
                Method::POST,
                request("update_subscription", "Changes the price of a node's subscription.")
                    .takes::<TaskSubscribeRequest>()
                    .answers::<SubscribedView>(200, done)
                    .errors(&["unknown_task", "not_subscribed"]),
                task_update_subscription,
            ),
        Endpoint::at("/task_unsubscribe").write(Method::POST, unsubscribe(), task_unsubscribe),
        Endpoint::at("/nodes/task-unsubscribe").write(
            Method::DELETE,
            unsubscribe().with_id("unsubscribe_from_task_by_its_later_name"),
            task_unsubscribe,
        ),
        Endpoint::at("/withdraw_fees").write(
            Method::POST,
            request(
                "withdraw_fees",
                "Collects the shares that the contract owes a node for its attestations. The node's claims do the same.",
            )
            .takes::<WithdrawRequest>()
            .answers::<DigestView>(200, done)
            .errors(&["nothing_to_withdraw", "treasury_short"]),
            withdraw_fees,
        ),
        Endpoint::at("/start_attestation_dispute").write(
            Method::POST,
            request(
                "start_dispute",
                "Raises a dispute against the settlement of a stack, with the commitment of the node's own record. It freezes the stack's funds.",
            )
            .takes::<DisputeRequest>()
            .answers::<DisputedView>(200, done)
            .errors(&[
                "unknown_stack",
                "not_settled",
                "already_in_dispute",
                "already_claimed",
                "nothing_to_attest_with",
                "nothing_to_dispute",
                "attestation_not_requested",
                "no_attestation_requested",
                "attestation_window_over",
                "task_removed",
            ]),
            start_attestation_dispute,
        ),
    ]
}

async fn register(context: RequestContext, body: JsonBody<RegisterRequest>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let registered = operator
        .register(request.additional, gas(&request.options))
        .await?;
    Ok(registered_response(&registered).json(registered_view(registered)))
}

async fn model_subscribe(
    context: RequestContext,
    body: JsonBody<ModelSubscribeRequest>,
) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (node(&request.options), gas(&request.options));
    let done = operator
        .subscribe_to_model(request.model_name, request.echelon_id, node, gas)
        .await?;
    Ok(done_response(&done).json(digest_view(done)))
}

/// What a request for a subscription should know.
fn warnings(request: &TaskSubscribeRequest) -> Vec<String> {
    request
        .max_num_compute_units
        .filter(|units| *units != MAX_NUM_COMPUTE_UNITS)
        .map(|units| {
            format!(
                "The contract fixes `max_num_compute_units` at {MAX_NUM_COMPUTE_UNITS}; {units} has no effect."
            )
        })
        .into_iter()
        .chain(ignored::warnings(
            &request.ignored,
            &[
                "task_small_id",
                "price_per_compute_unit",
                "price_per_one_million_compute_units",
                "max_num_compute_units",
            ],
        ))
        .collect()
}

async fn task_subscribe(
    context: RequestContext,
    body: JsonBody<TaskSubscribeRequest>,
) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let price = per_million(&request.price)?;
    let (node, gas) = (node(&request.options), gas(&request.options));
    let done = operator
        .subscribe_to_task(request.task_small_id, price, node, gas)
        .await?;
    Ok(done_response(&done).json(subscribed_view(done, warnings(&request))))
}

async fn task_update_subscription(
    context: RequestContext,
    body: JsonBody<TaskSubscribeRequest>,
) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let price = per_million(&request.price)?;
    let (node, gas) = (node(&request.options), gas(&request.options));
    let done = operator
        .update_subscription(request.task_small_id, price, node, gas)
        .await?;
    Ok(done_response(&done).json(subscribed_view(done, warnings(&request))))
}

async fn task_unsubscribe(
    context: RequestContext,
    body: JsonBody<TaskUnsubscribeRequest>,
) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (node(&request.options), gas(&request.options));
    let done = operator
        .unsubscribe_from_task(request.task_small_id, node, gas)
        .await?;
    Ok(done_response(&done).json(digest_view(done)))
}

async fn withdraw_fees(context: RequestContext, body: JsonBody<WithdrawRequest>) -> ApiResult {
    let operator = context.operator(&body);
    let options = body.value.options;
    let done = operator.withdraw(node(&options), gas(&options)).await?;
    Ok(done_response(&done).json(digest_view(done)))
}

async fn start_attestation_dispute(
    context: RequestContext,
    body: JsonBody<DisputeRequest>,
) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (node(&request.options), gas(&request.options));
    let done = operator.dispute(request.stack_small_id, node, gas).await?;
    let warnings = vec![dispute_warning(request.stack_small_id)];
    Ok(done_response(&done).json(disputed_view(done, warnings)))
}
