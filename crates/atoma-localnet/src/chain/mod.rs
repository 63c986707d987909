//! What the network remembers: objects and their history, executed transactions, checkpoints and
//! epochs, kept as BCS in memory and appended to a log when a data directory is given.

mod checkpoints;
mod ledger;
mod log;
mod objects;
mod records;

pub(crate) use ledger::{ChainError, Ledger};
pub(crate) use objects::{ObjectStore, coin_balance};
pub(crate) use records::{CheckpointRecord, EpochRecord, Executed, TransactionRecord};
