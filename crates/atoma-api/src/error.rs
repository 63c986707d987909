//! Errors as clients see them.
//!
//! [`failures`] has the status and the advice of every [`Failure`](atoma_domain::journal::Failure),
//! [`body`] makes the JSON, and [`api_error`] adds the errors of the HTTP layer itself.

mod api_error;
mod body;
mod examples;
mod failures;
mod refuse;

pub(crate) use api_error::{ApiError, ApiResult};
pub(crate) use body::{advised_by, error_body, unsuccessful_body, without_details};
pub(crate) use examples::failures as example_failures;
pub(crate) use failures::{overall_status, retry_after};
pub(crate) use refuse::refuse;

#[cfg(test)]
mod tests;
