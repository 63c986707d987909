//! The OpenAPI document, made from the endpoints themselves.

#[cfg(test)]
mod tests;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, Info, License, OpenApi, OpenApiBuilder, PathsBuilder};

use crate::openapi::Tag;
use crate::routes::endpoints;

/// The name of the security scheme.
const BEARER: &str = "bearer";

/// The OpenAPI 3.1 document of the API.
pub fn document() -> OpenApi {
    let mut schemas = Vec::new();
    let mut paths = PathsBuilder::new();
    for endpoint in endpoints() {
        for (path, item) in endpoint.items(&mut schemas) {
            paths = paths.path(path, item);
        }
    }
    let mut components = Components::new();
    components.schemas.extend(schemas);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token of the setting `tokens`. Without that setting, requests need none.",
        ))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    // One or none: whether a token is needed depends on the configuration.
    let security = [
        SecurityRequirement::new(BEARER, Vec::<String>::new()),
        SecurityRequirement::default(),
    ];
    let tags = Tag::ALL.map(|tag| {
        TagBuilder::new()
            .name(tag.name())
            .description(Some(tag.about()))
            .build()
    });
    let mut info = Info::new("Atoma node daemon", env!("CARGO_PKG_VERSION"));
    info.license = Some(License::new(env!("CARGO_PKG_LICENSE")));
    info.description = Some(String::from(
        "Integers have up to 64 bits. Amounts of USDC are in micro-USDC, amounts of SUI in MIST. Unless an \
         endpoint says otherwise, optional fields without a value are present as `null`. The response to a \
         well-formed request has an `X-Request-Id`, which the daemon's log has too. A path that does not exist is 404 `not_found`; a method that a path does not \
         take is 405 `method_not_allowed`, with the others in `Allow`.",
    ));
    OpenApiBuilder::new()
        .info(info)
        .paths(paths.build())
        .components(Some(components))
        .tags(Some(tags))
        .security(Some(security))
        .build()
}
