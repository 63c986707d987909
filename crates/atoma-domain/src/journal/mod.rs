//! The transaction journal: what was asked of the chain, what was sent for it, what came of it.
//!
//! An [`Intent`] is one thing asked for, one node and one stack (or task, or model) at a time. An
//! [`Attempt`] is one signed transaction; it carries one intent or a batch of them. Nothing is
//! sent that isn't in the journal, durably:
//!
//! ```text
//!                 ┌──────────── attempt dead or cancelled ───────────┐
//!                 ▼                                                  │
//!  open ──► Queued ──── attempt recorded ───► Submitted ─── executed ┴─► Succeeded
//!                 │                                 │
//!                 └── refused before signing ──►  Failed  ◄── aborted
//! ```
//!
//! *Sign once*: while an intent is unfinished, and for actions that can't be done twice also after
//! its success, its [key](Action::key) is taken; another intent with that key joins it or is
//! refused. Which transitions there are is told by [`IntentStatus::can_become`]; a store refuses
//! all others.

mod action;
mod attempt;
mod failure;
mod intent;
mod request;

pub use action::{Action, ActionKey, Actor};
pub use attempt::{Attempt, AttemptOutcome, AttemptRecord, AttemptStatus, Conclusion, Receipt};
pub use failure::Failure;
pub use intent::{GasOptions, Intent, IntentRecord, IntentStatus, NewIntent};
pub use request::{
    EntryOutcome, PlannedEntry, PlannedRequest, REQUEST_KEY_LIFETIME_MS, Recalled, RequestEntry,
    RequestKey,
};
