//! The encoding of the event source's cursor.

use atoma_domain::CheckpointNumber;
use atoma_domain::ports::{ChainError, EventCursor};
use bytes::{BufMut as _, Bytes, BytesMut};

use crate::response::malformed;

/// The version of the encoding, its first byte.
const ENCODING_VERSION: u8 = 1;

/// A place in the ledger stream. A node's cursor is opaque and doesn't show which history it
/// needs, so the lowest checkpoint not yet fully scanned is kept with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamCursor {
    /// The lowest checkpoint that is still needed.
    pub(crate) next: CheckpointNumber,
    /// The node's cursor; empty to begin with the checkpoint.
    pub(crate) node: Bytes,
}

impl From<&StreamCursor> for EventCursor {
    fn from(cursor: &StreamCursor) -> Self {
        let mut bytes = BytesMut::with_capacity(9 + cursor.node.len());
        bytes.put_u8(ENCODING_VERSION);
        bytes.put_u64_le(cursor.next.get());
        bytes.put_slice(&cursor.node);
        Self(bytes.freeze())
    }
}

impl TryFrom<&EventCursor> for StreamCursor {
    type Error = ChainError;

    fn try_from(stored: &EventCursor) -> Result<Self, ChainError> {
        let invalid = malformed("the stored ledger cursor");
        let Some((&ENCODING_VERSION, rest)) = stored.0.split_first() else {
            return Err(invalid);
        };
        let Some((next, _)) = rest.split_first_chunk() else {
            return Err(invalid);
        };
        Ok(Self {
            next: CheckpointNumber::new(u64::from_le_bytes(*next)),
            node: stored.0.slice(9..),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_decodes_and_other_bytes_are_rejected() {
        let cursor = StreamCursor {
            next: CheckpointNumber::new(0x0102_0304_0506_0708),
            node: Bytes::from_static(b"opaque"),
        };
        let stored = EventCursor::from(&cursor);
        assert_eq!(StreamCursor::try_from(&stored).unwrap(), cursor);
        for bad in [&b""[..], b"\x02\0\0\0\0\0\0\0\0x", b"\x01\0\0"] {
            let stored = EventCursor(Bytes::copy_from_slice(bad));
            assert!(StreamCursor::try_from(&stored).is_err());
        }
    }
}
