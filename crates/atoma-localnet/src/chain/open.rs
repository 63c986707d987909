//! Opening a ledger.

use std::io;
use std::path::Path;
use std::sync::Arc;

use atoma_domain::with_causes;

use super::ledger::{Ledger, LedgerError};
use super::log::{Log, LogEntry};
use super::records::Places;
use super::snapshot;
use super::stored::Body;

impl Ledger {
    /// Opens a ledger: loads the snapshot in the data directory, if there is one that belongs to the log,
    /// and replays the log from there on.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub(crate) fn open(data_dir: Option<&Path>, seed: u64) -> Result<Self, LedgerError> {
        let Some(directory) = data_dir else {
            return Ok(Self::empty());
        };
        let mut log = Log::open(directory, seed)?;
        let mut ledger = match snapshot::load(directory, &mut log) {
            Ok(Some(ledger)) => ledger,
            Ok(None) => Self::empty(),
            Err(error) => {
                tracing::warn!(
                    error = with_causes(&error),
                    "the snapshot is not used, so the whole ledger log is read"
                );
                Self::empty()
            }
        };
        ledger.objects.archive = Some(Arc::clone(log.archive()));
        log.replay(|entry, body| ledger.replay(entry, body).map_err(io::Error::other))?;
        // A record of the snapshot that an entry needed and that can't be read.
        log.archive().check()?;
        ledger.log = Some(log);
        Ok(ledger)
    }

    fn replay(&mut self, entry: LogEntry, body: &Body) -> Result<(), LedgerError> {
        match entry {
            LogEntry::Header { .. } => Ok(()),
            LogEntry::Transaction {
                record,
                written,
                deleted,
            } => {
                let places = Places::of(body, &record, &written)?;
                self.apply(record, written, deleted, Some(places));
                Ok(())
            }
            LogEntry::Checkpoint(summary) => self.apply_checkpoint(&summary, Some(body)),
            LogEntry::NextGasPrice(price) => {
                self.next_gas_price = price;
                Ok(())
            }
        }
    }
}
