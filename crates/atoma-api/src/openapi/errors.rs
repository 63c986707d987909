//! Error codes: what each operation may return, and a page about all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::ResponseError as _;
use atoma_api_types::ErrorBody;
use atoma_domain::journal::Failure;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::openapi::{Content, RefOr, Response, ResponseBuilder};

use super::schemas::{Reference, Schemas, reference, text_header};
use crate::connection::REFUSALS;
use crate::error::{ApiError, example_failures, without_details};

/// An error as it is answered.
struct Example {
    body: ErrorBody,
    /// Whether a use case fails with it. The others come from the HTTP layer, before any work begins.
    is_failure: bool,
    headers: Vec<&'static ErrorHeader>,
}

/// A header that some errors have.
struct ErrorHeader {
    name: &'static str,
    about: &'static str,
}

const HEADERS: &[ErrorHeader] = &[
    ErrorHeader {
        name: "Retry-After",
        about: "After how many seconds to try again. Absent if that is not known.",
    },
    ErrorHeader {
        name: "WWW-Authenticate",
        about: "What to authenticate with, as in RFC 6750.",
    },
];

/// Each code with its status and an example, in the order of their statuses.
static ALL: LazyLock<BTreeMap<(u16, String), Example>> = LazyLock::new(|| {
    let failures = example_failures().map(ApiError::from);
    let examples = ApiError::examples().into_iter().chain(failures);
    let mut all = BTreeMap::new();
    for example in examples {
        let (status, mut body) = example.status_and_body();
        // The example of a code that another version knows stands for all of them.
        if matches!(&example, ApiError::Failure(Failure::Unrecognized { .. })) {
            body.code = String::from("unrecognized");
        }
        let response = example.error_response();
        let headers = HEADERS.iter();
        let headers = headers.filter(|header| response.headers().contains_key(header.name));
        let key = (status.as_u16(), body.code.clone());
        all.entry(key).or_insert_with(|| Example {
            body,
            is_failure: matches!(example, ApiError::Failure(_)),
            headers: headers.collect(),
        });
    }
    for (status, code, sentence) in REFUSALS {
        let key = (status.as_u16(), code.to_owned());
        all.entry(key).or_insert_with(|| Example {
            body: without_details(code, sentence.to_owned()),
            is_failure: false,
            headers: Vec::new(),
        });
    }
    all
});

/// What the errors of an operation contain.
#[derive(Clone, Debug, Default)]
pub(super) struct Bodies {
    /// What may come instead of the plain error when a use case fails.
    pub(super) of_failures: Option<Reference>,
    /// What always comes instead of the plain error with these codes.
    pub(super) of_codes: Option<(&'static [&'static str], Reference)>,
}

impl Bodies {
    /// The schema of the errors with one status.
    fn schema(&self, errors: &[Coded], schemas: &mut Schemas) -> Option<RefOr<Schema>> {
        let (special, body) = self.of_codes.unzip();
        let is_special = |(code, _): &Coded| special.is_some_and(|codes| codes.contains(code));
        let plain: Reference = reference::<ErrorBody>;
        let bodies = [
            Some(plain).filter(|_| !errors.iter().all(is_special)),
            body.filter(|_| errors.iter().any(is_special)),
            self.of_failures
                .filter(|_| errors.iter().any(|(_, example)| example.is_failure)),
        ];
        let mut bodies: Vec<_> = bodies
            .into_iter()
            .flatten()
            .map(|body| body(schemas))
            .collect();
        if bodies.len() < 2 {
            return bodies.pop();
        }
        let any = bodies
            .into_iter()
            .fold(AnyOfBuilder::new(), AnyOfBuilder::item);
        Some(Schema::AnyOf(any.build()).into())
    }
}

/// A code with its example.
type Coded = (&'static str, &'static Example);

/// A response for each status that these codes have.
pub(super) fn responses(
    codes: &[&str],
    bodies: &Bodies,
    schemas: &mut Schemas,
) -> Vec<(u16, Response)> {
    let mut by_status: BTreeMap<u16, Vec<Coded>> = BTreeMap::new();
    for ((status, code), example) in ALL.iter() {
        if codes.contains(&code.as_str()) {
            by_status.entry(*status).or_default().push((code, example));
        }
    }
    by_status
        .into_iter()
        .map(|(status, errors)| {
            let names: Vec<_> = errors.iter().map(|(code, _)| format!("`{code}`")).collect();
            let mut response = ResponseBuilder::new()
                .description(names.join(", "))
                .content(
                    "application/json",
                    Content::new(bodies.schema(&errors, schemas)),
                );
            for header in errors.iter().flat_map(|(_, example)| &example.headers) {
                response = response.header(header.name, text_header(header.about));
            }
            (status, response.build())
        })
        .collect()
}

/// The page about all error codes, in Markdown.
pub fn error_page() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         <!-- Made from the code by a test in crates/atoma-daemon/tests/repository. -->\n\n\
         Every error has the body `{\"error\", \"code\", \"details\"?}`. Programs should look at `code`, which stays the \
         same; `error` says what happened, to what, and what to do. Entries of requests over several stacks have the \
         same codes.\n\n\
         | status | code | for example |\n|---|---|---|\n",
    );
    for ((status, code), example) in ALL.iter() {
        let sentence = example.body.error.replace('|', "\\|");
        let _ = writeln!(page, "| {status} | `{code}` | {sentence} |");
    }
    page
}

/// Whether there is such a code.
#[cfg(test)]
pub(crate) fn is_known(code: &str) -> bool {
    ALL.keys().any(|(_, known)| known == code)
}
