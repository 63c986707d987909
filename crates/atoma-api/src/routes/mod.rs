//! The routes, grouped by purpose.

mod messages;
mod node_path;
mod reads;
mod requests;
mod reservations;
mod resource;
mod service;
mod settlements;
mod stack_requests;

use actix_web::web::ServiceConfig;

/// Adds all routes.
pub(crate) fn configure(config: &mut ServiceConfig) {
    reads::configure(config);
    settlements::configure(config);
    requests::configure(config);
    stack_requests::configure(config);
    messages::configure(config);
    reservations::configure(config);
    service::configure(config);
}
