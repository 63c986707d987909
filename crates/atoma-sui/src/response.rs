//! Reading fields of a node's responses.

use std::str::FromStr;

use atoma_domain::ports::ChainError;

/// The error for a response in which `what` is missing or can't be parsed.
pub(crate) const fn malformed(what: &'static str) -> ChainError {
    ChainError::Malformed { what }
}

/// Parses an id or digest.
///
/// # Errors
/// [`ChainError::Malformed`] when it is missing or can't be parsed.
pub(crate) fn parse<T: FromStr>(text: Option<&str>, what: &'static str) -> Result<T, ChainError> {
    text.and_then(|text| text.parse().ok())
        .ok_or(malformed(what))
}
