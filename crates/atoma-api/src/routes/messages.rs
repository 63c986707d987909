//! Recording served work.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use atoma_domain::model::NewMessage;
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, StackSmallId};
use atoma_operator::Operator;
use serde::Deserialize;

use super::resource::post;
use crate::body::JsonBody;
use crate::error::ApiResult;
use crate::views::WorkView;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(post("/stack_messages", &[], record));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    stack_small_id: StackSmallId,
    message_hash: Hash32,
    num_compute_units: ComputeUnits,
    #[serde(default)]
    node_small_id: Option<NodeSmallId>,
}

async fn record(operator: Data<Operator>, body: JsonBody<Message>) -> ApiResult {
    operator.readiness().require().await?;
    let message = body.value;
    match message.node_small_id {
        Some(node) => drop(operator.node(node).await?),
        None => operator.check_serves(message.stack_small_id).await?,
    }
    let recorded = operator
        .ports()
        .work
        .record_message(&NewMessage {
            stack_small_id: message.stack_small_id,
            node_small_id: message.node_small_id,
            message_hash: message.message_hash,
            num_compute_units: message.num_compute_units,
            reservation: None,
        })
        .await?;
    Ok(HttpResponse::Ok().json(WorkView::from(recorded)))
}
