//! Positions in the ledger, and their encoding as opaque cursors.

use bytes::Bytes;
use tonic::Status;

use crate::execution::status::bad_request;

/// A position: a checkpoint, a transaction in it, and an event of that transaction. `u64::MAX`
/// stands for the end of the checkpoint or transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LedgerCursor {
    pub(crate) checkpoint: u64,
    pub(crate) transaction: u64,
    pub(crate) event: u64,
}

impl LedgerCursor {
    /// The start of the ledger.
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

    /// The position just before a checkpoint.
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

    /// Reads the cursor in `field` of a request.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for bytes that are not a cursor.
    pub(crate) fn decode(field: &str, bytes: &[u8]) -> Result<Self, Status> {
        let (parts, rest) = bytes.as_chunks::<8>();
        match (parts, rest) {
            ([checkpoint, transaction, event], []) => Ok(Self {
                checkpoint: u64::from_be_bytes(*checkpoint),
                transaction: u64::from_be_bytes(*transaction),
                event: u64::from_be_bytes(*event),
            }),
            _ => Err(bad_request(field, "invalid cursor")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_order_like_the_ledger() {
        let event = LedgerCursor {
            checkpoint: 3,
            transaction: 1,
            event: 0,
        };
        assert!(LedgerCursor::before(3) < event);
        assert!(event < LedgerCursor::transaction(3, 1));
        assert!(LedgerCursor::transaction(3, 1) < LedgerCursor::end_of(3));
        assert_eq!(
            LedgerCursor::decode("after", &event.encode()).unwrap(),
            event
        );
        assert!(LedgerCursor::decode("after", &[1, 2, 3]).is_err());
    }
}
