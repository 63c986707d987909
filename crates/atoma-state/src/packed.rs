//! Pages that SQLite hands over as one text instead of row by row. sqlx passes each row from one thread to
//! another, which takes longer than reading it.
//!
//! A row is a line of fields between commas: flags as digits, everything else as hexadecimal, which is empty
//! for NULL.

use std::str::Split;

use atoma_domain::ports::{BoxedError, StoreError};

/// The rows of a page, which is `None` if there are none.
pub(crate) fn lines(page: Option<&str>) -> impl Iterator<Item = &str> {
    page.into_iter().flat_map(str::lines)
}

/// The fields of a row, which are read in their order.
pub(crate) struct Fields<'p> {
    fields: Split<'p, char>,
    table: &'static str,
    key: &'p str,
}

impl<'p> Fields<'p> {
    /// Reads a row of a table, whose key is the first field.
    pub(crate) fn new(line: &'p str, table: &'static str) -> Self {
        let fields = line.split(',');
        let key = fields.clone().next().unwrap_or_default();
        Self { fields, table, key }
    }

    fn corrupt(&self, column: &'static str, source: impl Into<BoxedError>) -> StoreError {
        let key = decode(self.key).map(u64::from_be_bytes);
        StoreError::Corrupt {
            table: self.table,
            column,
            row: key.map_or_else(|_| format!("0x{}", self.key), |key| key.to_string()),
            source: source.into(),
        }
    }

    fn field(&mut self, column: &'static str) -> Result<&'p str, StoreError> {
        let field = self.fields.next();
        field.ok_or_else(|| self.corrupt(column, "the field is missing"))
    }

    /// Bytes of that length.
    pub(crate) fn bytes<const N: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<[u8; N], StoreError> {
        let field = self.field(column)?;
        decode(field).map_err(|source| self.corrupt(column, source))
    }

    /// Bytes of that length that may be missing.
    pub(crate) fn optional_bytes<const N: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<[u8; N]>, StoreError> {
        match self.field(column)? {
            "" => Ok(None),
            field => decode(field)
                .map(Some)
                .map_err(|source| self.corrupt(column, source)),
        }
    }

    /// A 64-bit number.
    pub(crate) fn number(&mut self, column: &'static str) -> Result<u64, StoreError> {
        self.bytes(column).map(u64::from_be_bytes)
    }

    /// A 64-bit number; a missing one is 0.
    pub(crate) fn number_or_zero(&mut self, column: &'static str) -> Result<u64, StoreError> {
        let bytes = self.optional_bytes(column)?;
        Ok(bytes.map_or(0, u64::from_be_bytes))
    }

    /// A list of 64-bit numbers; a missing one is empty.
    pub(crate) fn numbers(&mut self, column: &'static str) -> Result<Vec<u64>, StoreError> {
        let field = self.field(column)?;
        let numbers = field.as_bytes().chunks(16).map(|digits| {
            let number = decode_digits(digits).map(u64::from_be_bytes);
            number.map_err(|source| self.corrupt(column, source))
        });
        numbers.collect()
    }

    /// A flag.
    pub(crate) fn flag(&mut self, column: &'static str) -> Result<bool, StoreError> {
        match self.field(column)? {
            "0" => Ok(false),
            "1" => Ok(true),
            other => Err(self.corrupt(column, format!("{other} is neither 0 nor 1"))),
        }
    }
}

/// Why a field is not so many bytes in hexadecimal.
#[derive(Debug, thiserror::Error)]
enum FieldError {
    #[error("{digits} hexadecimal digits where {expected} belong")]
    Length { digits: usize, expected: usize },
    #[error("not hexadecimal")]
    NotHex(#[source] faster_hex::Error),
}

fn decode<const N: usize>(field: &str) -> Result<[u8; N], FieldError> {
    decode_digits(field.as_bytes())
}

fn decode_digits<const N: usize>(digits: &[u8]) -> Result<[u8; N], FieldError> {
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return Err(FieldError::Length {
            digits: digits.len(),
            expected: 2 * N,
        });
    }
    faster_hex::hex_decode(digits, &mut bytes).map_err(FieldError::NotHex)?;
    Ok(bytes)
}
