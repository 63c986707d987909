//! Pages that SQLite hands over as one text instead of row by row. sqlx passes each row from one thread to
//! another, which takes longer than reading it.
//!
//! A row is a line of fields between commas: flags as digits, everything else as hexadecimal, which is empty
//! for NULL.

use std::str::Split;

use atoma_domain::ports::{BoxedError, StoreError};
use hex::FromHex;

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
        let key = <[u8; 8]>::from_hex(self.key).map(u64::from_be_bytes);
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

    fn decoded<T>(&self, column: &'static str, field: &str) -> Result<T, StoreError>
    where
        T: FromHex<Error = hex::FromHexError>,
    {
        T::from_hex(field).map_err(|source| self.corrupt(column, source))
    }

    /// Bytes of that length.
    pub(crate) fn bytes<const N: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<[u8; N], StoreError>
    where
        [u8; N]: FromHex<Error = hex::FromHexError>,
    {
        let field = self.field(column)?;
        self.decoded(column, field)
    }

    /// Bytes of that length that may be missing.
    pub(crate) fn optional_bytes<const N: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<[u8; N]>, StoreError>
    where
        [u8; N]: FromHex<Error = hex::FromHexError>,
    {
        match self.field(column)? {
            "" => Ok(None),
            field => self.decoded(column, field).map(Some),
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
        let bytes: Vec<u8> = self
            .field(column)
            .and_then(|field| self.decoded(column, field))?;
        let numbers = bytes.chunks(8).map(|chunk| {
            let number = <[u8; 8]>::try_from(chunk);
            let number = number.map_err(|source| self.corrupt(column, source));
            number.map(u64::from_be_bytes)
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
