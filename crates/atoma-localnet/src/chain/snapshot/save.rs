//! Writing a snapshot.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::PoisonError;

use sui_sdk_types::hash::Hasher;

use super::format::{self, Group, Head, MAGIC, UNFINISHED_NAME};
use super::rows::{CheckpointRow, OwnedRow, Row, TransactionRow, VersionRow};

use crate::chain::frames;
use crate::chain::ledger::{Ledger, LedgerError};
use crate::chain::log::Log;
use crate::chain::stored::{Extent, Stored};

/// Rows are written in frames of this many.
const ROWS_PER_FRAME: usize = 8_192;
/// The bytes of the log that are read at a start without more ado.
const QUICK_BYTES: u64 = 1024 * 1024;

/// A snapshot that was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saved {
    /// The latest checkpoint in it.
    pub(crate) checkpoint: u64,
    /// The size of its file.
    pub(crate) bytes: u64,
}

impl Ledger {
    /// Makes a snapshot in the data directory. Nothing can be executed meanwhile.
    ///
    /// # Errors
    /// When the ledger has no data directory, or the file can't be written. Then an earlier snapshot stays
    /// in place.
    pub(crate) fn save(&self, directory: &Path) -> Result<Saved, LedgerError> {
        let no_log = || io::Error::other("a snapshot needs a data directory");
        let log = self.log.as_ref().ok_or_else(no_log)?;
        // What could not be read may be missing in memory, and must not become the truth.
        log.archive().check()?;
        let mut covered = self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        // The snapshot must not outlive a part of the log that it refers to.
        log.sync()?;
        let unfinished = directory.join(UNFINISHED_NAME);
        let mut file = BufWriter::new(File::create(&unfinished)?);
        self.write(log, &mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        drop(file);
        fs::rename(&unfinished, format::path(directory))?;
        #[cfg(unix)]
        File::open(directory)?.sync_all()?;
        *covered = log.length();
        Ok(Saved {
            checkpoint: self.height(),
            bytes,
        })
    }

    /// Whether a start would have to read so much of the log that a snapshot is worth its while.
    pub(crate) fn is_snapshot_due(&self) -> bool {
        let covered = *self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        self.log
            .as_ref()
            .is_some_and(|log| log.length().saturating_sub(covered) > QUICK_BYTES)
    }

    fn write(&self, log: &Log, file: &mut impl Write) -> Result<(), LedgerError> {
        frames::write(file, MAGIC)?;
        frames::write(file, &bcs::to_bytes(&self.head(log)?)?)?;
        let objects = &self.objects;
        let live = objects.live.iter().map(|(id, live)| {
            Ok(VersionRow {
                id: *id,
                version: live.version,
                extent: in_log(&live.place)?,
            })
        });
        write_rows(file, live)?;
        let superseded = objects.superseded.iter().map(|((id, version), place)| {
            Ok(VersionRow {
                id: *id,
                version: *version,
                extent: in_log(place)?,
            })
        });
        write_rows(file, superseded)?;
        // In the order of the head's groups.
        let owned = objects.owners.all().flat_map(|(_, kinds)| kinds.values());
        let owned = owned.flatten().map(|(rank, id)| {
            Ok(OwnedRow {
                rank: *rank,
                id: *id,
            })
        });
        write_rows(file, owned)?;
        let transactions = self.transactions.iter().map(|transaction| {
            Ok(TransactionRow {
                digest: transaction.digest,
                extent: in_log(&transaction.place)?,
            })
        });
        write_rows(file, transactions)?;
        let checkpoints = self.checkpoints.iter().map(|checkpoint| {
            Ok(CheckpointRow {
                digest: checkpoint.digest,
                extent: in_log(&checkpoint.summary)?,
                timestamp_ms: checkpoint.timestamp_ms,
                epoch: checkpoint.epoch,
                transactions: number(checkpoint.transactions)?,
            })
        });
        write_rows(file, checkpoints)?;
        frames::write(file, &[])?;
        Ok(())
    }

    fn head(&self, log: &Log) -> Result<Head, LedgerError> {
        let last = log.last();
        let last_digest = Hasher::digest(log.archive().bytes(last)?);
        let mut types = Vec::new();
        let mut indices = HashMap::new();
        let mut groups = Vec::new();
        for (owner, kinds) in self.objects.owners.all() {
            for (kind, ranks) in kinds {
                let object_type = *indices.entry(&kind.tag).or_insert_with(|| {
                    types.push(kind.tag.clone());
                    types.len() - 1
                });
                groups.push(Group {
                    owner: *owner,
                    object_type: u32::try_from(object_type).map_err(io::Error::other)?,
                    count: number(ranks.len())?,
                });
            }
        }
        Ok(Head {
            seed: log.seed(),
            log_length: log.length(),
            last,
            last_digest,
            epochs: self.epochs.clone(),
            epoch_gas: self.epoch_gas.clone(),
            next_gas_price: self.next_gas_price,
            packages: self.objects.packages.keys().copied().collect(),
            types,
            groups,
            live: number(self.objects.live.len())?,
            superseded: number(self.objects.superseded.len())?,
            transactions: number(self.transactions.len())?,
            checkpoints: number(self.checkpoints.len())?,
        })
    }
}

fn write_rows<R: Row>(
    file: &mut impl Write,
    rows: impl Iterator<Item = io::Result<R>>,
) -> io::Result<()> {
    let full = ROWS_PER_FRAME * R::BYTES;
    let mut body = Vec::with_capacity(full);
    for row in rows {
        row?.write(&mut body);
        if body.len() >= full {
            frames::write(file, &body)?;
            body.clear();
        }
    }
    if !body.is_empty() {
        frames::write(file, &body)?;
    }
    Ok(())
}

fn in_log<T>(place: &Stored<T>) -> io::Result<Extent> {
    let missing = || io::Error::other("a record is not in the ledger log");
    place.extent().ok_or_else(missing)
}

fn number(count: usize) -> io::Result<u64> {
    u64::try_from(count).map_err(io::Error::other)
}
