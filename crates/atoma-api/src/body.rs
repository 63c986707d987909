//! JSON request bodies.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// The most that a body may hold, in bytes.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// A JSON body. An absent one reads as `{}`, so that a request without fields needs none.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
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
                    Some(PayloadError::Overflow) => ApiError::TooLarge,
                    _ => ApiError::invalid(format!("the body can't be read: {error}")),
                })?;
            let text: &[u8] = if bytes.is_empty() {
                b"{}"
            } else if is_json {
                &bytes
            } else {
                return Err(ApiError::NotJson);
            };
            serde_json::from_slice(text)
                .map(Self)
                .map_err(|error| ApiError::invalid(format!("the body is not as expected: {error}")))
        })
    }
}
