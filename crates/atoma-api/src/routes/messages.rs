//! Recording served work.

use actix_web::HttpResponse;
use actix_web::http::Method;
use atoma_api_types::{MessageRequest, WorkView};
use atoma_operator::ServedMessage;

use super::endpoint::Endpoint;
use crate::body::JsonBody;
use crate::error::ApiResult;
use crate::openapi::{Tag, describe};
use crate::params::tag;
use crate::query::TRIED;
use crate::request_context::RequestContext;
use crate::views::work_view;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::at("/stack_messages").write(
        Method::POST,
        describe(
            "record_message",
            Tag::ServedWork,
            "Records a served message in a node's record of a stack, and ends its reservation. `Idempotency-Key` may \
             stand for `message_id`.",
        )
        .query(TRIED)
        .takes_key()
        .takes::<MessageRequest>()
        .answers::<WorkView>(200, "The message is recorded, or would be.")
        .errors(&[
            "unknown_stack",
            "unknown_node",
            "unknown_reservation",
            "already_settling",
            "already_claimed",
            "message_id_reused",
            "reservation_of_another_stack",
            "not_ready",
            "shutting_down",
        ]),
        record,
    )]
}

async fn record(context: RequestContext, body: JsonBody<MessageRequest>) -> ApiResult {
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
    Ok(HttpResponse::Ok().json(work_view(recorded, context.is_dry_run())))
}
