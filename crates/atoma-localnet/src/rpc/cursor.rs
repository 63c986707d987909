//! Positions in the ledger, and their opaque form.

use bytes::Bytes;
use tonic::Status;

/// A position: checkpoint, transaction in it, event in that. A missing part stands for the end of
/// the whole before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor {
    pub(crate) checkpoint: u64,
    pub(crate) transaction: u64,
    pub(crate) event: u64,
}

impl Cursor {
    /// Before everything.
    pub(crate) const START: Self = Self {
        checkpoint: 0,
        transaction: 0,
        event: 0,
    };

    /// The end of a checkpoint.
    pub(crate) const fn end_of(checkpoint: u64) -> Self {
        Self {
            checkpoint,
            transaction: u64::MAX,
            event: u64::MAX,
        }
    }

    /// Just before a checkpoint.
    pub(crate) const fn before(checkpoint: u64) -> Self {
        match checkpoint.checked_sub(1) {
            Some(previous) => Self::end_of(previous),
            None => Self::START,
        }
    }

    /// The end of a transaction.
    pub(crate) const fn transaction(checkpoint: u64, transaction: u64) -> Self {
        Self {
            checkpoint,
            transaction,
            event: u64::MAX,
        }
    }

    pub(crate) fn encode(self) -> Bytes {
        [self.checkpoint, self.transaction, self.event]
            .map(u64::to_be_bytes)
            .concat()
            .into()
    }

    /// # Errors
    /// Invalid argument for bytes that no list gave out.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Status> {
        let (parts, rest) = bytes.as_chunks::<8>();
        match (parts, rest) {
            ([checkpoint, transaction, event], []) => Ok(Self {
                checkpoint: u64::from_be_bytes(*checkpoint),
                transaction: u64::from_be_bytes(*transaction),
                event: u64::from_be_bytes(*event),
            }),
            _ => Err(Status::invalid_argument("invalid cursor")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_order_like_the_ledger() {
        let event = Cursor {
            checkpoint: 3,
            transaction: 1,
            event: 0,
        };
        assert!(Cursor::before(3) < event);
        assert!(event < Cursor::transaction(3, 1));
        assert!(Cursor::transaction(3, 1) < Cursor::end_of(3));
        assert_eq!(Cursor::decode(&event.encode()).unwrap(), event);
        assert!(Cursor::decode(&[1, 2, 3]).is_err());
    }
}
