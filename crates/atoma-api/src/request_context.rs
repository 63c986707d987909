//! What a transaction request carries besides its body: `?dry_run=` and the `Idempotency-Key`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use atoma_domain::journal::{Failure, RequestKey};
use atoma_operator::Operator;

use crate::body::JsonBody;
use crate::error::ApiError;
use crate::query::{self, DRY_RUN, without_dry_run};

const KEY_HEADER: &str = "Idempotency-Key";
/// The most characters that a key may have.
const LONGEST_KEY: usize = 255;

/// How the use cases are to run for one request.
#[derive(Debug)]
pub(crate) struct RequestContext {
    operator: Data<Operator>,
    is_dry_run: bool,
    /// Method, path, query and the client's key; `None` without a key.
    key_scope: Option<String>,
}

impl RequestContext {
    /// The use cases for a request with this body.
    pub(crate) fn operator<T>(&self, body: &JsonBody<T>) -> Operator {
        let operator = self.operator.requiring_start();
        match &self.key_scope {
            _ if self.is_dry_run => operator.dry_run(),
            Some(scope) => operator.with_key(RequestKey {
                scope: scope.clone(),
                body: body.hash,
            }),
            None => operator,
        }
    }

    /// The use cases for a request without a body, which repeating does no harm to.
    pub(crate) fn operator_without_body(&self) -> Operator {
        let operator = self.operator.requiring_start();
        match self.is_dry_run {
            true => operator.dry_run(),
            false => operator,
        }
    }

    /// Whether the request must write and send nothing.
    pub(crate) const fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }
}

impl FromRequest for RequestContext {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request))
    }
}

fn read(request: &HttpRequest) -> Result<RequestContext, ApiError> {
    let is_dry_run = match query::value(request, DRY_RUN)?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(ApiError::invalid("`dry_run` must be `true` or `false`.")),
    };
    let operator = request
        .app_data::<Data<Operator>>()
        .ok_or_else(|| Failure::Internal {
            reason: String::from("the API runs without its use cases"),
        })?;
    Ok(RequestContext {
        operator: operator.clone(),
        is_dry_run,
        key_scope: key_scope(request)?,
    })
}

/// The client's key, with the method, path and query that it counts for.
fn key_scope(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let mut keys = request.headers().get_all(KEY_HEADER);
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let text = key
        .to_str()
        .ok()
        .filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY)
        .filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()))
        .filter(|_| keys.next().is_none())
        .ok_or_else(|| {
            ApiError::invalid(format!(
                "`{KEY_HEADER}` must be one key of 1 to {LONGEST_KEY} visible ASCII characters."
            ))
        })?;
    // A request line may name the host too; that makes no other key.
    let (method, path) = (request.method(), request.uri().path());
    let query = without_dry_run(request.query_string());
    let mark = if query.is_empty() { "" } else { "?" };
    Ok(Some(format!("{method} {path}{mark}{query} {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::ResponseError;
    use actix_web::test::TestRequest;

    fn key(value: &str) -> Result<Option<String>, ApiError> {
        let request = TestRequest::post()
            .uri("/claim_funds?x=1")
            .insert_header((KEY_HEADER, value));
        key_scope(&request.to_http_request())
    }

    #[test]
    fn a_key_counts_for_its_method_path_and_query() {
        assert_eq!(
            key("abc").unwrap().as_deref(),
            Some("POST /claim_funds?x=1 abc")
        );
        let absolute = TestRequest::post()
            .uri("http://localhost:3000/claim_funds?x=1")
            .insert_header((KEY_HEADER, "abc"));
        assert_eq!(
            key_scope(&absolute.to_http_request()).unwrap(),
            key("abc").unwrap()
        );
        let executed = TestRequest::post()
            .uri("/claim_funds?x=1&dry_run=false")
            .insert_header((KEY_HEADER, "abc"));
        assert_eq!(
            key_scope(&executed.to_http_request()).unwrap(),
            key("abc").unwrap()
        );
        let none = TestRequest::post().uri("/claim_funds").to_http_request();
        assert_eq!(key_scope(&none).unwrap(), None);
    }

    #[test]
    fn a_key_is_bounded_and_visible() {
        assert!(key(&"k".repeat(255)).is_ok());
        for bad in ["", "with space", &"k".repeat(256)] {
            assert!(key(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_setup_is_no_fault_of_the_request() {
        let request = TestRequest::post().uri("/claim_funds").to_http_request();
        assert_eq!(read(&request).unwrap_err().status_code().as_u16(), 500);
    }
}
