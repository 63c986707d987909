//! One line for each write: who sent it, and its outcome. The target is `atoma::audit`. Never bodies or tokens.

use std::cell::{Cell, RefCell};
use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse};
use atoma_domain::journal::Failure;
use atoma_domain::model::Holder;
use tracing::info;

use crate::caller::{Caller, ErrorCode, Transactions};
use crate::error::ApiError;
use crate::query::{self, DRY_RUN};

/// A write that is told once. A write whose client leaves is told when its work ends.
#[derive(Clone, Debug)]
pub(crate) struct Audit(Rc<Write>);

#[derive(Debug)]
struct Write {
    caller: RefCell<Caller>,
    method: Method,
    path: String,
    /// Whose reservations it releases.
    holder: Option<String>,
    is_dry_run: bool,
    is_told: Cell<bool>,
}

impl Audit {
    /// A request of this caller.
    pub(crate) fn of(request: &HttpRequest, caller: Caller) -> Self {
        let dry_run = query::value(request, DRY_RUN).ok().flatten();
        Self(Rc::new(Write {
            caller: RefCell::new(caller),
            method: request.method().clone(),
            path: request.path().to_owned(),
            holder: holder(request),
            is_dry_run: dry_run.is_some_and(|value| value == "true"),
            is_told: Cell::new(false),
        }))
    }

    /// Names the caller, who is known only from the body.
    pub(crate) fn name(&self, caller: Caller) {
        self.0.caller.replace(caller);
    }

    /// Tells the outcome, unless that has been done.
    pub(crate) fn tell<B>(&self, response: &HttpResponse<B>) {
        let extensions = response.extensions();
        let transactions = extensions.get::<Transactions>();
        self.outcome(
            response.status(),
            extensions.get::<ErrorCode>().map(|code| code.0.as_str()),
            transactions.map(|transactions| transactions.0.join(" ")),
        );
    }

    /// Whether its outcome was told.
    #[cfg(test)]
    pub(crate) fn is_told(&self) -> bool {
        self.0.is_told.get()
    }

    fn outcome(&self, status: StatusCode, code: Option<&str>, transactions: Option<String>) {
        let write = &self.0;
        if write.is_told.replace(true) {
            return;
        }
        info!(
            target: "atoma::audit",
            caller = write.caller.borrow().name(),
            method = %write.method,
            path = write.path,
            holder = write.holder,
            dry_run = write.is_dry_run.then_some(true),
            status = status.as_u16(),
            code,
            transactions,
            "write"
        );
    }
}

/// The holder in the query, if it can be one: what can't is refused, and may be of any length.
fn holder(request: &HttpRequest) -> Option<String> {
    let text = query::value(request, "holder").ok()??;
    Some(text.parse::<Holder>().ok()?.to_string())
}

impl FromRequest for Audit {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let audit = request.extensions().get::<Self>().cloned();
        ready(audit.ok_or_else(|| {
            let reason = String::from("the API runs without its audit log");
            Failure::Internal { reason }.into()
        }))
    }
}
