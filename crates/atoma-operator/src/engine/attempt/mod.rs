//! One attempt: a transaction for one intent or a batch, as a pipeline of values.
//!
//! | stage | takes | gives |
//! |---|---|---|
//! | `inputs` | a batch of intents | [`Inputs`]: what the batch depends on, read from the database and the chain |
//! | `plan` | [`Inputs`] | [`Draft`] with a [`Planned`] transaction, not paid for yet |
//! | `fund` | [`Planned`] | [`Funded`]: with budget, leased gas coins and a place under the cap |
//! | `sign` | [`Funded`] | [`Signed`]: exact bytes |
//! | `record` | [`Signed`] | the same, durable in the journal |
//! | `send` | the attempt | a [`Resolution`]: executed, or proved dead by `resolve` |
//! | `conclude` | [`Signed`] and its [`Resolution`] | [`Closed`]: the outcome, journalled |
//!
//! A stage that can't go on says what to do with the batch instead: [`Next`].

mod calls;
mod conclude;
mod failures;
mod fund;
mod inputs;
mod next;
mod payment;
mod plan;
mod record;
mod resolve;
mod send;
mod sign;

pub(super) use calls::{call, raises_dispute};
pub(super) use conclude::{
    BadgeAfter, Closed, Ended, Unwritten, close, close_executed, write_down, write_end,
};
pub(super) use failures::{failure_of, simulation_failure};
pub(super) use fund::{Funded, fund};
pub(super) use inputs::{Inputs, check_last_use, gather, note_foreign_use, query, read};
pub(super) use next::{AwaitedAttempt, Next};
pub(super) use payment::Payment;
pub(super) use plan::{Draft, plan, price_refusal};
pub(super) use record::{Conflict, NotRecorded, conflict, record};
pub(super) use resolve::Resolution;
pub(super) use send::{Sent, send};
pub(super) use sign::{Signed, sign};
