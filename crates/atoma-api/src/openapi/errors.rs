//! Error codes: what each operation may return, and a page about all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use atoma_api_types::ErrorBody;
use atoma_domain::journal::Failure;
use utoipa::openapi::{Content, Response, ResponseBuilder};

use super::schemas::{Schemas, reference};
use crate::error::{ApiError, example_failures};

/// Each code with its status and an example, in the order of their statuses.
static ALL: LazyLock<BTreeMap<(u16, String), ErrorBody>> = LazyLock::new(|| {
    let failures = example_failures().map(ApiError::from);
    let examples = ApiError::examples().into_iter().chain(failures);
    let mut all = BTreeMap::new();
    for example in examples {
        let (status, mut body) = example.status_and_body();
        // The example of a code that another version knows stands for all of them.
        if matches!(&example, ApiError::Failure(Failure::Unrecognized { .. })) {
            body.code = String::from("unrecognized");
        }
        all.entry((status.as_u16(), body.code.clone()))
            .or_insert(body);
    }
    all
});

/// A response for each status that these codes have.
pub(super) fn responses(
    codes: &[&str],
    schemas: &mut Schemas,
) -> impl Iterator<Item = (u16, Response)> {
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for (status, code) in ALL.keys() {
        if codes.contains(&code.as_str()) {
            by_status.entry(*status).or_default().insert(code);
        }
    }
    let schema = reference::<ErrorBody>(schemas);
    by_status.into_iter().map(move |(status, codes)| {
        let codes: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
        let response = ResponseBuilder::new()
            .description(codes.join(", "))
            .content("application/json", Content::new(Some(schema.clone())))
            .build();
        (status, response)
    })
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
    for ((status, code), body) in ALL.iter() {
        let sentence = body.error.replace('|', "\\|");
        let _ = writeln!(page, "| {status} | `{code}` | {sentence} |");
    }
    page
}

/// Whether there is such a code.
#[cfg(test)]
pub(crate) fn is_known(code: &str) -> bool {
    ALL.keys().any(|(_, known)| known == code)
}
