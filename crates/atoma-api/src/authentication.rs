//! Who sends a request: by its token, or by the session of the operator's page.

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap};

use crate::access::{AccessControl, ApiScope, InUse};
use crate::caller::{Caller, Grant};
use crate::error::ApiError;
use crate::session_cookie;
use crate::sessions::key;

impl AccessControl {
    /// Who sends a request with these headers, if a caller with the scope `needed` may.
    ///
    /// # Errors
    /// When token or session are missing, unknown, or don't allow it, or when another page sends the session's cookie.
    pub(crate) fn authenticate(
        &self,
        in_use: &InUse,
        headers: &HeaderMap,
        is_read: bool,
        needed: ApiScope,
    ) -> Result<Caller, ApiError> {
        let access = &in_use.access;
        let needs_no_more = needed == ApiScope::Read;
        if access.tokens.is_empty() || headers.contains_key(header::AUTHORIZATION) {
            return access.check(needs_no_more, headers);
        }
        let Some(value) = session_cookie::read(headers) else {
            return access.check(needs_no_more, headers);
        };
        session_cookie::check_sender(headers, is_read)?;
        let key = key(value);
        let token = self.sessions().take_up(key);
        let token = token.and_then(|hash| access.token_with(hash));
        let token = token.ok_or(ApiError::SessionOver)?;
        token.allows(needed)?;
        Ok(Caller::of_session(token.name(), key))
    }

    /// Whether what allowed a caller to send a request still does.
    pub(crate) fn still_allows(&self, caller: &Caller) -> bool {
        let access = &self.current().access;
        match caller.grant() {
            Grant::Nothing => access.tokens.is_empty() || access.open_reads,
            Grant::Token(hash) => access.token_with(hash).is_some(),
            Grant::Session(key) => {
                let session = self.sessions().look_at(key);
                session.is_some_and(|(hash, _)| access.token_with(hash).is_some())
            }
        }
    }

    /// How long the caller's session lasts without further requests, if it has one.
    pub(crate) fn session_ends_in(&self, caller: &Caller) -> Option<Duration> {
        match caller.grant() {
            Grant::Session(key) => Some(self.sessions().look_at(key)?.1),
            Grant::Nothing | Grant::Token(_) => None,
        }
    }
}
