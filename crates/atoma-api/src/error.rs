//! Errors as clients see them.
//!
//! [`failures`] has the status and the advice of every [`Failure`](atoma_domain::journal::Failure),
//! [`body`] makes the JSON, and [`api_error`] adds the errors of the HTTP layer itself.

mod api_error;
mod body;
mod failures;

pub(crate) use api_error::{ApiError, ApiResult};
pub(crate) use body::ErrorBody;
pub(crate) use failures::{overall_status, retry_after};

#[cfg(test)]
mod tests;
