//! Who sent a request, and what it did, for the logs.

use std::sync::Arc;

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    name: Arc<str>,
    has_token: bool,
}

/// What stands for callers without a token where none is needed.
pub(crate) const LOOPBACK: &str = "loopback";
/// What stands for callers without a token that only read.
pub(crate) const ANYBODY: &str = "anybody";

/// Names that no token may have: logs use them for callers without one.
pub const RESERVED_NAMES: [&str; 2] = [LOOPBACK, ANYBODY];

impl Caller {
    /// A caller without a token.
    pub(crate) fn named(name: &'static str) -> Self {
        Self {
            name: name.into(),
            has_token: false,
        }
    }

    /// The caller with the token of this name.
    pub(crate) fn of_token(name: &str) -> Self {
        Self {
            name: name.into(),
            has_token: true,
        }
    }

    /// The name for logs: that of the token, or what stands for none.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name of its token, if it has one.
    pub(crate) fn token(&self) -> Option<&str> {
        self.has_token.then_some(&*self.name)
    }
}

/// The code of an error response.
#[derive(Clone, Debug)]
pub(crate) struct ErrorCode(pub(crate) String);

/// The transactions of a response, as `GET /transactions/{id}` takes them: numbers or digests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transactions(pub(crate) Vec<String>);
