//! The session of the operator's page.

use actix_web::http::Method;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::{Data, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use atoma_api_types::{SessionRequest, SessionView};
use atoma_domain::journal::Failure;
use atoma_operator::Operator;

use super::endpoint::Endpoint;
use crate::access::{AccessControl, bearer};
use crate::audit::Audit;
use crate::body::JsonBody;
use crate::caller::{ANYBODY, Caller};
use crate::error::{ApiError, ApiResult};
use crate::openapi::{Tag, describe};
use crate::session_cookie;
use crate::sessions::{LONGEST, PATH, key};
use crate::views::session_view;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let describe = |id, summary| describe(id, Tag::Daemon, summary);
    vec![
        Endpoint::at(PATH)
            .get(
                describe("get_session", "Who the client is, and what it may do.")
                    .public()
                    .answers::<SessionView>(200, "Also without a token."),
                look,
            )
            .write(
                Method::POST,
                describe(
                    "sign_in",
                    "Begins a session of the operator's page: a cookie stands for the token from then on. The token is in \
                     the body or in `Authorization`.",
                )
                .may_take::<SessionRequest>()
                .answers::<SessionView>(200, "The session. `Set-Cookie` has its cookie."),
                sign_in,
            )
            .write(
                Method::DELETE,
                describe(
                    "sign_out",
                    "Ends the session of the operator's page. Repeating it does nothing.",
                )
                .public()
                .answers::<SessionView>(200, "There is no session any more."),
                sign_out,
            ),
    ]
}

fn view(control: &AccessControl, operator: &Operator, caller: &Caller) -> SessionView {
    let in_use = control.current();
    let lasts = control.session_ends_in(caller);
    let now = operator.ports().clock.now();
    session_view(&in_use.access, caller, lasts.map(|lasts| (now, lasts)))
}

async fn look(
    request: HttpRequest,
    control: Data<AccessControl>,
    operator: Data<Operator>,
    caller: ReqData<Caller>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    // A cookie that stands for nothing would only refuse reads that need none.
    if caller.name() == ANYBODY && session_cookie::read(request.headers()).is_some() {
        response.insert_header((SET_COOKIE, removed(&request, &control)));
    }
    response.json(view(&control, &operator, &caller))
}

async fn sign_in(
    request: HttpRequest,
    control: Data<AccessControl>,
    operator: Data<Operator>,
    caller: ReqData<Caller>,
    audit: Audit,
    body: JsonBody<SessionRequest>,
) -> ApiResult {
    let in_use = control.current();
    let access = &in_use.access;
    if access.tokens.is_empty() {
        return Ok(HttpResponse::Ok().json(view(&control, &operator, &caller)));
    }
    let value = body.value.token.as_deref();
    let value = value.or_else(|| bearer(request.headers()));
    let token = value.map(|value| access.find(value));
    let refused = |error| in_use.rates.take_failure().err().unwrap_or(error);
    let token = token.ok_or_else(|| refused(ApiError::TokenMissing))?;
    let token = token.ok_or_else(|| refused(ApiError::TokenUnknown))?;
    audit.name(Caller::of_token(token.name(), token.hash()));
    // The browser forgets the one before.
    if let Some(before) = session_cookie::read(request.headers()) {
        control.end_session(key(before));
    }
    let begun = control.sessions().begin(token.hash());
    let begun = begun.map_err(|error| Failure::Internal {
        reason: error.to_string(),
    })?;
    let caller = Caller::of_session(token.name(), key(&begun));
    let cookie = session_cookie::kept(request.headers(), &begun, LONGEST, access.is_encrypted());
    Ok(HttpResponse::Ok()
        .insert_header((SET_COOKIE, cookie))
        .json(view(&control, &operator, &caller)))
}

async fn sign_out(
    request: HttpRequest,
    control: Data<AccessControl>,
    operator: Data<Operator>,
    caller: ReqData<Caller>,
) -> ApiResult {
    if let Some(value) = session_cookie::read(request.headers()) {
        control.end_session(key(value));
    }
    let has_tokens = !control.current().access.tokens.is_empty();
    let left = match has_tokens {
        true => Caller::named(ANYBODY),
        false => caller.into_inner(),
    };
    Ok(HttpResponse::Ok()
        .insert_header((SET_COOKIE, removed(&request, &control)))
        .json(view(&control, &operator, &left)))
}

/// The header that makes a browser forget the session.
fn removed(request: &HttpRequest, control: &AccessControl) -> String {
    let is_encrypted = control.current().access.is_encrypted();
    session_cookie::kept(
        request.headers(),
        "",
        std::time::Duration::ZERO,
        is_encrypted,
    )
}
