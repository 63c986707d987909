//! A path with its methods, their descriptions and their handlers.

use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;

use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, to};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route};
use atoma_domain::journal::Failure;
use tokio::task::JoinError;
use utoipa::openapi::path::{HttpMethod, PathItem};

use crate::audit::Audit;
use crate::error::{ApiError, ApiResult, refuse};
use crate::openapi::{Description, Schemas, codes};
use crate::query::refuse_unknown;

/// A path with its methods. Any other method is answered with those that it takes.
pub(crate) struct Endpoint {
    /// The paths, of which the second is the later name of the first.
    paths: Vec<&'static str>,
    operations: Vec<Operation>,
}

struct Operation {
    method: Method,
    description: Description,
    /// Makes the route, once for each path and worker.
    route: Rc<dyn Fn() -> Route>,
}

impl Endpoint {
    /// A path without methods yet.
    pub(super) fn at(path: &'static str) -> Self {
        Self {
            paths: vec![path],
            operations: Vec::new(),
        }
    }

    /// Another path for the same.
    pub(super) fn and_at(mut self, path: &'static str) -> Self {
        self.paths.push(path);
        self
    }

    /// Answers `GET`, and `HEAD` with the same headers. The work ends when the client leaves.
    pub(super) fn get<F, Args>(self, description: Description, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.operation(Method::GET, description, move || {
            web::route().to(handler.clone())
        })
    }

    /// Answers a method that writes. Once the request has been read, the work goes on even if the client
    /// leaves: a client that disconnects cancels nothing.
    pub(super) fn write<F, Args>(self, method: Method, description: Description, handler: F) -> Self
    where
        F: Handler<Args, Output = ApiResult>,
        F::Future: 'static,
        Args: FromRequest + 'static,
    {
        self.operation(method, description.errors(codes::WRITE), move || {
            web::route().to(Detached(handler.clone()))
        })
    }

    fn operation(
        mut self,
        method: Method,
        description: Description,
        route: impl Fn() -> Route + 'static,
    ) -> Self {
        self.operations.push(Operation {
            method,
            description,
            route: Rc::new(route),
        });
        self
    }

    /// The resources that serve it.
    pub(super) fn resources(self) -> impl Iterator<Item = Resource> {
        let allowed: Vec<_> = self
            .operations
            .iter()
            .flat_map(|operation| methods(&operation.method))
            .collect();
        let operations = self.operations;
        self.paths.into_iter().map(move |path| {
            let allowed = allowed.clone();
            let refused = to(move |request: HttpRequest| {
                ready(ApiResult::Err(ApiError::method_not_allowed(
                    &request, &allowed,
                )))
            });
            operations
                .iter()
                .fold(web::resource(path), |resource, operation| {
                    resource.route(operation.route())
                })
                .default_service(refused)
        })
    }

    /// The codes of its errors.
    #[cfg(test)]
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        let operations = self.operations.iter();
        operations
            .flat_map(|operation| operation.description.codes().iter().copied())
            .collect()
    }

    /// Its paths as the document describes them.
    pub(crate) fn items(&self, schemas: &mut Schemas) -> Vec<(&'static str, PathItem)> {
        let mut items = Vec::new();
        for (index, path) in self.paths.iter().enumerate() {
            let mut item = PathItem::default();
            for operation in &self.operations {
                let described = operation.description.operation(path, index > 0, schemas);
                let method = match operation.method {
                    Method::POST => HttpMethod::Post,
                    Method::PATCH => HttpMethod::Patch,
                    Method::DELETE => HttpMethod::Delete,
                    _ => HttpMethod::Get,
                };
                item.merge_operations(PathItem::new(method, described));
            }
            items.push((*path, item));
        }
        items
    }
}

/// The methods that a route for this one takes.
fn methods(method: &Method) -> Vec<Method> {
    match *method {
        Method::GET => vec![Method::GET, Method::HEAD],
        _ => vec![method.clone()],
    }
}

impl Operation {
    /// The route. Before the handler reads anything, the body included, unknown query parameters are refused.
    fn route(&self) -> Route {
        let parameters = self.description.query_names();
        (self.route)()
            .guard(is_one_of(methods(&self.method)))
            .wrap(from_fn(move |request, next: Next<_>| {
                let refused = refuse_unknown(&request, &parameters).err();
                async move {
                    match refused {
                        None => Ok(next.call(request).await?.map_into_left_body()),
                        Some(error) => Ok(refuse(request, &error)),
                    }
                }
            }))
    }
}

fn is_one_of(methods: Vec<Method>) -> impl Guard {
    guard::fn_guard(move |context| methods.contains(&context.head().method))
}

fn ended_early(error: JoinError) -> ApiResult {
    let reason = format!("the request's task ended early: {error}");
    Err(Failure::Internal { reason }.into())
}

/// A handler that runs to its end, whether or not anybody still waits for its answer, and tells it to the audit
/// log.
#[derive(Clone)]
struct Detached<F>(F);

impl<F, Args> Handler<(Audit, Args)> for Detached<F>
where
    F: Handler<Args, Output = ApiResult>,
    F::Future: 'static,
{
    type Output = ApiResult;
    type Future = Pin<Box<dyn Future<Output = ApiResult>>>;

    fn call(&self, (audit, arguments): (Audit, Args)) -> Self::Future {
        // A task of its own, so that a handler that panics is told as well.
        let work = actix_web::rt::spawn(self.0.call(arguments));
        let told = actix_web::rt::spawn(async move {
            let answer = work.await.unwrap_or_else(ended_early);
            let response = answer.unwrap_or_else(HttpResponse::from_error);
            audit.tell(&response);
            response
        });
        Box::pin(async move { told.await.map_or_else(ended_early, Ok) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Caller;
    use actix_web::test::TestRequest;
    use tokio::task::LocalSet;

    #[tokio::test]
    async fn a_handler_that_panics_is_told_although_its_client_has_left() {
        async fn panics() -> ApiResult {
            panic!("a bug");
        }
        let request = TestRequest::post().uri("/register").to_http_request();
        let audit = Audit::of(&request, Caller::named("loopback"));
        let tasks = LocalSet::new();
        let left = async { drop(Detached(panics).call((audit.clone(), ()))) };
        tasks.run_until(left).await;
        tasks.await;
        assert!(audit.is_told());
    }
}
