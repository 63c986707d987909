//! Query strings: only the parameters that an endpoint knows, each with an error that names it.

use actix_web::web::Query;
use actix_web::{HttpRequest, dev::ServiceRequest};

use crate::error::ApiError;
use crate::openapi;
use crate::params::shown;
use crate::spelling::advice;

/// The parameter of writes that simulates them.
pub(crate) const DRY_RUN: &str = "dry_run";

/// The query parameters of a request for transactions, which can be simulated.
pub(crate) const SIMULATED: &[openapi::Query] = &[openapi::Query {
    name: DRY_RUN,
    about: "Simulates only: nothing is sent or stored, and the response has the estimated gas.",
    is_required: false,
    values: openapi::Values::Boolean,
}];

/// The query parameters of a request that writes to the database alone, which can be tried.
pub(crate) const TRIED: &[openapi::Query] = &[openapi::Query {
    about: "Checks only: nothing is stored, and the response is what the request would answer now. It costs no gas.",
    ..SIMULATED[0]
}];

/// The pairs of a query string, decoded, in their order.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, ApiError> {
    Query::<Vec<(String, String)>>::from_query(query)
        .map(Query::into_inner)
        .map_err(|_| ApiError::invalid("The query must consist of `name=value` pairs."))
}

/// The value of a parameter, which must not be given twice.
pub(crate) fn value(request: &HttpRequest, name: &str) -> Result<Option<String>, ApiError> {
    let mut values = pairs(request.query_string())?
        .into_iter()
        .filter(|(given, _)| given == name);
    let value = values.next().map(|(_, value)| value);
    if values.next().is_some() {
        return Err(ApiError::invalid(format!(
            "The query parameter `{name}` is given twice. Send it once."
        )));
    }
    Ok(value)
}

/// Refuses every parameter that the endpoint doesn't have. A misspelt `dry_run` must not move money,
/// and a misspelt filter must not list everything.
pub(crate) fn refuse_unknown(request: &ServiceRequest, known: &[&str]) -> Result<(), ApiError> {
    let Some((unknown, _)) = pairs(request.query_string())?
        .into_iter()
        .find(|(name, _)| !known.contains(&name.as_str()))
    else {
        return Ok(());
    };
    let advice = advice(&unknown, known);
    let unknown = shown(&unknown);
    Err(ApiError::invalid(format!(
        "`{unknown}` is not a query parameter of {} {}. {advice}",
        request.method(),
        request.path()
    )))
}

/// The query without `dry_run`, as it was sent: an identity for requests that are executed, for which
/// `dry_run=false` says what its absence says.
pub(crate) fn without_dry_run(query: &str) -> String {
    let is_other = |pair: &&str| {
        let names = pairs(pair).unwrap_or_default();
        !pair.is_empty() && names.first().is_none_or(|(name, _)| name != DRY_RUN)
    };
    query
        .split('&')
        .filter(is_other)
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn refusal(uri: &str, known: &[&str]) -> Option<String> {
        let request = TestRequest::post().uri(uri).to_srv_request();
        let refused = refuse_unknown(&request, known).err();
        refused.map(|error| error.to_string())
    }

    #[test]
    fn an_unknown_parameter_is_named_with_the_known_ones() {
        let known = ["limit", "cursor", DRY_RUN];
        assert_eq!(refusal("/claim_funds", &known), None);
        assert_eq!(refusal("/claim_funds?dry_run=true&limit=1", &known), None);
        for (uri, unknown, advice) in [
            ("?dryrun=true", "dryrun", "Did you mean `dry_run`?"),
            ("?dry-run=true", "dry-run", "Did you mean `dry_run`?"),
            ("?limit=1&DRY_RUN", "DRY_RUN", "Did you mean `dry_run`?"),
            ("?lim%69ts=1", "limits", "Did you mean `limit`?"),
            ("?offset=1", "offset", "`limit`, `cursor` and `dry_run`."),
            ("?=", "", "It takes `limit`, `cursor` and `dry_run`."),
        ] {
            let refusal = refusal(&format!("/claim_funds{uri}"), &known).unwrap();
            assert!(
                refusal.starts_with(&format!("`{unknown}` is not")),
                "{refusal}"
            );
            assert!(refusal.ends_with(advice), "{refusal}");
        }
        assert!(refusal("/health?x", &[]).unwrap().ends_with("takes none."));
    }

    #[test]
    fn a_false_dry_run_leaves_no_trace() {
        for query in ["", "dry_run=false", "dry%5Frun=false", "&dry_run=false&"] {
            assert_eq!(without_dry_run(query), "", "{query}");
        }
        assert_eq!(without_dry_run("a=1&dry_run=false&b=%20"), "a=1&b=%20");
    }

    #[test]
    fn a_parameter_is_given_once() {
        let read = |uri| value(&TestRequest::get().uri(uri).to_http_request(), "a");
        assert_eq!(read("/?b=1&a=2").unwrap().as_deref(), Some("2"));
        assert_eq!(read("/?b=1").unwrap(), None);
        assert!(read("/?a=1&a=1").is_err());
    }
}
