//! 32-byte hashes and byte strings with a hexadecimal text form.

use std::fmt;
use std::str::FromStr;

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::ObjectId;

/// A 32-byte hash: of a served message, a Merkle node, a leaf or a commitment. Its text form is `0x`
/// and 64 lower-case hexadecimal digits; in binary formats it is the bare 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(value_type = String, pattern = "^0x[0-9a-f]{64}$")
)]
pub struct Hash32([u8; 32]);

/// Why a text is not a hash or not hexadecimal.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ParseHashError {
    /// It is not an even number of hexadecimal digits.
    #[error("not a hexadecimal number")]
    NotHex(#[source] hex::FromHexError),
    /// It does not have 32 bytes.
    #[error("a hash has 32 bytes, not {0}")]
    Length(usize),
}

impl Hash32 {
    /// 32 zero bytes: the contract's leaf slots of nodes that were not drawn.
    pub const ZERO: Self = Self([0; 32]);

    /// Wraps the bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash of a served message: Blake2b-256(payload hash ‖ response hash), 32 bytes each. The
    /// inference service chooses how it hashes payloads and responses. All nodes that serve a task must
    /// do it alike, because an attester's root must equal that of the selected node.
    ///
    /// ```
    /// use atoma_domain::Hash32;
    ///
    /// let payload = Hash32::of(&[b"{\"prompt\":\"hello\"}"]);
    /// let response = Hash32::of(&[b"{\"text\":\"hi\"}"]);
    /// let message = Hash32::of_message(payload, response);
    /// assert_ne!(message, Hash32::of_message(response, payload));
    /// ```
    pub fn of_message(payload: Self, response: Self) -> Self {
        Self::of(&[&payload.0, &response.0])
    }

    /// Blake2b-256 of the concatenated parts.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Blake2b::<U32>::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

impl TryFrom<&[u8]> for Hash32 {
    type Error = ParseHashError;

    fn try_from(bytes: &[u8]) -> Result<Self, ParseHashError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| ParseHashError::Length(bytes.len()))
    }
}

impl FromStr for Hash32 {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        Self::try_from(decode_hex(text)?.as_slice())
    }
}

/// Bytes of any length. In JSON and in text they are `0x…` hexadecimal, in BCS a `vector<u8>`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(value_type = String, pattern = "^0x([0-9a-f]{2})*$")
)]
pub struct HexBytes(pub Vec<u8>);

impl From<Hash32> for HexBytes {
    fn from(hash: Hash32) -> Self {
        Self(hash.0.to_vec())
    }
}

impl PartialEq<Hash32> for HexBytes {
    fn eq(&self, hash: &Hash32) -> bool {
        self.0 == hash.0
    }
}

impl FromStr for HexBytes {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        decode_hex(text).map(Self)
    }
}

/// Gives a wrapper of bytes the text form `0x…`, also in human-readable formats such as JSON.
macro_rules! hexadecimal {
    ($($name:ident),*) => { $(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex_text(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.serialize_str(&hex_text(&self.0))
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map_err(de::Error::custom)
                } else {
                    Deserialize::deserialize(deserializer).map(Self)
                }
            }
        }
    )* };
}

hexadecimal!(Hash32, HexBytes);

/// The bytes as `0x…`. A formatter takes much longer, which lists of thousands of hashes show.
fn hex_text(bytes: &[u8]) -> String {
    let mut text = vec![b'0'; 2 + 2 * bytes.len()];
    text[1] = b'x';
    // Neither fails: the text is of the right length, and ASCII.
    let _ = faster_hex::hex_encode(bytes, &mut text[2..]);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes an object id or address as its type does, but faster; for `#[serde(serialize_with)]` in the entries of
/// long lists.
///
/// # Errors
/// The serializer's.
pub fn serialize_id<S: Serializer>(id: &ObjectId, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&hex_text(id.as_bytes()))
    } else {
        id.serialize(serializer)
    }
}

/// The same of one that may be missing.
///
/// # Errors
/// The serializer's.
pub fn serialize_optional_id<S: Serializer>(
    id: &Option<ObjectId>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) if serializer.is_human_readable() => {
            serializer.serialize_some(&hex_text(id.as_bytes()))
        }
        id => id.serialize(serializer),
    }
}

/// Hexadecimal with or without `0x`.
fn decode_hex(text: &str) -> Result<Vec<u8>, ParseHashError> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(ParseHashError::NotHex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_its_type_writes_it() {
        #[derive(Serialize)]
        struct Entry(
            #[serde(serialize_with = "serialize_id")] ObjectId,
            #[serde(serialize_with = "serialize_optional_id")] Option<ObjectId>,
            #[serde(serialize_with = "serialize_optional_id")] Option<ObjectId>,
        );

        let id = ObjectId::new(std::array::from_fn(|place| [0x0f, 0xa0, 7][place % 3]));
        let (written, expected) = (Entry(id, Some(id), None), (id, Some(id), None::<ObjectId>));
        assert_eq!(
            serde_json::to_string(&written).unwrap(),
            serde_json::to_string(&expected).unwrap()
        );
        assert_eq!(
            bcs::to_bytes(&written).unwrap(),
            bcs::to_bytes(&expected).unwrap()
        );
    }

    /// Computed with Python's `hashlib.blake2b(payload + response, digest_size=32)`.
    #[test]
    fn a_message_hash_is_blake2b_256_of_both_hashes() {
        let message = Hash32::of_message(Hash32::new([1; 32]), Hash32::new([2; 32]));
        assert_eq!(
            message.to_string(),
            "0x30b600fb1f0cc0b3f0fc28cdcb7389405a6659be81c7d5c5905725aa3a5119ce"
        );
    }
}
