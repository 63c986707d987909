//! Taking over the records of served work of the earlier Atoma node.
//!
//! The earlier node keeps one row for each stack in its table `stacks`, in SQLite at first and later in PostgreSQL. Its
//! `total_hash` is the concatenation of the hashes of the messages, 32 bytes each and in order. Each of them is what
//! [`record_message`](atoma_domain::ports::ServedWork::record_message) takes as the hash of a message, and the Merkle
//! tree over them is the contract's; decision 22 says where the earlier node's numbers differ from ours.
//!
//! - `source.rs`: which database; `sqlite.rs`, `postgres.rs`: reading it, without changing it.
//! - `row.rs`: a row as it is stored; `work.rs`: the work that it says was done; `records.rs`: those of all stacks.
//! - `judge.rs`: what can be taken, by the mirror and the records that are here; taking it.
//! - `refusal.rs`: why a stack is not taken; `error.rs`: why nothing can be read.

mod error;
mod judge;
mod postgres;
mod records;
mod refusal;
mod row;
mod source;
mod sqlite;
mod work;

pub use error::ImportError;
pub use judge::{JudgedStack, TakenWork, judge, take};
pub use records::EarlierRecords;
pub use refusal::NotTaken;
pub use source::{EarlierDatabase, UnusableSource};
