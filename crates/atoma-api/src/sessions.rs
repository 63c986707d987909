//! Sessions of the operator's page, in memory. A browser keeps the value in a cookie that scripts can't read; only its
//! hash is kept here.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::Hash32;
use tokio::time::Instant;

/// The path of a client's own session.
pub(crate) const PATH: &str = "/session";
/// How long a session lasts at most.
pub(crate) const LONGEST: Duration = Duration::from_secs(12 * 3_600);
/// How long a session lasts without a request.
const IDLE: Duration = Duration::from_secs(3_600);
/// How many there may be. A further one ends the one that was used least recently.
const MOST: usize = 64;
/// Bytes of a session's value.
const VALUE_BYTES: usize = 32;

/// The sessions of all browsers.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<Hash32, Session>>);

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
struct Session {
    /// The hash of the token that it was begun with.
    token: Hash32,
    begun: Instant,
    used: Instant,
}

impl Session {
    fn ends_in(&self) -> Duration {
        let whole = LONGEST.saturating_sub(self.begun.elapsed());
        whole.min(IDLE.saturating_sub(self.used.elapsed()))
    }

    fn is_over(&self) -> bool {
        self.ends_in().is_zero()
    }
}

/// The key of a session with this value.
pub(crate) fn key(value: &str) -> Hash32 {
    Hash32::of(&[value.as_bytes()])
}

impl Sessions {
    /// Begins a session for the token with this hash. Returns the value for the cookie.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub(crate) fn begin(&self, token: Hash32) -> Result<String, getrandom::Error> {
        let mut bytes = [0; VALUE_BYTES];
        getrandom::fill(&mut bytes)?;
        let value: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = Instant::now();
        let mut sessions = self.lock();
        sessions.retain(|_, session| !session.is_over());
        if sessions.len() >= MOST {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.used);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                sessions.remove(&oldest);
            }
        }
        let session = Session {
            token,
            begun: now,
            used: now,
        };
        sessions.insert(key(&value), session);
        Ok(value)
    }

    /// The hash of the token of a session, which is used by this. `None` if it is over or was never begun.
    pub(crate) fn take_up(&self, key: Hash32) -> Option<Hash32> {
        let mut sessions = self.lock();
        let session = sessions.get_mut(&key)?;
        if session.is_over() {
            sessions.remove(&key);
            return None;
        }
        session.used = Instant::now();
        Some(session.token)
    }

    /// The hash of its token and when it will end, without using it.
    pub(crate) fn look_at(&self, key: Hash32) -> Option<(Hash32, Duration)> {
        let session = *self.lock().get(&key)?;
        (!session.is_over()).then(|| (session.token, session.ends_in()))
    }

    /// Ends a session. One that is over already stays so.
    pub(crate) fn end(&self, key: Hash32) {
        self.lock().remove(&key);
    }

    /// Ends the sessions whose token is not kept.
    pub(crate) fn keep_those_of(&self, is_kept: impl Fn(Hash32) -> bool) {
        self.lock().retain(|_, session| is_kept(session.token));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash32, Session>> {
        // Each change is one call, so a panic of a holder leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str) -> Hash32 {
        Hash32::of(&[name.as_bytes()])
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_an_hour_after_its_last_request_and_twelve_after_its_first() {
        let sessions = Sessions::default();
        let value = sessions.begin(token("a")).unwrap();
        assert_eq!(value.len(), 64);
        let key = key(&value);
        assert_eq!(sessions.look_at(key), Some((token("a"), IDLE)));
        for _ in 0..12 {
            tokio::time::advance(IDLE - Duration::from_secs(1)).await;
            assert_eq!(sessions.take_up(key), Some(token("a")));
        }
        let left = Duration::from_secs(12);
        assert_eq!(sessions.look_at(key), Some((token("a"), left)));
        tokio::time::advance(left).await;
        assert_eq!(sessions.take_up(key), None);
        let idle = super::key(&sessions.begin(token("a")).unwrap());
        tokio::time::advance(IDLE - Duration::from_secs(1)).await;
        // Looking at it is no use.
        assert!(sessions.look_at(idle).is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(
            (sessions.look_at(idle), sessions.take_up(idle)),
            (None, None)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_sessions_is_bounded() {
        let sessions = Sessions::default();
        let first = key(&sessions.begin(token("a")).unwrap());
        let second = key(&sessions.begin(token("a")).unwrap());
        tokio::time::advance(Duration::from_secs(1)).await;
        sessions.take_up(first).unwrap();
        for _ in 0..MOST - 1 {
            sessions.begin(token("a")).unwrap();
        }
        assert!(sessions.look_at(first).is_some());
        assert!(sessions.look_at(second).is_none());
        assert_eq!(sessions.lock().len(), MOST);
    }

    #[tokio::test]
    async fn sessions_end_with_their_token_and_when_they_are_told_to() {
        let sessions = Sessions::default();
        let [a, b, c] = ["a", "b", "b"].map(|name| key(&sessions.begin(token(name)).unwrap()));
        sessions.end(c);
        assert_eq!(sessions.take_up(c), None);
        sessions.keep_those_of(|hash| hash == token("b"));
        assert_eq!(sessions.take_up(a), None);
        assert_eq!(sessions.take_up(b), Some(token("b")));
        assert_eq!(format!("{sessions:?}"), "Sessions { .. }");
    }
}
