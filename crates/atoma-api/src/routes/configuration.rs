//! The configuration in effect.

use actix_web::HttpResponse;
use actix_web::web::Data;
use atoma_api_types::ConfigurationView;

use super::endpoint::Endpoint;
use crate::authorize::CONFIGURATION;
use crate::openapi::{Tag, codes, describe};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at(CONFIGURATION).get(
            describe(
                "get_configuration",
                Tag::Daemon,
                "Each setting that the daemon was started with, and where it comes from. Needs the scope `operate`.",
            )
            .answers::<ConfigurationView>(200, "The settings, without secrets.")
            .errors(codes::WRITE),
            configuration,
        ),
    ]
}

async fn configuration(configuration: Data<ConfigurationView>) -> HttpResponse {
    HttpResponse::Ok().json(&**configuration)
}
