//! Reading what the books are made from.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{Page, StoreError};
use crate::books::{BookedTransaction, GasLine, StackRecords};
use crate::contract::ChargesHistory;
use crate::{StackSmallId, TimestampMs};

/// What the books need to know of the mirror as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookMarks {
    /// The contract's charges, as they were read.
    pub charges: ChargesHistory,
    /// The number of the last recorded transaction each time that the mirror was rebuilt, 0 if there was none. What happened
    /// between then and the rebuild is not recorded.
    pub gaps: Vec<u64>,
    /// The number of the last difference from the contract that was repaired in the mirror, 0 if there was none. A repair can
    /// change what records refer to.
    pub repairs: u64,
    /// The version of the `AtomaDb` after the last recorded transaction, if there is one.
    pub last_version: Option<u64>,
}

/// A part of a time: from `from` on, and before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub from: TimestampMs,
    /// The moment after the last.
    pub until: TimestampMs,
}

impl Period {
    /// All times.
    pub const ALWAYS: Self = Self {
        from: TimestampMs::new(0),
        until: TimestampMs::new(u64::MAX),
    };

    /// Whether a time is in it.
    pub fn has(&self, time: TimestampMs) -> bool {
        self.from <= time && time < self.until
    }
}

/// The recorded transactions of the operator's nodes.
#[async_trait]
pub trait BookRecords: Debug + Send + Sync {
    /// What the books need to know of the mirror as a whole.
    async fn book_marks(&self) -> Result<BookMarks, StoreError>;

    /// The recorded transactions in ledger order, by number.
    async fn book_transactions(
        &self,
        page: Page<u64>,
    ) -> Result<Vec<BookedTransaction>, StoreError>;

    /// What is recorded of one stack.
    async fn stack_records(&self, stack: StackSmallId) -> Result<StackRecords, StoreError>;

    /// The gas of the journal's attempts that were concluded in the period, each divided among its intents. The page is of
    /// attempts, by number; an attempt's parts come together, each with the attempt's number.
    async fn gas_lines(
        &self,
        period: Period,
        page: Page<u64>,
    ) -> Result<Vec<(u64, GasLine)>, StoreError>;
}
