//! Where a record is: in memory, or in the log file.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::frames;

/// A part of the log file, with a checksum, so that a record that was damaged after it was written is
/// never taken for the one that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) checksum: u32,
}

impl Extent {
    /// The place of bytes at an offset of the file. `None` if they are longer than any record.
    pub(super) fn of(offset: u64, bytes: &[u8]) -> Option<Self> {
        Some(Self {
            offset,
            length: u32::try_from(bytes.len()).ok()?,
            checksum: checksum(bytes),
        })
    }

    /// Whether these are the bytes that were written here.
    pub(super) fn has(&self, bytes: &[u8]) -> bool {
        u32::try_from(bytes.len()) == Ok(self.length) && checksum(bytes) == self.checksum
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let [a, b, c, d, ..] = frames::checksum(bytes);
    u32::from_le_bytes([a, b, c, d])
}

/// The body of an entry, and where it is in the log.
#[derive(Debug)]
pub(crate) struct Body {
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

impl Body {
    /// The place of a part of the body.
    pub(super) fn part(&self, range: Range<usize>) -> Option<Extent> {
        let offset = self.offset + u64::try_from(range.start).ok()?;
        Extent::of(offset, self.bytes.get(range)?)
    }
}

/// A record. Without a log it is in memory; with one it is read from there when it is needed.
#[derive(Debug)]
pub(super) enum Stored<T> {
    Memory(Arc<T>),
    Log(Extent),
}

impl<T> Stored<T> {
    /// The record in the log, if it is there.
    pub(super) fn extent(&self) -> Option<Extent> {
        match self {
            Self::Memory(_) => None,
            Self::Log(extent) => Some(*extent),
        }
    }
}

impl<T> Clone for Stored<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Memory(record) => Self::Memory(Arc::clone(record)),
            Self::Log(extent) => Self::Log(*extent),
        }
    }
}
