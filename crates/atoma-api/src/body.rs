//! JSON request bodies.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use atoma_domain::Hash32;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// The largest body accepted, in bytes.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

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
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            let bytes = bytes
                .await
                .map_err(|error| match error.as_error::<PayloadError>() {
                    Some(PayloadError::Overflow) => ApiError::BodyTooLarge,
                    _ => ApiError::invalid(format!("The request body can't be read: {error}.")),
                })?;
            let text: &[u8] = if bytes.is_empty() {
                b"{}"
            } else if is_json {
                &bytes
            } else {
                return Err(ApiError::NotJson);
            };
            parse(text).map_err(|error| {
                ApiError::invalid(format!(
                    "The request body does not fit this endpoint: {error}."
                ))
            })
        })
    }
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<JsonBody<T>> {
    // First as a bare JSON object, whose keys are sorted. Serde would also read the fields from a
    // list, in their order; that is not a body.
    let json: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text)?;
    let value = serde_json::from_slice(text)?;
    let hash = Hash32::of(&[&serde_json::to_vec(&json)?]);
    Ok(JsonBody { value, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> Hash32 {
        parse::<serde_json::Value>(text.as_bytes()).unwrap().hash
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
