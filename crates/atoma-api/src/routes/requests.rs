//! Requests of one transaction each: register, subscribe, dispute.

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;
use atoma_domain::{EchelonId, StackSmallId, TaskSmallId};
use serde::Deserialize;

use super::resource::{SIMULATED, post};
use crate::body::JsonBody;
use crate::error::ApiResult;
use crate::ignored::Ignored;
use crate::params::{CommonFields, Price};
use crate::request_context::RequestContext;
use crate::views::{DigestView, RegisteredView, SubscribedView};

/// The contract's fixed value of `max_num_compute_units`.
const MAX_NUM_COMPUTE_UNITS: u64 = 1_000_000;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(post("/register", SIMULATED, register))
        .service(post("/model_subscribe", SIMULATED, model_subscribe))
        .service(post("/task_subscribe", SIMULATED, task_subscribe))
        .service(post(
            "/task_update_subscription",
            SIMULATED,
            task_update_subscription,
        ))
        .service(post("/task_unsubscribe", SIMULATED, task_unsubscribe))
        .service(post(
            "/start_attestation_dispute",
            SIMULATED,
            start_attestation_dispute,
        ));
}

#[derive(Debug, Deserialize)]
struct Register {
    #[serde(flatten)]
    common: CommonFields,
    #[serde(default)]
    additional: bool,
}

async fn register(context: RequestContext, body: JsonBody<Register>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let node = operator
        .register(request.additional, request.common.gas())
        .await?;
    Ok(HttpResponse::Ok().json(RegisteredView::from(node)))
}

#[derive(Debug, Deserialize)]
struct ModelSubscribe {
    #[serde(flatten)]
    common: CommonFields,
    model_name: String,
    echelon_id: EchelonId,
}

async fn model_subscribe(context: RequestContext, body: JsonBody<ModelSubscribe>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let done = operator
        .subscribe_to_model(request.model_name, request.echelon_id, node, gas)
        .await?;
    Ok(HttpResponse::Ok().json(DigestView::from(done)))
}

#[derive(Debug, Deserialize)]
struct TaskSubscribe {
    #[serde(flatten)]
    common: CommonFields,
    #[serde(flatten)]
    price: Price,
    task_small_id: TaskSmallId,
    #[serde(default)]
    max_num_compute_units: Option<u64>,
    #[serde(flatten)]
    ignored: Ignored,
}

impl TaskSubscribe {
    fn warnings(&self) -> Vec<String> {
        self.max_num_compute_units
            .filter(|units| *units != MAX_NUM_COMPUTE_UNITS)
            .map(|units| {
                format!(
                    "The contract fixes `max_num_compute_units` at {MAX_NUM_COMPUTE_UNITS}; {units} has no effect."
                )
            })
            .into_iter()
            .chain(self.ignored.warnings(&[
                "task_small_id",
                "price_per_compute_unit",
                "price_per_one_million_compute_units",
                "max_num_compute_units",
            ]))
            .collect()
    }
}

async fn task_subscribe(context: RequestContext, body: JsonBody<TaskSubscribe>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let price = request.price.per_million()?;
    let (node, gas) = (request.common.node(), request.common.gas());
    let done = operator
        .subscribe_to_task(request.task_small_id, price, node, gas)
        .await?;
    Ok(HttpResponse::Ok().json(SubscribedView::new(done, request.warnings())))
}

async fn task_update_subscription(
    context: RequestContext,
    body: JsonBody<TaskSubscribe>,
) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let price = request.price.per_million()?;
    let (node, gas) = (request.common.node(), request.common.gas());
    let done = operator
        .update_subscription(request.task_small_id, price, node, gas)
        .await?;
    Ok(HttpResponse::Ok().json(SubscribedView::new(done, request.warnings())))
}

#[derive(Debug, Deserialize)]
struct TaskUnsubscribe {
    #[serde(flatten)]
    common: CommonFields,
    task_small_id: TaskSmallId,
}

async fn task_unsubscribe(context: RequestContext, body: JsonBody<TaskUnsubscribe>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let done = operator
        .unsubscribe_from_task(request.task_small_id, node, gas)
        .await?;
    Ok(HttpResponse::Ok().json(DigestView::from(done)))
}

#[derive(Debug, Deserialize)]
struct StartDispute {
    #[serde(flatten)]
    common: CommonFields,
    stack_small_id: StackSmallId,
}

async fn start_attestation_dispute(
    context: RequestContext,
    body: JsonBody<StartDispute>,
) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let done = operator.dispute(request.stack_small_id, node, gas).await?;
    Ok(HttpResponse::Ok().json(DigestView::from(done)))
}
