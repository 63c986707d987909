//! What the OpenAPI document says about operations, and a page about their errors.

pub(crate) mod codes;
mod description;
mod errors;
mod parameter;
mod schemas;
mod tag;

use actix_web::web::Bytes;

pub(crate) use self::description::{Description, describe};
pub use self::errors::error_page;
#[cfg(test)]
pub(crate) use self::errors::is_known;
pub(crate) use self::parameter::{Query, Values};
pub(crate) use self::schemas::Schemas;
pub(crate) use self::tag::Tag;

/// The document as JSON, which workers share.
#[derive(Debug)]
pub(crate) struct DocumentJson(pub(crate) Bytes);
