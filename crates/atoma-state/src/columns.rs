//! Where the domain's types cross into SQLite and back: the only place that does it.
//!
//! # How a 64-bit number is stored
//!
//! *Context.* SQLite's `INTEGER` is signed: half of all `u64` don't fit it, and the contract emits
//! ids, prices, units and epochs up to 2⁶⁴ − 1. None of them may wrap, truncate or turn negative,
//! and lists must ascend by id across the whole range.
//!
//! *Options.* (a) `INTEGER`, refusing what doesn't fit: an event with a large number would stop the
//! mirror for ever. (b) `INTEGER` shifted by 2⁶³: lossless and ordered, but 1 reads as
//! −9,223,372,036,854,775,807 in every query made by hand. (c) decimal `TEXT`: doesn't sort.
//! (d) a `BLOB` of 8 bytes, most significant first.
//!
//! *Outcome.* (d). SQLite compares BLOBs bytewise, so comparisons, indexes and keyset paging
//! follow the numbers; `hex(column)` is readable; the same form is `BYTEA` in PostgreSQL. A CHECK
//! on each column refuses any other length, and reading one is a `TryFrom` that fails with table,
//! column and row. *Consequence:* SQL can't do sums; arithmetic is the domain's checked one.
//! Row numbers that SQLite itself gives out, flags and 16-bit numbers are `INTEGER`.

use std::error::Error;
use std::fmt::Write as _;

use atoma_domain::ports::{BoxedError, StoreError};
use atoma_domain::{Digest, Hash32, ObjectId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};

/// The stored form of a 64-bit number.
pub(crate) fn number(value: u64) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

/// The stored form of a 64-bit number that may be missing.
pub(crate) fn optional_number(value: Option<u64>) -> Option<Vec<u8>> {
    value.map(number)
}

/// The stored form of a list of 64-bit numbers: one after the other.
pub(crate) fn numbers(values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    values.into_iter().flat_map(u64::to_be_bytes).collect()
}

/// What a keyset page goes on after: with no key the empty BLOB, which sorts before all keys.
pub(crate) fn after(key: Option<u64>) -> Vec<u8> {
    key.map(number).unwrap_or_default()
}

/// Bytes as they are bound inside JSON, for `unhex`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// A set of 64-bit numbers as one bound value: a JSON array of hexadecimal keys, for
/// `IN (SELECT unhex(value) FROM json_each(?))`.
pub(crate) fn key_set(values: impl IntoIterator<Item = u64>) -> String {
    let keys: Vec<String> = values
        .into_iter()
        .map(|value| format!("\"{}\"", hex(&value.to_be_bytes())))
        .collect();
    format!("[{}]", keys.join(","))
}

/// A number that the database gave out, as SQLite holds it; `None` when it never could have.
pub(crate) fn row_number(value: u64) -> Option<i64> {
    i64::try_from(value).ok()
}

/// A value of the domain as JSON text.
pub(crate) fn json<T: serde::Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::OutOfRange {
        what: what.to_owned(),
    })
}

/// A row being read, with what an error about it must name.
pub(crate) struct Cells<'r> {
    row: &'r SqliteRow,
    table: &'static str,
    key: &'static str,
}

impl<'r> Cells<'r> {
    /// Reads a row of a table whose key stands in the column `key`.
    pub(crate) const fn new(row: &'r SqliteRow, table: &'static str, key: &'static str) -> Self {
        Self { row, table, key }
    }

    /// The error that names a cell of this row.
    pub(crate) fn corrupt(
        &self,
        column: &'static str,
        source: impl Into<BoxedError>,
    ) -> StoreError {
        StoreError::Corrupt {
            table: self.table,
            column,
            row: self.describe_key(),
            source: source.into(),
        }
    }

    fn describe_key(&self) -> String {
        if let Ok(id) = self.row.try_get::<i64, _>(self.key) {
            return id.to_string();
        }
        match self.row.try_get::<Vec<u8>, _>(self.key) {
            Ok(bytes) => match <[u8; 8]>::try_from(bytes.as_slice()) {
                Ok(number) => u64::from_be_bytes(number).to_string(),
                Err(_) => atoma_domain::HexBytes(bytes).to_string(),
            },
            Err(_) => String::from("unknown"),
        }
    }

    fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        self.row
            .try_get(column)
            .map_err(|source| self.corrupt(column, source))
    }

    fn exactly<const N: usize>(
        &self,
        column: &'static str,
        bytes: &[u8],
    ) -> Result<[u8; N], StoreError> {
        <[u8; N]>::try_from(bytes).map_err(|source| self.corrupt(column, source))
    }

    /// A 64-bit number.
    pub(crate) fn number(&self, column: &'static str) -> Result<u64, StoreError> {
        let bytes: &[u8] = self.get(column)?;
        self.exactly(column, bytes).map(u64::from_be_bytes)
    }

    /// A 64-bit number that may be missing.
    pub(crate) fn optional_number(&self, column: &'static str) -> Result<Option<u64>, StoreError> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes
            .map(|bytes| self.exactly(column, bytes).map(u64::from_be_bytes))
            .transpose()
    }

    /// A list of 64-bit numbers; a missing one is empty.
    pub(crate) fn numbers(&self, column: &'static str) -> Result<Vec<u64>, StoreError> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes
            .unwrap_or_default()
            .chunks(8)
            .map(|chunk| self.exactly(column, chunk).map(u64::from_be_bytes))
            .collect()
    }

    /// A number that the database gave out.
    pub(crate) fn row_number(&self, column: &'static str) -> Result<u64, StoreError> {
        let value: i64 = self.get(column)?;
        u64::try_from(value).map_err(|source| self.corrupt(column, source))
    }

    /// A number of few bits.
    pub(crate) fn small<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: TryFrom<i64>,
        T::Error: Error + Send + Sync + 'static,
    {
        let value: i64 = self.get(column)?;
        T::try_from(value).map_err(|source| self.corrupt(column, source))
    }

    /// A number of few bits that may be missing.
    pub(crate) fn optional_small<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: TryFrom<i64>,
        T::Error: Error + Send + Sync + 'static,
    {
        let value: Option<i64> = self.get(column)?;
        value
            .map(|value| T::try_from(value).map_err(|source| self.corrupt(column, source)))
            .transpose()
    }

    /// A flag.
    pub(crate) fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        match self.get::<i64>(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.corrupt(column, format!("{other} is neither 0 nor 1"))),
        }
    }

    /// A text.
    pub(crate) fn text(&self, column: &'static str) -> Result<&'r str, StoreError> {
        self.get(column)
    }

    /// A text that may be missing.
    pub(crate) fn optional_text(
        &self,
        column: &'static str,
    ) -> Result<Option<&'r str>, StoreError> {
        self.get(column)
    }

    /// Bytes of any length.
    pub(crate) fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.get(column)
    }

    /// Bytes of any length that may be missing.
    pub(crate) fn optional_bytes(
        &self,
        column: &'static str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(column)
    }

    /// An object id or address.
    pub(crate) fn object_id(&self, column: &'static str) -> Result<ObjectId, StoreError> {
        let bytes: &[u8] = self.get(column)?;
        self.exactly(column, bytes).map(ObjectId::new)
    }

    /// An object id or address that may be missing.
    pub(crate) fn optional_object_id(
        &self,
        column: &'static str,
    ) -> Result<Option<ObjectId>, StoreError> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes
            .map(|bytes| self.exactly(column, bytes).map(ObjectId::new))
            .transpose()
    }

    /// A digest.
    pub(crate) fn digest(&self, column: &'static str) -> Result<Digest, StoreError> {
        let bytes: &[u8] = self.get(column)?;
        self.exactly(column, bytes).map(Digest::new)
    }

    /// A digest that may be missing.
    pub(crate) fn optional_digest(
        &self,
        column: &'static str,
    ) -> Result<Option<Digest>, StoreError> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes
            .map(|bytes| self.exactly(column, bytes).map(Digest::new))
            .transpose()
    }

    /// A hash that may be missing.
    pub(crate) fn optional_hash(&self, column: &'static str) -> Result<Option<Hash32>, StoreError> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes
            .map(|bytes| self.exactly(column, bytes).map(Hash32::new))
            .transpose()
    }

    /// A list of hashes, one after the other.
    pub(crate) fn hashes(&self, column: &'static str) -> Result<Vec<Hash32>, StoreError> {
        let bytes: &[u8] = self.get(column)?;
        bytes
            .chunks(32)
            .map(|chunk| self.exactly(column, chunk).map(Hash32::new))
            .collect()
    }

    /// A value of the domain from JSON text.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(self.text(column)?).map_err(|source| self.corrupt(column, source))
    }

    /// A value of the domain from JSON text that may be missing.
    pub(crate) fn optional_json<T: serde::de::DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.optional_text(column)?
            .map(|text| serde_json::from_str(text).map_err(|source| self.corrupt(column, source)))
            .transpose()
    }
}
