//! The ledger: objects, transactions, checkpoints and epochs.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use atoma_domain::ObjectId;
use sui_sdk_types::{
    CheckpointContents, CheckpointSummary, CheckpointTransactionInfo, Digest,
    EndOfEpochTransactionKind, GasCostSummary, Object, TransactionKind,
};

use super::log::{Log, LogEntry};
use super::objects::ObjectStore;
use super::records::{
    CheckpointRecord, EpochRecord, Places, StoredTransaction, TransactionOutputs, TransactionRecord,
};
use super::stored::Stored;
use crate::clock::GENESIS_TIMESTAMP_MS;
use crate::execution::limits::REFERENCE_GAS_PRICE;

/// The ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LedgerError {
    /// The log file failed.
    #[error("the ledger log failed")]
    Log(#[from] io::Error),
    /// A record can't be encoded or decoded.
    #[error("a ledger record is not valid BCS")]
    Bcs(#[from] bcs::Error),
}

/// The network's objects, transactions, checkpoints and epochs.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(super) objects: ObjectStore,
    /// In order of execution, which is also the order in checkpoints.
    pub(super) transactions: Vec<StoredTransaction>,
    pub(super) by_digest: HashMap<Digest, usize>,
    pub(super) checkpoints: Vec<CheckpointRecord>,
    pub(super) epochs: Vec<EpochRecord>,
    /// The gas used in the current epoch up to the last checkpoint.
    pub(super) epoch_gas: GasCostSummary,
    /// The reference gas price from the next epoch on.
    pub(super) next_gas_price: u64,
    pub(super) log: Option<Log>,
    /// The length of the log that the latest snapshot covers. Locked while one is made.
    pub(super) covered: Mutex<u64>,
}

impl Ledger {
    /// A ledger before genesis.
    pub(super) fn empty() -> Self {
        Self {
            objects: ObjectStore::default(),
            transactions: Vec::new(),
            by_digest: HashMap::new(),
            checkpoints: Vec::new(),
            epochs: vec![EpochRecord {
                epoch: 0,
                start_ms: GENESIS_TIMESTAMP_MS,
                end_ms: None,
                first_checkpoint: 0,
                last_checkpoint: None,
                reference_gas_price: REFERENCE_GAS_PRICE,
            }],
            next_gas_price: REFERENCE_GAS_PRICE,
            epoch_gas: GasCostSummary::new(0, 0, 0, 0),
            log: None,
            covered: Mutex::new(0),
        }
    }

    /// Appends an executed transaction to the log and makes its objects the live ones.
    ///
    /// # Errors
    /// When the log can't be written. Then nothing is applied.
    pub(crate) fn commit(&mut self, outputs: TransactionOutputs) -> Result<(), LedgerError> {
        let record = TransactionRecord::new(&outputs)?;
        let Some(log) = &mut self.log else {
            self.apply(record, outputs.written, outputs.deleted, None);
            return Ok(());
        };
        let entry = LogEntry::Transaction {
            record,
            written: outputs.written,
            deleted: outputs.deleted,
        };
        let body = log.encode(&entry)?;
        if let LogEntry::Transaction {
            record,
            written,
            deleted,
        } = entry
        {
            let places = Places::of(&body, &record, &written)?;
            log.append(&body)?;
            self.apply(record, written, deleted, Some(places));
        }
        Ok(())
    }

    /// Adds a transaction and its objects. With places, they are in the log there.
    pub(super) fn apply(
        &mut self,
        record: TransactionRecord,
        written: Vec<Object>,
        deleted: Vec<ObjectId>,
        places: Option<Places>,
    ) {
        for (index, object) in written.into_iter().enumerate() {
            let place = places.as_ref().and_then(|places| places.written.get(index));
            self.objects.write(object, place.copied());
        }
        for id in deleted {
            self.objects.delete(id);
        }
        let digest = record.digest;
        let place = match (places, &self.objects.archive) {
            (Some(places), Some(archive)) => {
                archive.keep_transaction(places.record, record);
                Stored::Log(places.record)
            }
            _ => Stored::Memory(Arc::new(record)),
        };
        self.by_digest.insert(digest, self.transactions.len());
        self.transactions.push(StoredTransaction { digest, place });
    }

    /// Live objects and their history.
    pub(crate) fn objects(&self) -> &ObjectStore {
        &self.objects
    }

    /// Fails if a record could not be read, so that what is missing is not called absent.
    ///
    /// # Errors
    /// Why the first such record could not be read.
    pub(crate) fn check_readable(&self) -> Result<(), LedgerError> {
        let archive = self.objects.archive.as_ref();
        Ok(archive.map_or(Ok(()), |archive| archive.check())?)
    }

    /// True before genesis.
    pub(crate) fn is_empty(&self) -> bool {
        self.checkpoints.is_empty()
    }

    /// The position of a transaction in the order of execution.
    pub(crate) fn position(&self, digest: &Digest) -> Option<usize> {
        self.by_digest.get(digest).copied()
    }

    /// The record of the transaction at a position in the order of execution.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub(crate) fn record(&self, position: usize) -> Result<Arc<TransactionRecord>, LedgerError> {
        let missing = || io::Error::other(format!("there is no transaction {position}"));
        let transaction = self.transactions.get(position).ok_or_else(missing)?;
        match &transaction.place {
            Stored::Memory(record) => Ok(Arc::clone(record)),
            Stored::Log(extent) => {
                let archive = self.objects.archive.as_ref().ok_or_else(missing)?;
                Ok(archive.transaction(*extent)?)
            }
        }
    }

    /// The records of the transactions at these positions.
    fn records(
        &self,
        positions: Range<usize>,
    ) -> impl Iterator<Item = Result<Arc<TransactionRecord>, LedgerError>> {
        positions.map(|position| self.record(position))
    }

    /// A checkpoint's summary.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn summary(
        &self,
        checkpoint: &CheckpointRecord,
    ) -> Result<CheckpointSummary, LedgerError> {
        match (&checkpoint.summary, &self.objects.archive) {
            (Stored::Memory(bytes), _) => Ok(bcs::from_bytes(bytes)?),
            (Stored::Log(extent), Some(archive)) => Ok(bcs::from_bytes(&archive.bytes(*extent)?)?),
            (Stored::Log(_), None) => Err(io::Error::other("the ledger log is closed").into()),
        }
    }

    /// The checkpoint that contains the transaction at `position`, and the transaction's index in
    /// it.
    pub(crate) fn checkpoint_of(&self, position: usize) -> Option<(u64, usize)> {
        let after = self
            .checkpoints
            .partition_point(|checkpoint| checkpoint.first_transaction <= position);
        let (sequence, checkpoint) = self
            .checkpoints
            .get(..after)?
            .iter()
            .enumerate()
            .rev()
            .find(|(_, checkpoint)| checkpoint.transactions > 0)?;
        let index = position.checked_sub(checkpoint.first_transaction)?;
        if index >= checkpoint.transactions {
            return None;
        }
        Some((u64::try_from(sequence).ok()?, index))
    }

    /// A checkpoint by its sequence number.
    pub(crate) fn checkpoint(&self, sequence: u64) -> Option<&CheckpointRecord> {
        self.checkpoints.get(usize::try_from(sequence).ok()?)
    }

    /// The sequence number of the latest checkpoint.
    pub(crate) fn height(&self) -> u64 {
        u64::try_from(self.checkpoints.len())
            .unwrap_or(u64::MAX)
            .saturating_sub(1)
    }

    /// All checkpoints with their sequence numbers, the latest first.
    pub(crate) fn checkpoints_backwards(&self) -> impl Iterator<Item = (u64, &CheckpointRecord)> {
        (0..=self.height())
            .rev()
            .filter_map(|sequence| Some((sequence, self.checkpoint(sequence)?)))
    }

    /// The number of transactions in checkpoints.
    pub(super) fn sealed_count(&self) -> usize {
        self.checkpoints
            .last()
            .map_or(0, |last| last.first_transaction + last.transactions)
    }

    /// The number of transactions that are not in a checkpoint yet.
    pub(crate) fn pending_count(&self) -> usize {
        self.transactions.len().saturating_sub(self.sealed_count())
    }

    /// When the epoch ended, in milliseconds, if the transaction that ends it is not in a checkpoint yet.
    ///
    /// # Errors
    /// When the record can't be read.
    pub(crate) fn unsealed_end_of_epoch(&self) -> Result<Option<u64>, LedgerError> {
        let Some(record) = self.pending().last().transpose()? else {
            return Ok(None);
        };
        let TransactionKind::EndOfEpoch(kinds) = record.signed()?.transaction.kind else {
            return Ok(None);
        };
        Ok(kinds.iter().find_map(|kind| match kind {
            EndOfEpochTransactionKind::ChangeEpoch(change) => Some(change.epoch_start_timestamp_ms),
            _ => None,
        }))
    }

    /// The transactions that are not in a checkpoint yet.
    pub(super) fn pending(
        &self,
    ) -> impl Iterator<Item = Result<Arc<TransactionRecord>, LedgerError>> {
        self.records(self.sealed_count()..self.transactions.len())
    }

    /// The checkpoint contents for the given transactions.
    ///
    /// # Errors
    /// When a record can't be read or decoded.
    pub(crate) fn contents_of(
        records: impl Iterator<Item = Result<Arc<TransactionRecord>, LedgerError>>,
    ) -> Result<CheckpointContents, LedgerError> {
        let mut infos = Vec::new();
        for record in records {
            let record = record?;
            let signed = record.signed()?;
            infos.push(CheckpointTransactionInfo::new(
                record.digest,
                record.effects()?.digest(),
                signed.signatures,
            ));
        }
        Ok(CheckpointContents::new_v1(infos))
    }

    /// The transactions of a checkpoint.
    pub(crate) fn transactions_of(
        &self,
        checkpoint: &CheckpointRecord,
    ) -> impl Iterator<Item = Result<Arc<TransactionRecord>, LedgerError>> {
        let first = checkpoint.first_transaction;
        self.records(first..first + checkpoint.transactions)
    }

    /// The current epoch.
    pub(crate) fn epoch(&self) -> EpochRecord {
        self.epochs.last().copied().unwrap_or(EpochRecord {
            epoch: 0,
            start_ms: GENESIS_TIMESTAMP_MS,
            end_ms: None,
            first_checkpoint: 0,
            last_checkpoint: None,
            reference_gas_price: REFERENCE_GAS_PRICE,
        })
    }

    /// An epoch by its number.
    pub(crate) fn epoch_at(&self, epoch: u64) -> Option<EpochRecord> {
        self.epochs.get(usize::try_from(epoch).ok()?).copied()
    }

    /// The digest of the genesis checkpoint, which identifies the chain.
    pub(crate) fn chain_id(&self) -> Digest {
        self.checkpoints
            .first()
            .map_or(Digest::ZERO, |genesis| genesis.digest)
    }
}
