//! The requests of a node operator, one method per endpoint of the API.
//!
//! A use case checks a request against the mirror, builds intents, hands them to the engine and waits
//! for their outcome.
//!
//! - `operator.rs`: the [`Operator`] and its modes.
//! - `single.rs`: requests for a single transaction. They are in `register.rs`, `subscriptions.rs`,
//!   `rotate_key.rs` and `dispute.rs`.
//! - `batch.rs`, with `candidate.rs` and `stack_result.rs`: requests over several stacks. They are in
//!   `settle.rs`, `attest.rs` and `claim.rs`.
//! - `request.rs`, `nodes.rs`, `stacks.rs`, `read_your_writes.rs`: what requests share.
//! - `under_way.rs`: what is under way, for the autopilot.
//! - `abandon.rs`: abandoning a transaction.
//! - `alarms.rs`: what is wrong, and who is told.
//! - `books/`: totals, lines, differences, and the history of a stack.
//! - `serve/`: served work, which needs no transaction.

mod abandon;
mod alarms;
mod attest;
mod batch;
mod books;
mod candidate;
mod claim;
mod dispute;
mod nodes;
mod operator;
mod read_your_writes;
mod reconcile;
mod register;
mod request;
mod rotate_key;
mod serve;
mod settle;
mod single;
mod stack_result;
mod stacks;
mod subscriptions;
mod under_way;
mod withdraw;

pub use books::{
    BookFilter, BookRow, BooksChecked, Earnings, HistoryStep, LinePlace, StackHistory, StepKind,
};
pub use dispute::dispute_warning;
pub use nodes::NodeChoice;
pub use operator::{Checked, Operator};
pub use register::Registered;
pub use rotate_key::{KeyCommitment, MOST_KEY_BYTES};
pub use serve::{ServedMessage, WantedUnits};
pub use single::{Completed, Unsuccessful};
pub use stack_result::{StackResult, StackStatus};
pub use stacks::MOST_STACKS;
pub use subscriptions::LONGEST_MODEL_NAME;
