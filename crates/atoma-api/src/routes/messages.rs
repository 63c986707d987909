//! Recording served work.

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, ReservationId, StackSmallId};
use atoma_operator::ServedMessage;
use serde::Deserialize;

use super::resource::{SIMULATED, post};
use crate::body::JsonBody;
use crate::error::ApiResult;
use crate::params::tag;
use crate::request_context::RequestContext;
use crate::views::WorkView;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(post("/stack_messages", SIMULATED, record));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    stack_small_id: StackSmallId,
    message_hash: Hash32,
    num_compute_units: ComputeUnits,
    #[serde(default)]
    node_small_id: Option<NodeSmallId>,
    #[serde(default)]
    reservation_id: Option<ReservationId>,
    #[serde(default)]
    message_id: Option<String>,
}

async fn record(context: RequestContext, body: JsonBody<Message>) -> ApiResult {
    let operator = context.operator(&body);
    let message = body.value;
    let served = ServedMessage {
        stack_small_id: message.stack_small_id,
        node_small_id: message.node_small_id,
        message_hash: message.message_hash,
        num_compute_units: message.num_compute_units,
        reservation: message.reservation_id,
        id: tag("message_id", message.message_id)?,
    };
    let recorded = operator.record_message(served).await?;
    Ok(HttpResponse::Ok().json(WorkView::new(recorded, context.is_dry_run())))
}
