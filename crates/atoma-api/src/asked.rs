//! How a transaction is asked for: for real, as a dry run, under a key of the client's.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::uri::PathAndQuery;
use actix_web::web::{Data, Query};
use actix_web::{FromRequest, HttpRequest};
use atoma_domain::journal::RequestKey;
use atoma_operator::Operator;
use serde::Deserialize;

use crate::body::Body;
use crate::error::ApiError;

/// The header of the client's key.
const KEY_HEADER: &str = "Idempotency-Key";
/// How long a key may be, in characters.
const LONGEST_KEY: usize = 255;

/// The use cases as a transaction request asks for them.
#[derive(Debug)]
pub(crate) struct Asked {
    operator: Data<Operator>,
    dry: bool,
    /// Method, path, query and key, where there is a key.
    scope: Option<String>,
}

#[derive(Debug, Deserialize)]
struct AskedQuery {
    #[serde(default)]
    dry_run: bool,
}

impl Asked {
    /// The use cases for a request with this body.
    pub(crate) fn operator<T>(&self, body: &Body<T>) -> Operator {
        let operator = self.operator.once_started();
        match &self.scope {
            _ if self.dry => operator.dry(),
            Some(scope) => operator.once(RequestKey {
                scope: scope.clone(),
                body: body.hash,
            }),
            None => operator,
        }
    }

    /// Whether nothing is to be written or sent.
    pub(crate) const fn is_dry(&self) -> bool {
        self.dry
    }
}

impl FromRequest for Asked {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request))
    }
}

fn read(request: &HttpRequest) -> Result<Asked, ApiError> {
    let query = Query::<AskedQuery>::from_query(request.query_string())
        .map_err(|_| ApiError::invalid("`dry_run` must be true or false"))?;
    let operator = request
        .app_data::<Data<Operator>>()
        .ok_or_else(|| ApiError::invalid("the API is not set up"))?;
    Ok(Asked {
        operator: operator.clone(),
        dry: query.dry_run,
        scope: scope(request)?,
    })
}

/// What the client's key is scoped to, with the key.
fn scope(request: &HttpRequest) -> Result<Option<String>, ApiError> {
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
                "`{KEY_HEADER}` must be one key of 1 to {LONGEST_KEY} visible ASCII characters"
            ))
        })?;
    let (method, uri) = (request.method(), request.uri());
    // Whether the request line names the host besides is all the same.
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    Ok(Some(format!("{method} {path} {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn key(value: &str) -> Result<Option<String>, ApiError> {
        let request = TestRequest::post()
            .uri("/claim_funds?x=1")
            .insert_header((KEY_HEADER, value));
        scope(&request.to_http_request())
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
            scope(&absolute.to_http_request()).unwrap(),
            key("abc").unwrap()
        );
        let none = TestRequest::post().uri("/claim_funds").to_http_request();
        assert_eq!(scope(&none).unwrap(), None);
    }

    #[test]
    fn a_key_is_bounded_and_visible() {
        assert!(key(&"k".repeat(255)).is_ok());
        for bad in ["", "with space", &"k".repeat(256)] {
            assert!(key(bad).is_err(), "{bad}");
        }
    }
}
