//! The answer of a middleware.

use actix_web::ResponseError as _;
use actix_web::body::EitherBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};

use super::ApiError;

/// The answer of a middleware that refuses a request.
pub(crate) fn refuse<B>(
    request: ServiceRequest,
    error: &ApiError,
) -> ServiceResponse<EitherBody<B>> {
    request
        .into_response(error.error_response())
        .map_into_right_body()
}
