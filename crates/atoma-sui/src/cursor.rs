//! The encoding of the event source's cursor.

use atoma_domain::CheckpointNumber;
use atoma_domain::ports::{ChainError, EventCursor, LedgerPosition};
use bytes::{BufMut as _, Bytes, BytesMut};

use crate::response::malformed;

/// The version of the encoding, its first byte.
const ENCODING_VERSION: u8 = 2;

/// The version with a node's own cursor behind the checkpoint. Nodes need not understand each other's.
const WITH_NODES_CURSOR: u8 = 1;

/// A place in the ledger that means the same at every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamCursor {
    /// The lowest checkpoint that is still needed.
    pub(crate) next: CheckpointNumber,
    /// How many transactions of that checkpoint are done.
    pub(crate) done: u64,
}

impl StreamCursor {
    /// The beginning of a checkpoint.
    pub(crate) const fn at(next: CheckpointNumber) -> Self {
        Self { next, done: 0 }
    }

    /// Whether a transaction is still needed.
    pub(crate) fn needs(&self, position: LedgerPosition) -> bool {
        (position.checkpoint, position.index) >= (self.next, self.done)
    }

    /// Goes on behind a transaction.
    pub(crate) fn pass(&mut self, position: LedgerPosition) {
        self.advance(Self {
            next: position.checkpoint,
            done: position.index.saturating_add(1),
        });
    }

    /// Goes on behind a checkpoint.
    pub(crate) fn pass_checkpoint(&mut self, covered: CheckpointNumber) {
        let next = CheckpointNumber::new(covered.get().saturating_add(1));
        self.advance(Self::at(next));
    }

    fn advance(&mut self, to: Self) {
        if (to.next, to.done) > (self.next, self.done) {
            *self = to;
        }
    }
}

impl From<&StreamCursor> for EventCursor {
    fn from(cursor: &StreamCursor) -> Self {
        let mut bytes = BytesMut::with_capacity(17);
        bytes.put_u8(ENCODING_VERSION);
        bytes.put_u64_le(cursor.next.get());
        bytes.put_u64_le(cursor.done);
        Self(bytes.freeze())
    }
}

impl TryFrom<&EventCursor> for StreamCursor {
    type Error = ChainError;

    fn try_from(stored: &EventCursor) -> Result<Self, ChainError> {
        decode(&stored.0).ok_or(malformed("the stored ledger cursor"))
    }
}

fn decode(bytes: &Bytes) -> Option<StreamCursor> {
    let (version, rest) = bytes.split_first()?;
    let (next, rest) = rest.split_first_chunk()?;
    let done = match *version {
        ENCODING_VERSION => u64::from_le_bytes(rest.try_into().ok()?),
        WITH_NODES_CURSOR => 0,
        _ => return None,
    };
    Some(StreamCursor {
        next: CheckpointNumber::new(u64::from_le_bytes(*next)),
        done,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn position(checkpoint: u64, index: u64) -> LedgerPosition {
        LedgerPosition {
            checkpoint: CheckpointNumber::new(checkpoint),
            index,
        }
    }

    #[test]
    fn a_cursor_decodes_and_other_bytes_are_rejected() {
        let cursor = StreamCursor {
            next: CheckpointNumber::new(0x0102_0304_0506_0708),
            done: 9,
        };
        let stored = EventCursor::from(&cursor);
        assert_eq!(StreamCursor::try_from(&stored).unwrap(), cursor);
        for bad in [
            &b""[..],
            b"\x03\0\0\0\0\0\0\0\0x",
            b"\x02\0\0",
            b"\x02\x01\0\0\0\0\0\0\0x",
        ] {
            let stored = EventCursor(Bytes::copy_from_slice(bad));
            assert!(StreamCursor::try_from(&stored).is_err());
        }
    }

    #[test]
    fn a_cursor_with_a_nodes_own_begins_with_its_checkpoint() {
        let stored = EventCursor(Bytes::from_static(b"\x01\x05\0\0\0\0\0\0\0opaque"));
        let cursor = StreamCursor::try_from(&stored).unwrap();
        assert_eq!(cursor, StreamCursor::at(CheckpointNumber::new(5)));
    }

    #[test]
    fn a_cursor_only_goes_on() {
        let mut cursor = StreamCursor::at(CheckpointNumber::new(5));
        assert!(cursor.needs(position(5, 0)) && !cursor.needs(position(4, 9)));
        cursor.pass(position(5, 1));
        assert!(cursor.needs(position(5, 2)) && !cursor.needs(position(5, 1)));
        cursor.pass_checkpoint(CheckpointNumber::new(4));
        assert!(!cursor.needs(position(5, 1)));
        cursor.pass_checkpoint(CheckpointNumber::new(5));
        assert_eq!(cursor, StreamCursor::at(CheckpointNumber::new(6)));
    }
}
