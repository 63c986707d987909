//! The state manager of the Atoma node daemon on SQLite.
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use atoma_domain::ports::{Page, StateReader as _};
//! use atoma_state::{SqliteState, StateOptions};
//!
//! let state = SqliteState::open("data/atoma.sqlite", StateOptions::default()).await?;
//! for task in state.tasks(Page::first(100)).await? {
//!     println!("task {}: {:?}", task.task_small_id, task.model_name);
//! }
//! state.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`SqliteState`] implements the database ports: reading the mirrored state
//! ([`StateReader`](atoma_domain::ports::StateReader)), recording served work
//! ([`ServedWork`](atoma_domain::ports::ServedWork)), applying chain events
//! ([`ChainEvents`](atoma_domain::ports::ChainEvents)), the transaction journal
//! ([`Journal`](atoma_domain::ports::Journal)), alarms ([`AlarmStore`](atoma_domain::ports::AlarmStore)) and sums for
//! metrics ([`Figures`](atoma_domain::ports::Figures)).
//!
//! Invariants:
//!
//! - A method is one database transaction. It is on disk (`synchronous=FULL`) when the method returns;
//!   a method that fails has changed nothing. Calls that write served work share a transaction with those that
//!   wait, and each is as if it had one of its own.
//! - Events and the cursor that they advance are committed together. Events that were applied before
//!   are skipped.
//! - The journal's state machine is the domain's; the transitions here follow it. The schema's triggers
//!   only refuse: no program can bring an intent into a state that the domain doesn't allow.
//! - A 64-bit number is stored as 8 bytes, most significant first: it never wraps, and lists sort by it.
//!   Only the module `columns` converts; its documentation says why.
//!
//! [`backup`] copies a database and puts copies back, and [`import`] takes over the records of the earlier Atoma node.
//!
//! The schema is in `migrations/sqlite`, is built in, and documents each table. A released migration is
//! never edited: a change is a new file. A column that lists filter by needs an index. To handle a new
//! contract event, see `events/effects.rs`.

mod alarms;
mod autopilot;
pub mod backup;
mod batch;
mod books;
mod claimed_sums;
mod columns;
mod data_dir;
mod due_attestations;
mod error;
mod events;
mod figures;
mod files;
pub mod import;
mod journal;
mod key_clock;
mod open_error;
mod owned;
mod packed;
mod probe;
mod reader;
mod reconciliation;
mod rows;
mod schema;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod work;

pub use data_dir::{DataDirError, DataDirLock, database_file};
pub use files::create_private_folder;
pub use open_error::OpenError;
pub use owned::{OwnError, OwnedState};
pub use store::{Access, SqliteState, StateOptions};
