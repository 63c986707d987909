//! Conversions between the domain's types and columns. No other module converts.
//!
//! # 64-bit numbers
//!
//! *Context.* SQLite's `INTEGER` is signed: half of all `u64` don't fit, and the contract emits ids,
//! prices, units and epochs up to 2⁶⁴ − 1. None of them may wrap, truncate or turn negative, and lists
//! must ascend by id across the whole range.
//!
//! *Options.* (a) `INTEGER`, refusing what doesn't fit: an event with a large number would stop the
//! mirror permanently. (b) `INTEGER` shifted by 2⁶³: lossless and ordered, but 1 reads as
//! −9,223,372,036,854,775,807 in every query made by hand. (c) Decimal `TEXT`: doesn't sort. (d) A
//! `BLOB` of 8 bytes, most significant first.
//!
//! *Outcome.* (d). SQLite compares BLOBs bytewise, so comparisons, indexes and keyset paging follow the
//! numbers, and `hex(column)` is readable. A CHECK on each column refuses any other length. Reading
//! one is a `TryFrom` that fails with table, column and row. *Consequence:* SQL can't add such numbers;
//! the domain's checked arithmetic does. Row numbers that SQLite gives out, flags and 16-bit numbers
//! are `INTEGER`.
//!
//! # SQLite and PostgreSQL
//!
//! Statements use `$1` placeholders and SQL that both understand, except for these pairs:
//!
//! | here | on PostgreSQL |
//! |---|---|
//! | `BLOB`, `x'00'` | `BYTEA`, `'\x00'` |
//! | `INTEGER` flags, 0 and 1 | `SMALLINT` |
//! | `json_each($1)` with `key` and `value` | `jsonb_array_elements($1) WITH ORDINALITY` |
//! | `value -> 'version'` for a number's digits | `value ->> 'version'` |
//! | `json_group_array(x ORDER BY y)` | `jsonb_agg(x ORDER BY y)` |
//! | `unhex(text)` for bytes inside JSON | `decode(text, 'hex')` |
//! | `BEGIN IMMEDIATE` | `BEGIN`, then an advisory lock |
//!
//! The journal keeps to them. The mirror and the reader also use `INSERT OR REPLACE` and a few
//! functions of SQLite.

use std::error::Error;

use atoma_domain::model::Fill;
use atoma_domain::ports::{BoxedError, StoreError};
use atoma_domain::{Digest, Hash32, ObjectId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};

use crate::error::out_of_range;

/// The stored form of a 64-bit number.
pub(crate) fn number(value: u64) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

/// The stored form of a sum of 64-bit numbers.
pub(crate) fn wide_number(value: u128) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

/// The stored form of a 64-bit number that may be missing.
pub(crate) fn optional_number(value: Option<u64>) -> Option<Vec<u8>> {
    value.map(number)
}

/// The stored form of a list of 64-bit numbers: their bytes, concatenated.
pub(crate) fn numbers(values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    values.into_iter().flat_map(u64::to_be_bytes).collect()
}

/// The key that a keyset page starts after. Without one it is the empty BLOB, which sorts before all
/// keys.
pub(crate) fn after(key: Option<u64>) -> Vec<u8> {
    key.map(number).unwrap_or_default()
}

/// Bytes as hexadecimal text, for `unhex` of a value inside JSON.
pub(crate) fn hex(bytes: &[u8]) -> String {
    faster_hex::hex_string_upper(bytes)
}

/// The level of a fill in its index: the first digit, of fuller stacks the first two.
pub(crate) fn fill_level(fill: Fill) -> String {
    let bytes = fill.get().to_be_bytes();
    let mut level = hex(&bytes);
    level.truncate(if bytes[0] >= 0xC0 { 2 } else { 1 });
    level
}

/// A set of 64-bit numbers as one parameter: a JSON array of hexadecimal keys, for
/// `IN (SELECT unhex(value) FROM json_each($1))`.
pub(crate) fn key_set(values: impl IntoIterator<Item = u64>) -> String {
    bytes_set(values.into_iter().map(u64::to_be_bytes))
}

/// A set of values as one parameter, like a [set of keys](key_set). Texts are read back with
/// `CAST(unhex(value) AS TEXT)`: as JSON, a text could be cut off at a zero character.
pub(crate) fn bytes_set(values: impl IntoIterator<Item = impl AsRef<[u8]>>) -> String {
    let values: Vec<String> = values
        .into_iter()
        .map(|value| format!("\"{}\"", hex(value.as_ref())))
        .collect();
    format!("[{}]", values.join(","))
}

/// A row number as SQLite holds it; `None` for a number that SQLite never gives out.
pub(crate) fn row_number(value: u64) -> Option<i64> {
    i64::try_from(value).ok()
}

/// A value of the domain as JSON text.
pub(crate) fn json<T: serde::Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| out_of_range(what))
}

/// Rows as one parameter: a JSON array of arrays, for `json_each`. Bytes are hexadecimal, for `unhex`.
#[derive(Debug, Default)]
pub(crate) struct JsonRows {
    /// Without its last two brackets.
    json: String,
}

impl JsonRows {
    /// Begins a row.
    pub(crate) fn row(&mut self) -> &mut Self {
        self.json.push_str(match self.json.is_empty() {
            true => "[[",
            false => "],[",
        });
        self
    }

    /// Adds a cell of bytes to the row.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.comma();
        self.json.push('"');
        self.json.push_str(&hex(bytes));
        self.json.push('"');
        self
    }

    /// Adds a cell of bytes to the row, or NULL.
    pub(crate) fn optional_bytes(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => self.bytes(bytes),
            None => self.raw("null"),
        }
    }

    /// Adds an integer to the row.
    pub(crate) fn index(&mut self, index: usize) -> &mut Self {
        self.raw(&index.to_string())
    }

    /// Adds a row number to the row.
    pub(crate) fn row_number(&mut self, number: i64) -> &mut Self {
        self.raw(&number.to_string())
    }

    fn raw(&mut self, json: &str) -> &mut Self {
        self.comma();
        self.json.push_str(json);
        self
    }

    fn comma(&mut self) {
        if !self.json.ends_with('[') {
            self.json.push(',');
        }
    }

    /// The parameter; `None` without rows.
    pub(crate) fn finish(mut self) -> Option<String> {
        if self.json.is_empty() {
            return None;
        }
        self.json.push_str("]]");
        Some(self.json)
    }
}

/// A row being read, with the table and key that its errors name.
pub(crate) struct Cells<'r> {
    row: &'r SqliteRow,
    table: &'static str,
    key: &'static str,
}

impl<'r> Cells<'r> {
    /// Reads a row of a table whose key is in the column `key`.
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

    /// A sum of 64-bit numbers.
    pub(crate) fn wide_number(&self, column: &'static str) -> Result<u128, StoreError> {
        let bytes: &[u8] = self.get(column)?;
        self.exactly(column, bytes).map(u128::from_be_bytes)
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

    /// A row number.
    pub(crate) fn row_number(&self, column: &'static str) -> Result<u64, StoreError> {
        let value: i64 = self.get(column)?;
        u64::try_from(value).map_err(|source| self.corrupt(column, source))
    }

    /// A number of 32 bits or fewer.
    pub(crate) fn small<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: TryFrom<i64>,
        T::Error: Error + Send + Sync + 'static,
    {
        let value: i64 = self.get(column)?;
        T::try_from(value).map_err(|source| self.corrupt(column, source))
    }

    /// A number of 32 bits or fewer that may be missing.
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

    /// A list of hashes, concatenated.
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
