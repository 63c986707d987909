//! Requests for one transaction each: registering, subscribing, disputing.

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use atoma_domain::{EchelonId, StackSmallId, TaskSmallId};
use serde::Deserialize;

use super::at;
use crate::asked::Asked;
use crate::body::Body;
use crate::error::ApiError;
use crate::params::{Common, Price};
use crate::views::{DigestView, RegisteredView, SubscribedView};

type Answer = Result<HttpResponse, ApiError>;

/// The contract's only value for `max_num_compute_units`.
const MAX_NUM_COMPUTE_UNITS: u64 = 1_000_000;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/register", web::post().to(register)))
        .service(at("/model_subscribe", web::post().to(model_subscribe)))
        .service(at("/task_subscribe", web::post().to(task_subscribe)))
        .service(at(
            "/task_update_subscription",
            web::post().to(task_update_subscription),
        ))
        .service(at("/task_unsubscribe", web::post().to(task_unsubscribe)))
        .service(at(
            "/start_attestation_dispute",
            web::post().to(start_attestation_dispute),
        ));
}

#[derive(Debug, Deserialize)]
struct Register {
    #[serde(flatten)]
    common: Common,
    #[serde(default)]
    additional: bool,
}

async fn register(asked: Asked, body: Body<Register>) -> Answer {
    let operator = asked.operator(&body);
    let request = body.value;
    let node = operator
        .register(request.additional, request.common.gas())
        .await?;
    Ok(HttpResponse::Ok().json(RegisteredView::from(node)))
}

#[derive(Debug, Deserialize)]
struct ModelSubscribe {
    #[serde(flatten)]
    common: Common,
    model_name: String,
    echelon_id: EchelonId,
}

async fn model_subscribe(asked: Asked, body: Body<ModelSubscribe>) -> Answer {
    let operator = asked.operator(&body);
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
    common: Common,
    #[serde(flatten)]
    price: Price,
    task_small_id: TaskSmallId,
    #[serde(default)]
    max_num_compute_units: Option<u64>,
}

impl TaskSubscribe {
    fn warnings(&self) -> Vec<String> {
        self.max_num_compute_units
            .filter(|units| *units != MAX_NUM_COMPUTE_UNITS)
            .map(|units| {
                format!(
                    "the contract fixes `max_num_compute_units` at {MAX_NUM_COMPUTE_UNITS}; {units} has no effect"
                )
            })
            .into_iter()
            .collect()
    }
}

async fn task_subscribe(asked: Asked, body: Body<TaskSubscribe>) -> Answer {
    let operator = asked.operator(&body);
    let request = body.value;
    let price = request.price.per_million()?;
    let (node, gas) = (request.common.node(), request.common.gas());
    let done = operator
        .subscribe_to_task(request.task_small_id, price, node, gas)
        .await?;
    Ok(HttpResponse::Ok().json(SubscribedView::new(done, request.warnings())))
}

async fn task_update_subscription(asked: Asked, body: Body<TaskSubscribe>) -> Answer {
    let operator = asked.operator(&body);
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
    common: Common,
    task_small_id: TaskSmallId,
}

async fn task_unsubscribe(asked: Asked, body: Body<TaskUnsubscribe>) -> Answer {
    let operator = asked.operator(&body);
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
    common: Common,
    stack_small_id: StackSmallId,
}

async fn start_attestation_dispute(asked: Asked, body: Body<StartDispute>) -> Answer {
    let operator = asked.operator(&body);
    let request = body.value;
    let (node, gas) = (request.common.node(), request.common.gas());
    let done = operator.dispute(request.stack_small_id, node, gas).await?;
    Ok(HttpResponse::Ok().json(DigestView::from(done)))
}
