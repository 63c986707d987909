//! How responses are made from what the use cases return.

mod alarm;
mod autopilot;
mod batch;
mod books;
mod limits;
mod node_key;
mod outcome;
mod overview;
mod reconciliation;
mod reservation;
mod session;
mod settlement;
mod stack;
mod task;
mod time;
mod transaction;

pub(crate) use alarm::{alarm_test_view, alarm_view};
pub(crate) use autopilot::{autopilot_view, duty_view};
pub(crate) use batch::{batch_response, batch_view, claim_view};
pub(crate) use books::{book_line_view, books_checked_view, earnings_view, stack_history_view};
pub(crate) use limits::spending_limits_view;
pub(crate) use node_key::node_key_view;
pub(crate) use outcome::{
    digest_view, disputed_view, done_response, registered_response, registered_view,
    subscribed_view,
};
pub(crate) use overview::overview_view;
pub(crate) use reconciliation::reconciled_view;
pub(crate) use reservation::{reservation_view, reserved_view};
pub(crate) use session::session_view;
pub(crate) use settlement::{claimed_stack_view, dispute_view, due_attestation_view};
pub(crate) use stack::{node_view, stack_view, work_view};
pub(crate) use task::{subscription_view, task_view};
pub(crate) use transaction::{transaction_detail_view, transaction_view};
