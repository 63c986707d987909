//! The JSON shapes of responses. An optional field without a value is present as `null`.

mod batch;
mod dry_run;
mod limits;
mod outcome;
mod reservation;
mod settlement;
mod stack;
mod task;
mod time;
mod transaction;

pub(crate) use batch::{BatchView, ClaimView, batch_response};
pub(crate) use limits::SpendingLimitsView;
pub(crate) use outcome::{DigestView, RegisteredView, SubscribedView};
pub(crate) use reservation::{ReservationView, ReservedView};
pub(crate) use settlement::{ClaimedStackView, DisputeView};
pub(crate) use stack::{NodeView, StackView, WorkView};
pub(crate) use task::{SubscriptionView, TaskView};
pub(crate) use transaction::{TransactionDetailView, TransactionView};
