//! The shapes of answers. A `null` optional field is present.

mod brakes;
mod settlement;
mod stack;
mod task;
mod transaction;

pub(crate) use brakes::BrakesView;
pub(crate) use settlement::{ClaimedStackView, DisputeView};
pub(crate) use stack::{NodeView, StackView, WorkView};
pub(crate) use task::{SubscriptionView, TaskView};
pub(crate) use transaction::{
    BatchView, ClaimView, DigestView, RegisteredView, SubscribedView, TransactionDetailView,
    TransactionView, batch_answer,
};

use atoma_domain::TimestampMs;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A time as RFC 3339; `None` beyond the year 9999.
fn rfc3339(timestamp: TimestampMs) -> Option<String> {
    let nanoseconds = i128::from(timestamp.get()) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .ok()?
        .format(&Rfc3339)
        .ok()
}
