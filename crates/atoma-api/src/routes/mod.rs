//! The routes, grouped by purpose.

mod alarms;
mod autopilot;
mod beginnings;
mod books;
mod configuration;
mod endpoint;
mod events;
mod messages;
mod node_keys;
mod node_path;
mod reads;
mod requests;
mod reservations;
mod service;
mod session;
mod settlements;
mod stack_requests;

use actix_web::web::ServiceConfig;

use self::endpoint::Endpoint;

/// All endpoints, in the order of the document.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        reads::endpoints(),
        settlements::endpoints(),
        books::endpoints(),
        requests::endpoints(),
        node_keys::endpoints(),
        stack_requests::endpoints(),
        messages::endpoints(),
        reservations::endpoints(),
        alarms::endpoints(),
        autopilot::endpoints(),
        service::endpoints(),
        configuration::endpoints(),
        session::endpoints(),
        events::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Adds all routes.
pub(crate) fn configure(config: &mut ServiceConfig) {
    for resource in endpoints().into_iter().flat_map(Endpoint::resources) {
        config.service(resource);
    }
}
