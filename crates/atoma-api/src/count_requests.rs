//! Counts requests for metrics.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use atoma_metrics::Metrics;
use tokio::time::Instant;

/// The middleware that counts each request once its answer begins.
pub(crate) async fn count_requests<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let Some(metrics) = request.app_data::<Data<Metrics>>().cloned() else {
        return next.call(request).await;
    };
    let begun = Instant::now();
    let _running = metrics.http().begin();
    let method = request.method().clone();
    let answered = next.call(request).await;
    let (route, status) = match &answered {
        Ok(response) => (response.request().match_pattern(), response.status()),
        Err(error) => (None, error.as_response_error().status_code()),
    };
    metrics.http().answered(
        method.as_str(),
        route.as_deref(),
        status.as_u16(),
        begun.elapsed(),
    );
    answered
}
