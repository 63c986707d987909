//! What every response says to browsers, and the API's own error where compression has none.

use actix_web::ResponseError as _;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY, HeaderName,
    HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;

use crate::authorize::is_viewer;
use crate::error::ApiError;
use crate::page::is_page;

/// A browser takes a response for what its type says, shows it in no frame, and gives it to no page of another
/// origin, not even as a script or an image. JSON loads nothing.
pub(crate) const FOR_BROWSERS: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (REFERRER_POLICY, "no-referrer"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
];

/// The viewer loads its own scripts, styles and images, and calls the API. It sets styles and images in its pages.
const VIEWER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                             img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                             frame-ancestors 'none'";

/// The operator's page loads its own scripts and styles, and calls the API. It sends no forms.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                           connect-src 'self'; font-src 'self'; form-action 'none'; base-uri 'none'; \
                           frame-ancestors 'none'";

/// The middleware that adds them to every response.
pub(crate) async fn protect<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let policy = match request.path() {
        path if is_viewer(path) => Some(VIEWER_POLICY),
        path if is_page(path) => Some(PAGE_POLICY),
        _ => None,
    };
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in FOR_BROWSERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(policy) = policy {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
    Ok(response)
}

/// The middleware around compression, which refuses what it can't encode with a text of its own, before any work.
pub(crate) async fn refuse_unacceptable<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let response = next.call(request).await?;
    if response.status() != StatusCode::NOT_ACCEPTABLE {
        return Ok(response.map_into_left_body());
    }
    let (request, _) = response.into_parts();
    let refused = ApiError::NotAcceptable.error_response();
    Ok(ServiceResponse::new(request, refused).map_into_right_body())
}
