//! The network's records: objects and their history, executed transactions, checkpoints and
//! epochs. They are kept in memory, mostly as BCS, and appended to a log if there is a data
//! directory.

mod checkpoints;
mod ledger;
mod log;
mod objects;
mod records;
mod replica;

pub(crate) use ledger::{Ledger, LedgerError};
pub(crate) use objects::{ObjectStore, coin_balance};
pub(crate) use records::{CheckpointRecord, EpochRecord, TransactionOutputs, TransactionRecord};
