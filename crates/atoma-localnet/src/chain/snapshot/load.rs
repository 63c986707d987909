//! Reading a snapshot.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};

use sui_sdk_types::hash::Hasher;
use sui_sdk_types::{CheckpointSummary, ObjectData};

use super::format::{self, Head, MAGIC, SnapshotError, UNFINISHED_NAME};
use super::rows::{CheckpointRow, OwnedRow, Row, TransactionRow, VersionRow};

use crate::chain::archive::Archive;
use crate::chain::frames;
use crate::chain::ledger::Ledger;
use crate::chain::log::Log;
use crate::chain::objects::{Live, ObjectStore};
use crate::chain::records::{CheckpointRecord, StoredTransaction};
use crate::chain::stored::Stored;

/// Loads the snapshot in the data directory, and makes the log skip what is in it. `None` if there is
/// no snapshot.
///
/// # Errors
/// When the snapshot can't be used. The log is unchanged.
pub(in crate::chain) fn load(
    directory: &Path,
    log: &mut Log,
) -> Result<Option<Ledger>, SnapshotError> {
    // A stop in the middle of a snapshot leaves it.
    match fs::remove_file(directory.join(UNFINISHED_NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let file = match File::open(format::path(directory)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let limit = file.metadata()?.len();
    let mut rows = Rows {
        file: BufReader::new(file),
        limit,
    };
    if rows.frame()? != MAGIC {
        return Err(SnapshotError::Format);
    }
    let head: Head = bcs::from_bytes(&rows.frame()?).map_err(|_| SnapshotError::Damaged)?;
    if head.seed != log.seed() {
        return Err(SnapshotError::Seed(head.seed));
    }
    let archive = Arc::clone(log.archive());
    check_last_entry(&head, &archive)?;
    let mut ledger = Ledger {
        objects: objects(&head, &mut rows, &archive)?,
        epoch_gas: head.epoch_gas.clone(),
        next_gas_price: head.next_gas_price,
        covered: Mutex::new(head.log_length),
        ..Ledger::empty()
    };
    transactions(&head, &mut rows, &mut ledger)?;
    checkpoints(&head, &mut rows, &mut ledger)?;
    if !rows.frame()?.is_empty() || rows.file.read(&mut [0])? > 0 {
        return Err(SnapshotError::Damaged);
    }
    check_last_checkpoint(&ledger, &archive)?;
    ledger.epochs = head.epochs;
    log.skip(head.log_length, head.last);
    Ok(Some(ledger))
}

/// Checks that the log's entries up to the snapshot end with the one that the snapshot knows.
fn check_last_entry(head: &Head, archive: &Archive) -> Result<(), SnapshotError> {
    let end = head.last.offset.checked_add(u64::from(head.last.length));
    let last = archive.peek(head.last);
    let is_known = last.is_ok_and(|body| Hasher::digest(body) == head.last_digest);
    if end != Some(head.log_length) || !is_known {
        return Err(SnapshotError::OtherLog);
    }
    Ok(())
}

/// Checks that the log has the snapshot's last checkpoint.
fn check_last_checkpoint(ledger: &Ledger, archive: &Archive) -> Result<(), SnapshotError> {
    let last = ledger.checkpoints.last();
    let extent = last.and_then(|last| last.summary.extent());
    let bytes = extent.and_then(|extent| archive.peek(extent).ok());
    let summary = bytes.and_then(|bytes| bcs::from_bytes::<CheckpointSummary>(&bytes).ok());
    match (last, summary) {
        (Some(last), Some(summary)) if summary.digest() == last.digest => Ok(()),
        _ => Err(SnapshotError::OtherLog),
    }
}

fn objects(
    head: &Head,
    rows: &mut Rows,
    archive: &Arc<Archive>,
) -> Result<ObjectStore, SnapshotError> {
    let mut objects = ObjectStore {
        archive: Some(Arc::clone(archive)),
        ..ObjectStore::default()
    };
    // Sorted, so a map is built without searching.
    let live = rows.section(head.live, |row: VersionRow| {
        let place = Stored::Log(row.extent);
        let version = row.version;
        (row.id, Live { version, place })
    })?;
    objects.live = live.into_iter().collect();
    let superseded = rows.section(head.superseded, |row: VersionRow| {
        ((row.id, row.version), Stored::Log(row.extent))
    })?;
    objects.superseded = superseded.into_iter().collect();
    let mut owned = rows
        .section(number_of_owned(head)?, |row: OwnedRow| (row.rank, row.id))?
        .into_iter();
    for group in &head.groups {
        let object_type = usize::try_from(group.object_type).unwrap_or(usize::MAX);
        let tag = head.types.get(object_type).ok_or(SnapshotError::Damaged)?;
        let count = usize::try_from(group.count).map_err(|_| SnapshotError::Damaged)?;
        let ranks = owned.by_ref().take(count);
        objects.owners.add_all(group.owner, tag, ranks);
    }
    for id in &head.packages {
        let package = objects.live(id).ok_or(SnapshotError::OtherLog)?;
        if !matches!(package.data(), ObjectData::Package(_)) {
            return Err(SnapshotError::OtherLog);
        }
        objects.packages.insert(*id, package);
    }
    Ok(objects)
}

fn number_of_owned(head: &Head) -> Result<u64, SnapshotError> {
    head.groups
        .iter()
        .try_fold(0_u64, |sum, group| sum.checked_add(group.count))
        .ok_or(SnapshotError::Damaged)
}

fn transactions(head: &Head, rows: &mut Rows, ledger: &mut Ledger) -> Result<(), SnapshotError> {
    ledger.transactions =
        rows.section(head.transactions, |row: TransactionRow| StoredTransaction {
            digest: row.digest,
            place: Stored::Log(row.extent),
        })?;
    let mut by_digest = HashMap::with_capacity(ledger.transactions.len());
    for (position, transaction) in ledger.transactions.iter().enumerate() {
        by_digest.insert(transaction.digest, position);
    }
    ledger.by_digest = by_digest;
    Ok(())
}

fn checkpoints(head: &Head, rows: &mut Rows, ledger: &mut Ledger) -> Result<(), SnapshotError> {
    let found = rows.section(head.checkpoints, |row: CheckpointRow| row)?;
    for row in found {
        let first_transaction = ledger.sealed_count();
        let transactions = usize::try_from(row.transactions).ok();
        let transactions = transactions
            .filter(|count| *count <= ledger.transactions.len() - first_transaction)
            .ok_or(SnapshotError::Damaged)?;
        ledger.checkpoints.push(CheckpointRecord {
            digest: row.digest,
            summary: Stored::Log(row.extent),
            timestamp_ms: row.timestamp_ms,
            epoch: row.epoch,
            first_transaction,
            transactions,
        });
    }
    Ok(())
}

/// The frames of the file.
struct Rows {
    file: BufReader<File>,
    /// The length of the file, which bounds what is allocated.
    limit: u64,
}

impl Rows {
    fn frame(&mut self) -> Result<Vec<u8>, SnapshotError> {
        frames::read(&mut self.file)?.ok_or(SnapshotError::Damaged)
    }

    /// Reads a section of `count` rows.
    fn section<R: Row, T>(
        &mut self,
        count: u64,
        convert: impl Fn(R) -> T,
    ) -> Result<Vec<T>, SnapshotError> {
        let count = usize::try_from(count)
            .ok()
            .filter(|count| {
                usize::try_from(self.limit).is_ok_and(|limit| *count <= limit / R::BYTES)
            })
            .ok_or(SnapshotError::Damaged)?;
        let mut section = Vec::with_capacity(count);
        while section.len() < count {
            let body = self.frame()?;
            let rows = body.chunks_exact(R::BYTES);
            if body.is_empty() || !rows.remainder().is_empty() {
                return Err(SnapshotError::Damaged);
            }
            section.extend(rows.map(|mut row| convert(R::read(&mut row))));
        }
        if section.len() > count {
            return Err(SnapshotError::Damaged);
        }
        Ok(section)
    }
}
