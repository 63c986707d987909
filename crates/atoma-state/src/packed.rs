//! Pages that SQLite hands over as one text instead of row by row. sqlx passes each row from one thread to
//! another, which takes longer than reading it.
//!
//! A row is a line of fields between commas. A field has the columns of one table, one after another, in
//! hexadecimal; it is empty if the table has no such row. The last field has the flags, a digit each.

use std::str::Split;

use atoma_domain::ports::{BoxedError, StoreError};

/// The rows of a page, which is `None` if there are none.
pub(crate) fn lines(page: Option<&str>) -> impl Iterator<Item = &str> {
    page.into_iter().flat_map(str::lines)
}

/// Which row is read, for errors.
#[derive(Clone, Copy, Debug)]
struct Row<'p> {
    table: &'static str,
    /// The line, which begins with the key.
    line: &'p str,
}

impl Row<'_> {
    fn corrupt(self, column: &'static str, source: impl Into<BoxedError>) -> StoreError {
        let digits = self.line.get(..16).unwrap_or(self.line);
        let mut key = [0; 8];
        let row = match decode(digits, &mut key) {
            Ok(8) => u64::from_be_bytes(key).to_string(),
            _ => format!("0x{digits}"),
        };
        StoreError::Corrupt {
            table: self.table,
            column,
            row,
            source: source.into(),
        }
    }
}

/// The fields of a row, which are read in their order.
pub(crate) struct Fields<'p> {
    fields: Split<'p, char>,
    row: Row<'p>,
}

impl<'p> Fields<'p> {
    /// Reads a row of a table, whose first column is its key of 8 bytes.
    pub(crate) fn new(line: &'p str, table: &'static str) -> Self {
        let row = Row { table, line };
        Self {
            fields: line.split(','),
            row,
        }
    }

    fn field(&mut self, name: &'static str) -> Result<&'p str, StoreError> {
        let field = self.fields.next();
        field.ok_or_else(|| self.row.corrupt(name, "the field is missing"))
    }

    /// A table's columns of together `N` bytes at the most.
    pub(crate) fn columns<const N: usize>(
        &mut self,
        name: &'static str,
    ) -> Result<Columns<'p, N>, StoreError> {
        let field = self.field(name)?;
        let mut bytes = [0; N];
        let length = decode(field, &mut bytes).map_err(|error| self.row.corrupt(name, error))?;
        Ok(Columns {
            bytes,
            length,
            at: 0,
            row: self.row,
        })
    }

    /// A list of 64-bit numbers; a missing one is empty.
    pub(crate) fn numbers(&mut self, name: &'static str) -> Result<Vec<u64>, StoreError> {
        let digits = self.field(name)?.as_bytes().chunks(16);
        let numbers = digits.map(|digits| {
            let mut number = [0; 8];
            match decode(digits, &mut number) {
                Ok(8) => Ok(u64::from_be_bytes(number)),
                Ok(_) => Err(self.row.corrupt(name, "a number is not 8 bytes long")),
                Err(error) => Err(self.row.corrupt(name, error)),
            }
        });
        numbers.collect()
    }

    /// The flags.
    pub(crate) fn flags<const N: usize>(
        &mut self,
        names: [&'static str; N],
    ) -> Result<[bool; N], StoreError> {
        let mut digits = self.field("flags")?.bytes();
        let mut flags = [false; N];
        for (flag, name) in flags.iter_mut().zip(names) {
            *flag = match digits.next() {
                Some(b'0') => false,
                Some(b'1') => true,
                _ => return Err(self.row.corrupt(name, "neither 0 nor 1")),
            };
        }
        match digits.next() {
            None => Ok(flags),
            Some(_) => Err(self.row.corrupt("flags", "a flag is neither 0 nor 1")),
        }
    }
}

/// The columns of a table, which are read in their order.
pub(crate) struct Columns<'p, const N: usize> {
    bytes: [u8; N],
    length: usize,
    at: usize,
    row: Row<'p>,
}

impl<const N: usize> Columns<'_, N> {
    /// Whether every column was read, or the table has no such row.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.at == self.length
    }

    /// A column of that length.
    pub(crate) fn bytes<const M: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<[u8; M], StoreError> {
        let rest = self.bytes.get(self.at..self.length).unwrap_or_default();
        let Some(bytes) = rest.first_chunk() else {
            return Err(self
                .row
                .corrupt(column, "it or a column before is too short"));
        };
        self.at += M;
        Ok(*bytes)
    }

    /// A column with a 64-bit number.
    pub(crate) fn number(&mut self, column: &'static str) -> Result<u64, StoreError> {
        self.bytes(column).map(u64::from_be_bytes)
    }

    /// Ends with this column.
    ///
    /// # Errors
    /// When there is more: one of the columns is longer than it may be.
    pub(crate) fn end(self, column: &'static str) -> Result<(), StoreError> {
        match self.is_at_end() {
            true => Ok(()),
            false => Err(self
                .row
                .corrupt(column, "it or a column before is too long")),
        }
    }
}

/// Why a field is not read.
#[derive(Debug, thiserror::Error)]
enum FieldError {
    #[error("{digits} hexadecimal digits where {most} belong at the most")]
    TooLong { digits: usize, most: usize },
    #[error("not hexadecimal")]
    NotHex(#[source] faster_hex::Error),
}

/// Decodes hexadecimal digits to as many bytes as there are.
fn decode(digits: impl AsRef<[u8]>, bytes: &mut [u8]) -> Result<usize, FieldError> {
    let digits = digits.as_ref();
    let length = digits.len() / 2;
    let most = 2 * bytes.len();
    let bytes = bytes.get_mut(..length).ok_or(FieldError::TooLong {
        digits: digits.len(),
        most,
    })?;
    faster_hex::hex_decode(digits, bytes).map_err(FieldError::NotHex)?;
    Ok(length)
}
