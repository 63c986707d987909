//! One line per request at DEBUG, the number that finds it, and its count for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::HttpMessage as _;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use atoma_metrics::Metrics;
use tokio::time::Instant;
use tracing::{Instrument as _, debug, debug_span, field};

use crate::caller::Caller;

/// The header that tells a client the number of its request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The number of the next request of this process.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The middleware that logs and counts each request once it is answered. Its query is left out: it may be long, and
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
    let metrics = request.app_data::<Data<Metrics>>().cloned();
    let _in_flight = metrics.as_ref().map(|metrics| metrics.http().begin());
    let span = debug_span!(
        "request",
        otel.name = name(&method, request.match_pattern()),
        otel.kind = "server",
        otel.status_code = field::Empty,
        request.id = id,
        http.request.method = %method,
        http.route = request.match_pattern(),
        http.response.status_code = field::Empty,
        url.path = path,
    );
    let mut answered = next.call(request).instrument(span.clone()).await;
    let (mut caller, mut route) = (None, None);
    let status = match &mut answered {
        Ok(response) => {
            caller = response.request().extensions().get::<Caller>().cloned();
            route = response.request().match_pattern();
            let headers = response.headers_mut();
            headers.insert(REQUEST_ID, HeaderValue::from(id));
            response.status()
        }
        Err(error) => error.as_response_error().status_code(),
    };
    let duration = begun.elapsed();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    if let Some(metrics) = metrics {
        let (method, route) = (method.as_str(), route.as_deref());
        metrics
            .http()
            .answered(method, route, status.as_u16(), duration);
    }
    debug!(
        request.id = id,
        peer = peer.map(tracing::field::display),
        caller = caller.as_ref().map(Caller::name),
        %method,
        path,
        status = status.as_u16(),
        duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    answered
}

/// What OpenTelemetry calls a request.
fn name(method: &Method, route: Option<String>) -> String {
    route.map_or_else(|| method.to_string(), |route| format!("{method} {route}"))
}
