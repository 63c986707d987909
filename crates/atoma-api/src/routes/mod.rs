//! The routes, by what they are for.

mod messages;
mod reads;
mod requests;
mod service;
mod settlements;
mod stack_requests;

use actix_web::web::{self, ServiceConfig};
use actix_web::{Resource, Route};

use crate::error::ApiError;

/// All routes.
pub(crate) fn configure(config: &mut ServiceConfig) {
    reads::configure(config);
    settlements::configure(config);
    requests::configure(config);
    stack_requests::configure(config);
    messages::configure(config);
    service::configure(config);
}

/// A path with the one method that it takes; others are told so.
fn at(path: &str, route: Route) -> Resource {
    web::resource(path)
        .route(route)
        .default_service(web::to(wrong_method))
}

async fn wrong_method() -> Result<(), ApiError> {
    Err(ApiError::Method)
}
