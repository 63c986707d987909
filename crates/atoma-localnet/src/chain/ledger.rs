//! The ledger: objects, transactions, checkpoints and epochs.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use atoma_domain::ObjectId;
use sui_sdk_types::{
    CheckpointContents, CheckpointTransactionInfo, Digest, GasCostSummary, Object,
};

use super::log::{Log, LogEntry};
use super::objects::ObjectStore;
use super::records::{CheckpointRecord, EpochRecord, TransactionOutputs, TransactionRecord};
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
    pub(super) transactions: Vec<TransactionRecord>,
    pub(super) by_digest: HashMap<Digest, usize>,
    pub(super) checkpoints: Vec<CheckpointRecord>,
    pub(super) epochs: Vec<EpochRecord>,
    /// The gas used in the current epoch up to the last checkpoint.
    pub(super) epoch_gas: GasCostSummary,
    /// The reference gas price from the next epoch on.
    pub(super) next_gas_price: u64,
    pub(super) log: Option<Log>,
}

impl Ledger {
    /// Opens a ledger and replays the log in the data directory.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub(crate) fn open(data_dir: Option<&Path>, seed: u64) -> Result<Self, LedgerError> {
        let mut ledger = Self {
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
        };
        if let Some(directory) = data_dir {
            let (log, _) = Log::open(directory, seed, |entry| {
                ledger.replay(entry).map_err(io::Error::other)
            })?;
            ledger.log = Some(log);
        }
        Ok(ledger)
    }

    fn replay(&mut self, entry: LogEntry) -> Result<(), LedgerError> {
        match entry {
            LogEntry::Header { .. } => Ok(()),
            LogEntry::Transaction {
                record,
                written,
                deleted,
            } => {
                self.apply(record, written, deleted);
                Ok(())
            }
            LogEntry::Checkpoint(summary) => self.apply_checkpoint(&summary),
            LogEntry::NextGasPrice(price) => {
                self.next_gas_price = price;
                Ok(())
            }
        }
    }

    /// Appends an executed transaction to the log and makes its objects the live ones.
    ///
    /// # Errors
    /// When the log can't be written. Then nothing is applied.
    pub(crate) fn commit(&mut self, outputs: TransactionOutputs) -> Result<(), LedgerError> {
        let record = TransactionRecord::new(&outputs)?;
        if let Some(log) = &mut self.log {
            let entry = LogEntry::Transaction {
                record,
                written: outputs.written,
                deleted: outputs.deleted,
            };
            log.append(&entry)?;
            if let LogEntry::Transaction {
                record,
                written,
                deleted,
            } = entry
            {
                self.apply(record, written, deleted);
            }
        } else {
            self.apply(record, outputs.written, outputs.deleted);
        }
        Ok(())
    }

    fn apply(&mut self, record: TransactionRecord, written: Vec<Object>, deleted: Vec<ObjectId>) {
        for object in written {
            self.objects.write(object);
        }
        for id in deleted {
            self.objects.delete(id);
        }
        self.by_digest
            .insert(record.digest, self.transactions.len());
        self.transactions.push(record);
    }

    /// Live objects and their history.
    pub(crate) fn objects(&self) -> &ObjectStore {
        &self.objects
    }

    /// True before genesis.
    pub(crate) fn is_empty(&self) -> bool {
        self.checkpoints.is_empty()
    }

    /// A transaction by its digest, and its position in the order of execution.
    pub(crate) fn transaction(&self, digest: &Digest) -> Option<(usize, &TransactionRecord)> {
        let position = *self.by_digest.get(digest)?;
        Some((position, self.transactions.get(position)?))
    }

    /// A transaction by its position in the order of execution.
    pub(crate) fn transaction_at(&self, position: usize) -> Option<&TransactionRecord> {
        self.transactions.get(position)
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

    /// The transactions that are not in a checkpoint yet.
    pub(crate) fn pending(&self) -> &[TransactionRecord] {
        let from = self
            .checkpoints
            .last()
            .map_or(0, |last| last.first_transaction + last.transactions);
        self.transactions.get(from..).unwrap_or_default()
    }

    /// The checkpoint contents for the given transactions.
    ///
    /// # Errors
    /// When a record can't be decoded.
    pub(crate) fn contents_of(
        records: &[TransactionRecord],
    ) -> Result<CheckpointContents, LedgerError> {
        let mut infos = Vec::with_capacity(records.len());
        for record in records {
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
    pub(crate) fn transactions_of(&self, checkpoint: &CheckpointRecord) -> &[TransactionRecord] {
        let first = checkpoint.first_transaction;
        self.transactions
            .get(first..first + checkpoint.transactions)
            .unwrap_or_default()
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
