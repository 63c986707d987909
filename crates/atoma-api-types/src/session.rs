//! Sessions of the operator's page.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text;

/// Who the client is, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// Whether requests need a token.
    pub tokens_required: bool,
    /// The name of the client's token.
    pub name: Option<String>,
    /// What the client may do; `null` if nothing.
    pub scope: Option<SessionScopeView>,
    /// When the session ends without a further request. A request lengthens it, up to twelve hours in all.
    #[schema(value_type = Option<text::Time>)]
    pub expires_at: Option<String>,
}

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Scope)]
pub enum SessionScopeView {
    /// `GET` and `HEAD`.
    Read,
    /// Every request.
    Operate,
}

/// Begins a session.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The token. Without it, the one in `Authorization` counts.
    #[serde(default)]
    pub token: Option<String>,
}

impl fmt::Debug for SessionRequest {
    /// Omits the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRequest").finish_non_exhaustive()
    }
}
