//! The state manager of the Atoma node daemon on SQLite.
//!
//! [`SqliteState`] implements the four ports of the database: reading the mirrored state
//! ([`StateReader`](atoma_domain::ports::StateReader)), recording served work
//! ([`ServedWork`](atoma_domain::ports::ServedWork)), applying chain events
//! ([`ChainEvents`](atoma_domain::ports::ChainEvents)) and the transaction journal
//! ([`Journal`](atoma_domain::ports::Journal)).
//!
//! Invariants:
//!
//! - A method is one database transaction, on disk (`synchronous=FULL`) when it returns; one that
//!   fails has changed nothing.
//! - Events and the cursor that they advance are committed together; what was applied is skipped.
//! - The journal's state machine stands in the schema too, as triggers: no program can bring an
//!   intent where the domain doesn't allow it.
//! - A 64-bit number is 8 bytes, most significant first: it never wraps, and lists sort by it. The
//!   module `columns` is the only one that converts, and says why.
//!
//! Migrations stand in `migrations/sqlite`, are built in and append-only. To add a column that
//! lists filter by, add an index too. To handle a new contract event, see `events/effects.rs`.

mod batch;
mod columns;
mod events;
mod journal;
mod reader;
mod rows;
mod schema;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod work;

pub use schema::OpenError;
pub use store::{SqliteState, StateOptions};
