//! Who may use the API: bearer tokens with scopes.
//!
//! [`ApiAccess`] is a set of tokens, of which only hashes are kept. [`AccessControl`] holds the set in use, which can
//! be replaced while the server runs. The module `authorize` has the middleware that asks it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::header::{self, HeaderMap};
use atoma_domain::Hash32;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use tokio::sync::watch;

use crate::authority::Schemes;
use crate::caller::{ANYBODY, Caller, LOOPBACK};
use crate::error::ApiError;
use crate::rates::{RateLimits, Rates};
use crate::sessions::Sessions;
use crate::tls::ApiTls;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiScope {
    /// `GET` and `HEAD`.
    Read,
    /// Every request.
    Operate,
}

/// A token that clients may send. Only its hash is kept, and `Debug` omits that too.
#[derive(Clone)]
pub struct ApiToken {
    name: Arc<str>,
    scope: ApiScope,
    hash: Hash32,
}

impl ApiToken {
    /// A token with this value. Logs call it by its name.
    pub fn new(name: &str, scope: ApiScope, value: &str) -> Self {
        Self {
            name: name.into(),
            scope,
            hash: hash(value),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn scope(&self) -> ApiScope {
        self.scope
    }

    /// Identifies it without telling its value.
    pub(crate) const fn hash(&self) -> Hash32 {
        self.hash
    }

    /// Whether it allows what needs this scope.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn allows(&self, needed: ApiScope) -> Result<(), ApiError> {
        if needed == ApiScope::Read || self.scope == ApiScope::Operate {
            return Ok(());
        }
        Err(ApiError::InsufficientScope {
            token: self.name.to_string(),
        })
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiToken")
            .field("name", &self.name)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// Hashes have equal lengths, so comparing them tells nothing about the length of a token.
fn hash(value: &str) -> Hash32 {
    Hash32::of(&[value.as_bytes()])
}

/// Who may use the API. The default has no tokens: every client may do everything.
#[derive(Clone, Debug, Default)]
pub struct ApiAccess {
    /// The tokens. Without any, every client may do everything.
    pub tokens: Vec<ApiToken>,
    /// Whether reads need no token.
    pub open_reads: bool,
    /// The certificate, if the server itself encrypts connections.
    pub tls: Option<ApiTls>,
    /// Whether a proxy in front of the server encrypts them.
    pub behind_proxy: bool,
    /// How many requests callers may send.
    pub rate_limits: RateLimits,
}

/// What an access lacks for its address. The API spends money.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("`{}` {}", self.key(), self.rule())]
pub enum Unprotected {
    /// Everybody could spend the operator's money.
    NoToken,
    /// So could everybody who reaches the proxy, even if the daemon itself listens on loopback only.
    NoTokenBehindProxy,
    /// Everybody on the way could read the tokens.
    NotEncrypted,
    /// A server that asked for tokens would stop asking.
    TokensRemoved,
}

impl Unprotected {
    /// What a server at this address lacks, with or without tokens, a certificate and a proxy.
    ///
    /// # Errors
    /// What is missing.
    pub fn at(
        addr: SocketAddr,
        has_tokens: bool,
        has_certificate: bool,
        behind_proxy: bool,
    ) -> Result<(), Self> {
        let is_loopback = addr.ip().is_loopback();
        match (has_tokens, is_loopback) {
            (false, false) => Err(Self::NoToken),
            (false, true) if behind_proxy => Err(Self::NoTokenBehindProxy),
            (true, false) if !has_certificate && !behind_proxy => Err(Self::NotEncrypted),
            _ => Ok(()),
        }
    }

    /// The key of the configuration that demands more than there is.
    pub const fn key(self) -> &'static str {
        match self {
            Self::NoToken | Self::NotEncrypted => "http_addr",
            Self::NoTokenBehindProxy => "behind_proxy",
            Self::TokensRemoved => "tokens",
        }
    }

    /// What it demands, as the rest of a sentence that begins with the key.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::NoToken => {
                "is not a loopback address, so clients must have a token: add one to `tokens`"
            }
            Self::NoTokenBehindProxy => {
                "lets other machines in, so clients must have a token: add one to `tokens`"
            }
            Self::NotEncrypted => {
                "is not a loopback address, so connections must be encrypted: set `tls.cert_file` and `tls.key_file`, \
                 or `behind_proxy = true` if a proxy in front of the daemon encrypts them"
            }
            Self::TokensRemoved => "has none left: restart the daemon to run it without any",
        }
    }
}

impl ApiAccess {
    /// Whether it suffices for this address.
    ///
    /// # Errors
    /// See [`Unprotected`].
    pub(crate) fn suffices_at(&self, addr: SocketAddr) -> Result<(), Unprotected> {
        let (has_tokens, has_certificate) = (!self.tokens.is_empty(), self.tls.is_some());
        Unprotected::at(addr, has_tokens, has_certificate, self.behind_proxy)
    }

    /// Whether all connections from other machines are encrypted, by the server or in front of it.
    pub(crate) const fn is_encrypted(&self) -> bool {
        self.tls.is_some() || self.behind_proxy
    }

    /// What the daemon's own pages come over.
    pub(crate) const fn schemes(&self) -> Schemes {
        match (&self.tls, self.behind_proxy) {
            (_, true) => Schemes::Both,
            (Some(_), false) => Schemes::Https,
            (None, false) => Schemes::Http,
        }
    }

    /// Who sends a request with these headers, if it may be sent.
    ///
    /// # Errors
    /// When the token is missing, unknown, or doesn't allow it.
    pub(crate) fn check(&self, is_read: bool, headers: &HeaderMap) -> Result<Caller, ApiError> {
        if self.tokens.is_empty() {
            return Ok(Caller::named(LOOPBACK));
        }
        if !headers.contains_key(header::AUTHORIZATION) {
            return if is_read && self.open_reads {
                Ok(Caller::named(ANYBODY))
            } else {
                Err(ApiError::TokenMissing)
            };
        }
        let token = bearer(headers)
            .and_then(|value| self.find(value))
            .ok_or(ApiError::TokenUnknown)?;
        token.allows(match is_read {
            true => ApiScope::Read,
            false => ApiScope::Operate,
        })?;
        Ok(Caller::of_token(&token.name, token.hash))
    }

    /// The token with this value.
    pub(crate) fn find(&self, value: &str) -> Option<&ApiToken> {
        self.token_with(hash(value))
    }

    /// The token with this hash. All are compared, each in constant time.
    pub(crate) fn token_with(&self, hash: Hash32) -> Option<&ApiToken> {
        let mut found = None;
        for token in &self.tokens {
            if token.hash.as_bytes().ct_eq(hash.as_bytes()).into() {
                found = Some(token);
            }
        }
        found
    }
}

/// The value in the only `Authorization` of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("Bearer")
        .then(|| token.trim_matches(' '))
}

/// An access with what its callers have left of their limits.
#[derive(Debug)]
pub(crate) struct InUse {
    pub(crate) access: ApiAccess,
    pub(crate) rates: Rates,
}

impl InUse {
    /// With full buckets.
    fn new(access: ApiAccess) -> Arc<Self> {
        let names = access.tokens.iter().map(|token| Arc::clone(&token.name));
        let rates = Rates::new(&access.rate_limits, names);
        Arc::new(Self { access, rates })
    }
}

/// The access in use, which all workers share.
#[derive(Clone, Debug)]
pub struct AccessControl {
    addr: SocketAddr,
    current: Arc<watch::Sender<Arc<InUse>>>,
    sessions: Arc<Sessions>,
}

impl AccessControl {
    /// The access of a server at this address.
    ///
    /// # Errors
    /// When it does not suffice there.
    pub(crate) fn new(addr: SocketAddr, access: ApiAccess) -> Result<Self, Unprotected> {
        access.suffices_at(addr)?;
        let current = Arc::new(watch::Sender::new(InUse::new(access)));
        Ok(Self {
            addr,
            current,
            sessions: Arc::default(),
        })
    }

    /// Replaces tokens, certificate and rate limits, which begin anew. Requests that begin from now on need the new tokens, and connections
    /// that begin from now on show the new certificate. Sessions of tokens that are gone end.
    ///
    /// # Errors
    /// When it does not suffice for the server's address, or no tokens are left. Then the old ones stay.
    pub fn replace(&self, access: ApiAccess) -> Result<(), Unprotected> {
        access.suffices_at(self.addr)?;
        if access.tokens.is_empty() && !self.current().access.tokens.is_empty() {
            return Err(Unprotected::TokensRemoved);
        }
        let in_use = InUse::new(access);
        self.sessions
            .keep_those_of(|hash| in_use.access.token_with(hash).is_some());
        self.current.send_replace(in_use);
        Ok(())
    }

    /// Ends a session of the operator's page, and its streams.
    pub(crate) fn end_session(&self, key: Hash32) {
        self.sessions.end(key);
        // Whoever watches looks whether its own session goes on.
        self.current.send_modify(|_| {});
    }

    /// The sessions of the operator's page.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Tells when it is replaced, and when a session is ended.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<InUse>> {
        self.current.subscribe()
    }

    pub(crate) fn current(&self) -> Arc<InUse> {
        Arc::clone(&self.current.borrow())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn access(open_reads: bool) -> ApiAccess {
        ApiAccess {
            tokens: vec![
                ApiToken::new("old", ApiScope::Operate, "the-old-secret-token"),
                ApiToken::new("new", ApiScope::Operate, "the-new-secret-token"),
                ApiToken::new("watch", ApiScope::Read, "the-read-secret-token"),
            ],
            open_reads,
            ..ApiAccess::default()
        }
    }

    /// The caller, or the code of the refusal.
    fn check(access: &ApiAccess, is_read: bool, values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_str(value).unwrap();
            headers.append(header::AUTHORIZATION, value);
        }
        match access.check(is_read, &headers) {
            Ok(caller) => caller.name().to_owned(),
            Err(error) => {
                assert!(!error.to_string().contains("secret"), "{error}");
                error.status_and_body().1.code
            }
        }
    }

    #[test]
    fn what_is_missing_is_told_with_the_setting_that_demands_it() {
        let beyond: SocketAddr = "192.0.2.1:3000".parse().unwrap();
        let loopback: SocketAddr = "127.0.0.1:3000".parse().unwrap();
        let lack = |addr, access: ApiAccess| {
            let lack = AccessControl::new(addr, access).unwrap_err();
            lack.to_string()
        };
        let without = ApiAccess::default;
        assert!(lack(beyond, without()).starts_with("`http_addr` is not a loopback address"));
        assert!(lack(beyond, access(false)).starts_with("`http_addr` is not a loopback address"));
        let behind_proxy = ApiAccess {
            behind_proxy: true,
            ..without()
        };
        assert!(lack(loopback, behind_proxy).starts_with("`behind_proxy` lets other machines in"));
        let with_tokens = AccessControl::new(loopback, access(false)).unwrap();
        let removed = with_tokens.replace(without()).unwrap_err();
        assert!(removed.to_string().starts_with("`tokens` has none left"));
    }

    #[test]
    fn each_token_allows_what_its_scope_says() {
        let access = access(false);
        for (values, read, write) in [
            (&["Bearer the-old-secret-token"][..], "old", "old"),
            (&["bearer  the-new-secret-token "], "new", "new"),
            (
                &["Bearer the-read-secret-token"],
                "watch",
                "insufficient_scope",
            ),
            (&[], "unauthorized", "unauthorized"),
            (
                &["Bearer the-old-secret-toke"],
                "unauthorized",
                "unauthorized",
            ),
            (&["Bearer"], "unauthorized", "unauthorized"),
            (&["Bearer "], "unauthorized", "unauthorized"),
            (&["the-old-secret-token"], "unauthorized", "unauthorized"),
            (
                &["Basic the-old-secret-token"],
                "unauthorized",
                "unauthorized",
            ),
            (
                &["Bearer the-old-secret-token", "Bearer the-new-secret-token"],
                "unauthorized",
                "unauthorized",
            ),
        ] {
            assert_eq!(check(&access, true, values), read, "{values:?}");
            assert_eq!(check(&access, false, values), write, "{values:?}");
        }
    }

    #[test]
    fn open_reads_open_no_writes() {
        let access = access(true);
        assert_eq!(check(&access, true, &[]), "anybody");
        assert_eq!(check(&access, false, &[]), "unauthorized");
        // A token that was taken away should be noticed.
        let wrong = ["Bearer of-another-secret"];
        assert_eq!(check(&access, true, &wrong), "unauthorized");
    }

    #[test]
    fn without_tokens_everything_is_allowed() {
        let access = ApiAccess::default();
        for values in [&[][..], &["Bearer whatever"]] {
            assert_eq!(check(&access, false, values), "loopback");
        }
    }

    #[test]
    fn beyond_loopback_tokens_and_encryption_are_needed() {
        let everywhere = "0.0.0.0:3000".parse().unwrap();
        let refused = |access| AccessControl::new(everywhere, access).unwrap_err();
        assert_eq!(refused(ApiAccess::default()), Unprotected::NoToken);
        assert_eq!(refused(access(false)), Unprotected::NotEncrypted);
        let behind_proxy = ApiAccess {
            behind_proxy: true,
            ..access(false)
        };
        let control = AccessControl::new(everywhere, behind_proxy).unwrap();
        assert_eq!(
            control.replace(access(false)),
            Err(Unprotected::NotEncrypted)
        );
        assert!(control.current().access.behind_proxy);
    }

    /// The proxy's clients come from loopback too.
    #[test]
    fn behind_a_proxy_tokens_are_needed_on_loopback_too() {
        let behind_proxy = |tokens| ApiAccess {
            tokens,
            behind_proxy: true,
            ..ApiAccess::default()
        };
        let refused = Err(Unprotected::NoTokenBehindProxy);
        for addr in ["127.0.0.1:3000", "[::1]:3000"].map(|addr| addr.parse().unwrap()) {
            let started = AccessControl::new(addr, behind_proxy(Vec::new()));
            assert_eq!(started.map(|_| ()), refused);
            let control = AccessControl::new(addr, ApiAccess::default()).unwrap();
            assert_eq!(control.replace(behind_proxy(Vec::new())), refused);
            assert!(!control.current().access.behind_proxy);
            assert_eq!(control.replace(behind_proxy(access(false).tokens)), Ok(()));
        }
    }

    #[test]
    fn a_replaced_set_counts_from_then_on() {
        let loopback = "127.0.0.1:3000".parse().unwrap();
        let control = AccessControl::new(loopback, access(false)).unwrap();
        let replaced = control.replace(ApiAccess {
            tokens: access(false).tokens.split_off(1),
            ..ApiAccess::default()
        });
        assert_eq!(replaced, Ok(()));
        let emptied = control.replace(ApiAccess::default());
        assert_eq!(emptied, Err(Unprotected::TokensRemoved));
        let current = &control.current().access;
        let old = ["Bearer the-old-secret-token"];
        assert_eq!(check(current, true, &old), "unauthorized");
        assert_eq!(
            check(current, true, &["Bearer the-new-secret-token"]),
            "new"
        );
        assert!(!format!("{control:?}").contains("hash"));
    }
}
