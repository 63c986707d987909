//! The transaction journal: the actions requested, the transactions sent for them, and the outcomes.
//!
//! There are two levels. An [`Intent`] is one action of one node about one stack, task or model: it
//! must not happen twice. An [`Attempt`] is one signed transaction for one intent or a batch of them:
//! it can be sent again and again. An intent has many attempts, one after the other, and at most one
//! that may still execute.
//!
//! ```text
//!  intents         open
//!                   │
//!                   ▼         attempt recorded
//!      ┌───────► Queued ───────────────────────────► Submitted
//!      │            │                                    │
//!      │            │ refused before signing,            │
//!      │            │ abandoned                          │
//!      │            ▼                                    │
//!      │         Failed ◄────────┐        Succeeded      │
//!      │                         │            ▲          │
//!  ┄┄┄┄│┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│┄┄┄┄┄┄┄┄┄┄┄┄│┄┄┄┄┄┄┄┄┄┄│┄┄┄
//!      │                         │            │          ▼
//!      │                         │            │        Signed
//!      │                         │            │          │  concluded
//!      │                         │            │          │
//!      ├─ Dead: proved never to execute ◄─────│──────────┤
//!      ├─ Cancelled: congestion, out of gas ◄─│──────────┤
//!      ├─ Aborted, as a batch ◄───────────────│──────────┤
//!      │                         │            │          │
//!      │         Aborted ────────┘◄───────────│──────────┤
//!  attempts                               Succeeded ◄────┘
//! ```
//!
//! *Before sending.* Only what is durably in the journal is sent. Recording an attempt is one step of
//! both levels: the attempt becomes `Signed`, and all its intents, which must be `Queued`, become
//! `Submitted`.
//!
//! *Afterwards.* An attempt is concluded once ([`AttemptStatus::can_become`]), by what the ledger
//! shows or proves. In the same step its intents move as its
//! [outcome](AttemptOutcome::intent_status) says. An intent moves as [`IntentStatus::can_become`] says,
//! and its status is always one that its latest attempt [allows](AttemptStatus::allows):
//!
//! | latest attempt | its intents | another attempt |
//! |---|---|---|
//! | none | `Queued`, `Failed` | if `Queued` |
//! | `Signed` | `Submitted` | never: it may execute |
//! | `Succeeded` | `Succeeded` | never |
//! | `Aborted` | `Failed`; of a batch `Queued`, then as their next attempt goes | if `Queued` |
//! | `Cancelled`, `Dead` | `Queued`, then as their next attempt goes | if `Queued` |
//!
//! *Sign once.* While an intent is unfinished, it holds its [key](Action::key); an action that
//! [succeeds only once](Action::succeeds_only_once) keeps the key after success too. Another intent
//! with the same key joins it or is refused. No two signed attempts use the same version of a badge or
//! a coin: some validators could accept the one and some the other, and then neither would execute.
//!
//! A store refuses every step that breaks these rules. The database enforces them by itself: it takes
//! no second signature, also from other software or after a bug in this one.

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
