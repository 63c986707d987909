//! The middleware that asks for tokens and counts requests.

use actix_web::HttpMessage as _;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;
use atoma_domain::journal::Failure;

use crate::access::{AccessControl, ApiScope, InUse};
use crate::audit::Audit;
use crate::caller::{ANYBODY, Caller};
use crate::error::{ApiError, refuse};
use crate::page::is_page;
use crate::sessions;

/// What is served without a token, besides the operator's page: whether the process is up, and the document with its
/// viewer, which say nothing about this daemon.
const PUBLIC: &[&str] = &["/health", "/openapi.json", "/swagger-ui"];
/// What only those may read who may also change what it is about: it tells where files and other programs are.
pub(crate) const CONFIGURATION: &str = "/configuration";
const VIEWER: &str = "/swagger-ui/";
/// What counts towards no limit: whoever watches the process must always get an answer.
const UNLIMITED: &str = "/health";

/// Refuses requests without the right token and those beyond their caller's limits, before any route or body, and
/// tells writes to the audit log. A request without a known token is no write.
pub(crate) async fn authorize<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let (caller, checked) = check(&request);
    let writer = caller.clone().filter(|_| !is_read(&request));
    let audit = writer.map(|caller| Audit::of(request.request(), caller));
    let response = match checked {
        Ok(()) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            if let Some(audit) = &audit {
                request.extensions_mut().insert(audit.clone());
            }
            next.call(request).await?.map_into_left_body()
        }
        Err(error) => refuse(request, &error),
    };
    if let Some(audit) = audit {
        // What was refused before its work began.
        audit.tell(response.response());
    }
    Ok(response)
}

/// Whether the path is one of the document's viewer.
pub(crate) fn is_viewer(path: &str) -> bool {
    path.starts_with(VIEWER)
}

fn is_read(request: &ServiceRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Who sent it, if that is known and matters, and whether it may.
fn check(request: &ServiceRequest) -> (Option<Caller>, Result<(), ApiError>) {
    let is_read = is_read(request);
    let path = request.path();
    if is_read && path == UNLIMITED {
        return (None, Ok(()));
    }
    let Some(control) = request.app_data::<Data<AccessControl>>() else {
        let reason = String::from("the API runs without its access control");
        return (None, Err(Failure::Internal { reason }.into()));
    };
    let in_use = control.current();
    let rates = &in_use.rates;
    if path == sessions::PATH {
        return check_session(request, control, &in_use, is_read);
    }
    if is_read && (PUBLIC.contains(&path) || is_viewer(path) || is_page(path)) {
        return (None, rates.take(&Caller::named(ANYBODY), is_read));
    }
    let needed = match is_read && path != CONFIGURATION {
        true => ApiScope::Read,
        false => ApiScope::Operate,
    };
    match control.authenticate(&in_use, request.headers(), is_read, needed) {
        Ok(caller) => {
            let taken = rates.take(&caller, is_read);
            (Some(caller), taken)
        }
        Err(error) => {
            let caller = match &error {
                ApiError::InsufficientScope { token } => Some(Caller::named(token)),
                _ => None,
            };
            (caller, Err(rates.take_failure().err().unwrap_or(error)))
        }
    }
}

/// The same for the session itself, which everybody may ask for, begin with a token, and end. Its routes count wrong
/// tokens.
fn check_session(
    request: &ServiceRequest,
    control: &AccessControl,
    in_use: &InUse,
    is_read: bool,
) -> (Option<Caller>, Result<(), ApiError>) {
    let rates = &in_use.rates;
    let caller = match control.authenticate(in_use, request.headers(), is_read, ApiScope::Read) {
        Ok(caller) => caller,
        Err(error @ (ApiError::ForeignOrigin | ApiError::PageHeaderMissing)) => {
            return (None, Err(rates.take_failure().err().unwrap_or(error)));
        }
        Err(_) => Caller::named(ANYBODY),
    };
    let taken = rates.take(&caller, is_read);
    (Some(caller), taken)
}
