//! Who sent a request, and what it did, for the logs.

use std::sync::Arc;

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Arc<str>);

impl Caller {
    pub(crate) fn named(name: &str) -> Self {
        Self(name.into())
    }

    /// The name for logs: that of the token, or what stands for none.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// The code of an error response.
#[derive(Clone, Debug)]
pub(crate) struct ErrorCode(pub(crate) String);

/// The transactions of a response, as `GET /transactions/{id}` takes them: numbers or digests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transactions(pub(crate) Vec<String>);
