//! Live events for the operator's page.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, HeaderName};
use actix_web::web::{Data, ReqData};
use actix_web::{HttpRequest, HttpResponse};

use super::endpoint::Endpoint;
use crate::access::AccessControl;
use crate::caller::Caller;
use crate::error::ApiResult;
use crate::live::{Live, StreamEnd, stream};
use crate::openapi::{Tag, describe};

/// Where a client names the last event that it has.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at("/events/stream").get(
            describe(
                "stream_events",
                Tag::Daemon,
                "Tells what changes, as server-sent events: `applied`, `transactions`, `alarms`, `autopilot`, `status`, \
                 and `reset` if earlier events are not known any more. `Last-Event-ID` resumes a stream.",
            )
            .answers_text(
                "text/event-stream",
                "The events. They say what to read again, and not what it is.",
            )
            .errors(&["busy"]),
            events,
        ),
    ]
}

async fn events(
    request: HttpRequest,
    live: Data<Live>,
    access: Data<AccessControl>,
    caller: ReqData<Caller>,
) -> ApiResult {
    let last = request.headers().get(LAST_EVENT_ID);
    let listener = live.listen(last.and_then(|last| last.to_str().ok()))?;
    let end = StreamEnd {
        caller: caller.into_inner(),
        access: AccessControl::clone(&access),
        stopping: live.stopping(),
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Compression would hold events back.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
        .streaming(stream(listener, end)))
}
