//! The transaction journal: what was asked of the chain, what was sent for it, what came of it.
//!
//! There are two levels. An [`Intent`] is one thing asked for, one node and one stack (or task, or
//! model) at a time: it is what must not happen twice. An [`Attempt`] is one signed transaction; it
//! carries one intent or a batch of them: it is what can be sent again and again. An intent has many
//! attempts, one after the other, and at most one that may still execute.
//!
//! ```text
//!  intents         open
//!                   │
//!                   ▼         attempt recorded
//!      ┌───────► Queued ───────────────────────────► Submitted
//!      │            │                                    │
//!      │            │ refused before signing,            │
//!      │            │ given up                           │
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
//!      │         Aborted ────────┤◄───────────│──────────┤
//!      │         Refused ────────┘            │          │
//!  attempts                               Succeeded ◄────┘
//! ```
//!
//! *Before sending.* Nothing is sent that isn't in the journal, durably. Recording an attempt is one
//! step of both levels: it is `Signed`, and all its intents, which must be `Queued`, become
//! `Submitted`.
//!
//! *Afterwards.* An attempt is concluded once ([`AttemptStatus::can_become`]), by what the ledger
//! shows or proves, and its intents take the step that its [outcome](AttemptOutcome::intent_status)
//! says in the same moment. An intent moves as [`IntentStatus::can_become`] says, and never stands
//! where its latest attempt does not [allow](AttemptStatus::allows):
//!
//! | latest attempt | its intents | another attempt |
//! |---|---|---|
//! | none | `Queued`, `Failed` | if `Queued` |
//! | `Signed` | `Submitted` | never: it may execute |
//! | `Succeeded` | `Succeeded` | never |
//! | `Aborted` | `Failed`; of a batch `Queued`, then as they go on | if `Queued` |
//! | `Cancelled`, `Dead` | `Queued`, then as they go on | if `Queued` |
//! | `Refused` | `Failed` | never |
//!
//! *Sign once.* While an intent is unfinished, and for actions that can't be done twice also
//! [after its success](Action::succeeds_only_once), its [key](Action::key) is taken; another intent with
//! that key joins it or is refused. No two signed attempts use the same version of a badge or a coin:
//! validators could accept one each, and then neither.
//!
//! A store refuses whatever does not follow these rules. The database does so by itself: whatever
//! else writes to it, and whatever the code forgets, it takes no second signature.

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
