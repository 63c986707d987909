//! How ids, digests and times are written in JSON. These types only describe texts in the OpenAPI document.

use utoipa::ToSchema;

/// The id of a Sui object: `0x` and 64 lower-case hexadecimal digits.
#[derive(Debug, ToSchema)]
#[schema(
    value_type = String,
    pattern = "^0x[0-9a-f]{64}$",
    example = "0x00000000000000000000000000000000000000000000000000000000000000a7"
)]
pub struct ObjectId(pub String);

/// A Sui address: `0x` and 64 lower-case hexadecimal digits.
#[derive(Debug, ToSchema)]
#[schema(
    value_type = String,
    pattern = "^0x[0-9a-f]{64}$",
    example = "0x5a1e0000000000000000000000000000000000000000000000000000000000b0"
)]
pub struct Address(pub String);

/// An address or the id of an object in a request: 1 to 64 hexadecimal digits, with or without `0x`. Missing
/// digits are leading zeros.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, pattern = "^(0x)?[0-9a-fA-F]{1,64}$", example = "0x789")]
pub struct AnyHex(pub String);

/// The digest of a transaction: 32 bytes in Base58.
#[derive(Debug, ToSchema)]
#[schema(
    value_type = String,
    pattern = "^[1-9A-HJ-NP-Za-km-z]{32,44}$",
    example = "8CWSiHcNqNGcxYUe9fXMqW3wdK5D8CSMmrXTuBSVdhjE"
)]
pub struct TransactionDigest(pub String);

/// A time in UTC as RFC 3339, with milliseconds.
#[derive(Debug, ToSchema)]
#[schema(
    value_type = String,
    format = DateTime,
    example = "2026-11-28T12:00:00.000Z"
)]
pub struct Time(pub String);
