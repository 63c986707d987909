//! The network's records: objects and their history, executed transactions, checkpoints and
//! epochs.
//!
//! Without a data directory they are all in memory. With one they are appended to a log and
//! read from it when they are needed; in memory are their places in it, and in [snapshots](snapshot)
//! too.

mod archive;
mod checkpoints;
mod coins;
mod frames;
mod ledger;
mod log;
mod objects;
mod open;
mod owners;
mod records;
mod replica;
mod snapshot;
mod stored;

pub(crate) use coins::coin_balance;
pub(crate) use ledger::{Ledger, LedgerError};
pub(crate) use objects::ObjectStore;
pub(crate) use records::{CheckpointRecord, EpochRecord, TransactionOutputs, TransactionRecord};
pub(crate) use snapshot::Saved;
