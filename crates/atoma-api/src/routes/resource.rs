//! A path with its methods, and the query parameters that each takes.

use std::future::{Future, ready};
use std::pin::Pin;

use actix_web::dev::HttpServiceFactory;
use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, to};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder, Route};
use atoma_domain::journal::Failure;

use crate::error::{ApiError, ApiResult};
use crate::guard::refuse;
use crate::query::{DRY_RUN, refuse_unknown};

/// The query parameters of a request that can be simulated.
pub(super) const SIMULATED: &[&str] = &[DRY_RUN];

/// A path that takes `GET` (and so `HEAD`) only, with these query parameters.
pub(super) fn get<F, Args>(
    path: &str,
    parameters: &'static [&'static str],
    handler: F,
) -> impl HttpServiceFactory + 'static
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Endpoint::at(path).get(parameters, handler).build()
}

/// A path that takes `POST` only, with these query parameters.
pub(super) fn post<F, Args>(
    path: &str,
    parameters: &'static [&'static str],
    handler: F,
) -> impl HttpServiceFactory + 'static
where
    F: Handler<Args, Output = ApiResult>,
    F::Future: 'static,
    Args: FromRequest + 'static,
{
    Endpoint::at(path)
        .write(Method::POST, parameters, handler)
        .build()
}

/// A path with its methods. Any other method is answered with those that it takes.
pub(super) struct Endpoint {
    resource: Resource,
    allowed: Vec<Method>,
}

impl Endpoint {
    /// A path without methods yet.
    pub(super) fn at(path: &str) -> Self {
        Self {
            resource: web::resource(path),
            allowed: Vec::new(),
        }
    }

    /// Answers `GET`, and `HEAD` with the same headers. The work ends when the client leaves.
    pub(super) fn get<F, Args>(mut self, parameters: &'static [&'static str], handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.allowed.extend([Method::GET, Method::HEAD]);
        let is_read = guard::Any(guard::Get()).or(guard::Head());
        self.route(is_read, parameters, web::route().to(handler))
    }

    /// Answers a method that writes. Once the request has been read, the work goes on even if the client
    /// leaves: a client that disconnects cancels nothing.
    pub(super) fn write<F, Args>(
        mut self,
        method: Method,
        parameters: &'static [&'static str],
        handler: F,
    ) -> Self
    where
        F: Handler<Args, Output = ApiResult>,
        F::Future: 'static,
        Args: FromRequest + 'static,
    {
        self.allowed.push(method.clone());
        let is_method = guard::fn_guard(move |context| context.head().method == method);
        self.route(is_method, parameters, web::route().to(Detached(handler)))
    }

    fn route(
        mut self,
        guard: impl Guard + 'static,
        parameters: &'static [&'static str],
        route: Route,
    ) -> Self {
        // Before the handler reads anything, the body included.
        let checked =
            route.guard(guard).wrap(from_fn(
                async move |request, next: Next<_>| match refuse_unknown(&request, parameters) {
                    Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
                    Err(error) => Ok(refuse(request, &error)),
                },
            ));
        self.resource = self.resource.route(checked);
        self
    }

    /// The finished resource.
    pub(super) fn build(self) -> Resource {
        let allowed = self.allowed;
        self.resource
            .default_service(to(move |request: HttpRequest| {
                ready(ApiResult::Err(ApiError::method_not_allowed(
                    &request, &allowed,
                )))
            }))
    }
}

/// A handler that runs to its end, whether or not anybody still waits for its answer.
#[derive(Clone)]
struct Detached<F>(F);

impl<F, Args> Handler<Args> for Detached<F>
where
    F: Handler<Args, Output = ApiResult>,
    F::Future: 'static,
{
    type Output = ApiResult;
    type Future = Pin<Box<dyn Future<Output = ApiResult>>>;

    fn call(&self, arguments: Args) -> Self::Future {
        let task = actix_web::rt::spawn(self.0.call(arguments));
        Box::pin(async move {
            task.await.unwrap_or_else(|error| {
                let reason = format!("the request's task ended early: {error}");
                Err(Failure::Internal { reason }.into())
            })
        })
    }
}
