//! One line per request at DEBUG, and the number that finds it.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::HttpMessage as _;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tokio::time::Instant;
use tracing::debug;

use crate::caller::Caller;

/// The header that tells a client the number of its request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The number of the next request of this process.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The middleware that logs each request once it is answered. Its query is left out: it may be long, and
/// the path says what was asked.
pub(crate) async fn log_access<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let begun = Instant::now();
    let method = request.method().clone();
    let path = request.path().to_owned();
    let peer = request.peer_addr();
    let mut answered = next.call(request).await;
    let mut caller = None;
    let status = match &mut answered {
        Ok(response) => {
            caller = response.request().extensions().get::<Caller>().cloned();
            let headers = response.headers_mut();
            headers.insert(REQUEST_ID, HeaderValue::from(id));
            response.status()
        }
        Err(error) => error.as_response_error().status_code(),
    };
    debug!(
        request.id = id,
        peer = peer.map(tracing::field::display),
        caller = caller.as_ref().map(Caller::name),
        %method,
        path,
        status = status.as_u16(),
        duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    answered
}
