//! The event source's mark of a place in the ledger.

use atoma_domain::CheckpointNumber;
use atoma_domain::ports::{ChainError, EventCursor};
use bytes::{BufMut as _, Bytes, BytesMut};

use crate::outcome::lacks;

/// The first byte of a mark, to tell another layout from this one.
const LAYOUT: u8 = 1;

/// A node's cursor is opaque: it does not tell which history it needs. So the mark keeps the
/// lowest checkpoint not yet looked through beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The lowest checkpoint that is still needed.
    pub(crate) next: CheckpointNumber,
    /// The node's cursor.
    pub(crate) node: Bytes,
}

impl From<&Cursor> for EventCursor {
    fn from(cursor: &Cursor) -> Self {
        let mut bytes = BytesMut::with_capacity(9 + cursor.node.len());
        bytes.put_u8(LAYOUT);
        bytes.put_u64_le(cursor.next.get());
        bytes.put_slice(&cursor.node);
        Self(bytes.freeze())
    }
}

impl TryFrom<&EventCursor> for Cursor {
    type Error = ChainError;

    fn try_from(mark: &EventCursor) -> Result<Self, ChainError> {
        let garbled = lacks("its own cursor as it was stored");
        let Some((&LAYOUT, rest)) = mark.0.split_first() else {
            return Err(garbled);
        };
        let Some((next, _)) = rest.split_first_chunk() else {
            return Err(garbled);
        };
        Ok(Self {
            next: CheckpointNumber::new(u64::from_le_bytes(*next)),
            node: mark.0.slice(9..),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_and_others_are_refused() {
        let cursor = Cursor {
            next: CheckpointNumber::new(0x0102_0304_0506_0708),
            node: Bytes::from_static(b"opaque"),
        };
        let mark = EventCursor::from(&cursor);
        assert_eq!(Cursor::try_from(&mark).unwrap(), cursor);
        for bad in [&b""[..], b"\x02\0\0\0\0\0\0\0\0x", b"\x01\0\0"] {
            assert!(Cursor::try_from(&EventCursor(Bytes::copy_from_slice(bad))).is_err());
        }
    }
}
