//! Who sent a request, and what it did, for the logs.

use std::fmt;
use std::sync::Arc;

use atoma_domain::Hash32;

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    name: Arc<str>,
    grant: Grant,
}

/// What allowed a request. `Debug` omits hashes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// It needed no token.
    Nothing,
    /// The token with this hash.
    Token(Hash32),
    /// The session with this key.
    Session(Hash32),
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Token(_) => "Token",
            Self::Session(_) => "Session",
        })
    }
}

/// What stands for callers without a token where none is needed.
pub(crate) const LOOPBACK: &str = "loopback";
/// What stands for callers without a token that only read.
pub(crate) const ANYBODY: &str = "anybody";

/// Names that no token may have: logs use them for callers without one.
pub const RESERVED_NAMES: [&str; 2] = [LOOPBACK, ANYBODY];

impl Caller {
    /// A caller of this name whom no token allows the request.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            grant: Grant::Nothing,
        }
    }

    /// The caller with the token of this name and hash.
    pub(crate) fn of_token(name: &str, hash: Hash32) -> Self {
        Self {
            name: name.into(),
            grant: Grant::Token(hash),
        }
    }

    /// The caller in the session with this key, which a token of this name began.
    pub(crate) fn of_session(name: &str, key: Hash32) -> Self {
        Self {
            name: name.into(),
            grant: Grant::Session(key),
        }
    }

    /// What allows its requests.
    pub(crate) const fn grant(&self) -> Grant {
        self.grant
    }

    /// The name for logs: that of the token, or what stands for none.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name of its token, if it has one.
    pub(crate) fn token(&self) -> Option<&str> {
        (self.grant != Grant::Nothing).then_some(&*self.name)
    }
}

/// The code of an error response.
#[derive(Clone, Debug)]
pub(crate) struct ErrorCode(pub(crate) String);

/// The transactions of a response, as `GET /transactions/{id}` takes them: numbers or digests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transactions(pub(crate) Vec<String>);
