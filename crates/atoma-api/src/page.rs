//! The operator's page: files of the program at `/`. They say nothing about this daemon, so they need no token.

use std::future::{Ready, ready};

use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT_ENCODING, AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETag,
    EntityTag, Header as _, IfNoneMatch, VARY,
};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, guard};
use atoma_page::{PageFile, files};

use crate::error::{ApiError, ApiResult};

/// The file that is served at `/`.
const INDEX: &str = "index.html";
/// The one encoding that the program has ready.
const GZIP: &str = "gzip";

/// Whether a path is one of the page's.
pub(crate) fn is_page(path: &str) -> bool {
    files().iter().any(|file| path_of(file) == path)
}

/// Adds the page's routes.
pub(crate) fn configure(config: &mut ServiceConfig) {
    for file in files() {
        let refused = web::to(|request: HttpRequest| {
            let allowed = [Method::GET, Method::HEAD];
            ready(ApiResult::Err(ApiError::method_not_allowed(
                &request, &allowed,
            )))
        });
        let reads = guard::Any(guard::Get()).or(guard::Head());
        config.service(
            web::resource(path_of(file))
                .route(web::route().guard(reads).to(move |request| {
                    let answer: Ready<HttpResponse> = ready(answer(&request, file));
                    answer
                }))
                .default_service(refused),
        );
    }
}

fn path_of(file: &PageFile) -> String {
    match file.name {
        INDEX => String::from("/"),
        name => format!("/{name}"),
    }
}

fn answer(request: &HttpRequest, file: &PageFile) -> HttpResponse {
    let is_packed = takes_gzip(request);
    let form = if is_packed { &file.gzip } else { &file.plain };
    let tag = EntityTag::new_strong(form.tag.clone());
    let is_known = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        // For reads, the weak comparison counts: a proxy may have made it weak.
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut response = match is_known {
        true => HttpResponse::NotModified(),
        false => HttpResponse::Ok(),
    };
    let kept = match file.is_immutable {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    response
        .insert_header(ETag(tag))
        .insert_header((CACHE_CONTROL, kept))
        .insert_header((VARY, ACCEPT_ENCODING.as_str()));
    if is_known {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, file.content_type));
    if is_packed {
        response.insert_header((CONTENT_ENCODING, GZIP));
    }
    response.body(form.bytes.clone())
}

/// Whether the client takes `gzip`. Without the header it would have to, and most that leave it out can't.
fn takes_gzip(request: &HttpRequest) -> bool {
    use actix_web::http::header::{ContentEncoding, Encoding};
    if !request.headers().contains_key(ACCEPT_ENCODING) {
        return false;
    }
    let supported = [Encoding::Known(ContentEncoding::Gzip), Encoding::identity()];
    let accepted = AcceptEncoding::parse(request).ok();
    let chosen = accepted.and_then(|accepted| accepted.negotiate(supported.iter()));
    chosen == Some(Encoding::Known(ContentEncoding::Gzip))
}
