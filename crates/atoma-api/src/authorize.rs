//! The middleware that asks for tokens.

use actix_web::HttpMessage as _;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;
use atoma_domain::journal::Failure;

use crate::access::AccessControl;
use crate::audit::Audit;
use crate::caller::Caller;
use crate::error::{ApiError, refuse};

/// What is served without a token: whether the process is up, and the document with its viewer, which say
/// nothing about this daemon.
const PUBLIC: &[&str] = &["/health", "/openapi.json", "/swagger-ui"];
const VIEWER: &str = "/swagger-ui/";

/// Refuses requests without the right token, before any route or body, and tells writes to the audit log. A request
/// without a known token is no write.
pub(crate) async fn authorize<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match check(&request) {
        Ok(Some(caller)) if !is_read(&request) => {
            let audit = Audit::of(request.request(), caller.clone());
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(audit.clone());
            let response = next.call(request).await?.map_into_left_body();
            // What was refused before its work began.
            audit.tell(response.response());
            Ok(response)
        }
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(error) => {
            let caller = match &error {
                ApiError::InsufficientScope { token } => Some(Caller::named(token)),
                _ => None,
            };
            let audit = caller.map(|caller| Audit::of(request.request(), caller));
            let response = refuse(request, &error);
            if let Some(audit) = audit {
                audit.tell(response.response());
            }
            Ok(response)
        }
    }
}

/// Whether the path is one of the document's viewer.
pub(crate) fn is_viewer(path: &str) -> bool {
    path.starts_with(VIEWER)
}

fn is_read(request: &ServiceRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Who sent it; `None` where it doesn't matter.
fn check(request: &ServiceRequest) -> Result<Option<Caller>, ApiError> {
    let is_read = is_read(request);
    let path = request.path();
    if is_read && (PUBLIC.contains(&path) || is_viewer(path)) {
        return Ok(None);
    }
    let access = request
        .app_data::<Data<AccessControl>>()
        .ok_or_else(|| Failure::Internal {
            reason: String::from("the API runs without its access control"),
        })?
        .current();
    access.check(is_read, request.headers()).map(Some)
}
