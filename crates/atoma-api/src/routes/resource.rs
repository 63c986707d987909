//! A path with the one method that it takes.

use actix_web::http::Method;
use actix_web::web::{self, to};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder};

use crate::error::{ApiError, ApiResult};

/// A path that takes `GET` only.
pub(super) fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    resource(Method::GET, path, handler)
}

/// A path that takes `POST` only.
pub(super) fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    resource(Method::POST, path, handler)
}

fn resource<F, Args>(allowed: Method, path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let route = web::method(allowed.clone()).to(handler);
    let other_methods = to(move |request: HttpRequest| {
        let error = ApiError::method_not_allowed(&request, allowed.clone());
        async { ApiResult::Err(error) }
    });
    web::resource(path)
        .route(route)
        .default_service(other_methods)
}
