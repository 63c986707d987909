//! The session of the operator's page.

use std::time::Duration;

use atoma_api_types::{SessionScopeView, SessionView};
use atoma_domain::TimestampMs;

use super::time::rfc3339;
use crate::access::{ApiAccess, ApiScope};
use crate::caller::Caller;

/// Who the caller is. `lasts` is the time now, and how long its session lasts.
pub(crate) fn session_view(
    access: &ApiAccess,
    caller: &Caller,
    lasts: Option<(TimestampMs, Duration)>,
) -> SessionView {
    let token = access.tokens.iter();
    let token = caller
        .token()
        .and_then(|name| token.clone().find(|token| token.name() == name));
    let tokens_required = !access.tokens.is_empty();
    let scope = match token {
        Some(token) => Some(token.scope()),
        None if !tokens_required => Some(ApiScope::Operate),
        None => access.open_reads.then_some(ApiScope::Read),
    };
    SessionView {
        tokens_required,
        name: token.map(|token| token.name().to_owned()),
        scope: scope.map(|scope| match scope {
            ApiScope::Read => SessionScopeView::Read,
            ApiScope::Operate => SessionScopeView::Operate,
        }),
        expires_at: lasts.and_then(|(now, lasts)| {
            let lasts = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
            rfc3339(TimestampMs::new(now.get().saturating_add(lasts)))
        }),
    }
}
