//! JSON request bodies: read within bounds of time and memory, and errors that name the field.

mod explain;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use atoma_domain::Hash32;
use atoma_domain::journal::Failure;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_stream::StreamExt;

use self::explain::{explain, not_an_object};
use crate::error::ApiError;
use crate::limits::ApiLimits;

/// The largest body accepted, in bytes.
const BODY_LIMIT: usize = 1 << 20;
/// Bodies up to this size are never refused for want of memory: the number of connections bounds them,
/// and the largest message of an inference service is far smaller.
const FREE: usize = 16 << 10;
/// The unit in which the memory of larger bodies is counted, in bytes.
const UNIT: usize = 1 << 10;

/// The memory and the time that request bodies may take.
#[derive(Debug)]
pub(crate) struct BodyTurns {
    units: Arc<Semaphore>,
    idle: Duration,
    whole: Duration,
}

/// There is no room for another large body.
const fn busy() -> ApiError {
    ApiError::Busy {
        what: "large request bodies",
    }
}

/// Permits for the bytes of one body, which are only held while the client sends it.
#[derive(Debug, Default)]
struct Held(Option<OwnedSemaphorePermit>);

impl BodyTurns {
    pub(crate) fn new(limits: &ApiLimits) -> Self {
        Self {
            units: Arc::new(Semaphore::new(limits.body_bytes / UNIT)),
            idle: limits.body_idle,
            whole: limits.body_whole,
        }
    }

    /// Refuses a body for which there is no room already, before it arrives. It takes no permits yet, so
    /// that a client can't keep others out with a body that it only announces.
    fn check(&self, length: Option<usize>) -> Result<(), ApiError> {
        let needed = length.unwrap_or(0).saturating_sub(FREE).div_ceil(UNIT);
        if needed > self.units.available_permits() {
            return Err(busy());
        }
        Ok(())
    }

    /// Reads a body that has the announced length, if there is one.
    async fn read(
        &self,
        payload: &mut Payload,
        length: Option<usize>,
    ) -> Result<Vec<u8>, ApiError> {
        let too_slow = || ApiError::BodyTimeout {
            idle_s: self.idle.as_secs(),
            whole_s: self.whole.as_secs(),
        };
        let deadline = Instant::now() + self.whole;
        let mut body = Vec::new();
        let mut held = Held::default();
        loop {
            let chunk = timeout(self.idle, timeout_at(deadline, payload.next())).await;
            let Some(chunk) = chunk.ok().and_then(Result::ok).ok_or_else(too_slow)? else {
                return Ok(body);
            };
            let chunk: Bytes = chunk.map_err(|error| {
                ApiError::invalid(format!("The request body can't be read: {error}."))
            })?;
            let size = body.len().saturating_add(chunk.len());
            if size > BODY_LIMIT {
                return Err(ApiError::BodyTooLarge);
            }
            if size > body.capacity() {
                let capacity = grown(body.capacity(), size, length);
                self.hold(&mut held, capacity)?;
                body.reserve_exact(capacity.saturating_sub(body.len()));
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// Takes the permits that a buffer of this capacity still lacks.
    fn hold(&self, held: &mut Held, capacity: usize) -> Result<(), ApiError> {
        let needed = capacity.saturating_sub(FREE).div_ceil(UNIT);
        let missing = needed.saturating_sub(held.0.as_ref().map_or(0, |held| held.num_permits()));
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).map_err(|_| busy())?;
        let more = Arc::clone(&self.units).try_acquire_many_owned(missing);
        let more = more.map_err(|_| busy())?;
        match &mut held.0 {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

/// The capacity to which the buffer of a body grows for `size` bytes: to twice of what it has, but not beyond
/// what can still come.
fn grown(capacity: usize, size: usize, length: Option<usize>) -> usize {
    let most = length.unwrap_or(BODY_LIMIT).max(size);
    capacity.saturating_mul(2).max(FREE).clamp(size, most)
}

/// A JSON body. An absent one reads as `{}`, so a request without fields needs none.
#[derive(Debug)]
pub(crate) struct JsonBody<T> {
    /// The fields.
    pub(crate) value: T,
    /// The hash of the JSON, independent of white space and of the order of its fields.
    pub(crate) hash: Hash32,
}

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request.mime_type().ok().flatten().is_some_and(|mime| {
            mime.subtype() == "json" || mime.suffix().is_some_and(|s| s == "json")
        });
        let length = request.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let turns = request.app_data::<Data<BodyTurns>>().cloned();
        let mut payload = payload.take();
        Box::pin(async move {
            if length.is_some_and(|length| length > BODY_LIMIT) {
                return Err(ApiError::BodyTooLarge);
            }
            let turns = turns.ok_or_else(|| Failure::Internal {
                reason: String::from("the API runs without its limits"),
            })?;
            turns.check(length)?;
            let bytes = turns.read(&mut payload, length).await?;
            let text: &[u8] = if bytes.is_empty() {
                b"{}"
            } else if is_json {
                &bytes
            } else {
                return Err(ApiError::NotJson);
            };
            parse(text).map_err(ApiError::invalid)
        })
    }
}

/// Reads the fields. The error is a sentence that names what is wrong.
fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<JsonBody<T>, String> {
    // First as a bare JSON object, whose keys are sorted. Serde would also read the fields from a
    // list, in their order; that is not a body.
    let json: Map<String, Value> =
        serde_json::from_slice(text).map_err(|error| not_an_object(&error))?;
    explain::refuse_misplaced(&json)?;
    let value = serde_json::from_slice(text).map_err(|error| explain::<T>(&json, &error))?;
    let canonical = serde_json::to_vec(&json).map_err(|error| not_an_object(&error))?;
    let hash = Hash32::of(&[&canonical]);
    Ok(JsonBody { value, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> Hash32 {
        parse::<serde_json::Value>(text.as_bytes()).unwrap().hash
    }

    #[test]
    fn the_buffer_of_a_body_takes_what_can_come_and_no_more() {
        let grow = |size, length| grown(0, size, length);
        assert_eq!(grow(10, Some(20)), 20);
        assert_eq!(grow(10, None), FREE);
        assert_eq!(grown(FREE, FREE + 1, Some(1 << 20)), 2 * FREE);
        assert_eq!(grown(600 << 10, 601 << 10, Some(700 << 10)), 700 << 10);
        assert_eq!(grown(600 << 10, 601 << 10, None), BODY_LIMIT);
        // A body longer than it was said to be; the parser prevents it.
        assert_eq!(grow(30, Some(20)), 30);
    }

    #[test]
    fn the_hash_is_of_what_the_json_says() {
        assert_eq!(hash(r#"{"a": 1, "b": [2]}"#), hash(r#"{"b":[2],"a":1}"#));
        assert_ne!(hash(r#"{"a": 1}"#), hash(r#"{"a": 2}"#));
        assert_ne!(hash(r#"{"a": [1, 2]}"#), hash(r#"{"a": [2, 1]}"#));
    }

    #[test]
    fn a_body_is_an_object() {
        #[derive(serde::Deserialize)]
        struct One {
            #[expect(dead_code, reason = "it is only read")]
            a: u64,
        }
        assert!(parse::<One>(br#"{"a": 1}"#).is_ok());
        assert!(parse::<One>(b"[1]").is_err());
    }
}
