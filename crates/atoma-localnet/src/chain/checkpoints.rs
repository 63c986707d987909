//! Making checkpoints and ending epochs.

use std::sync::Arc;

use sui_sdk_types::{
    Bls12381PublicKey, CheckpointSummary, EndOfEpochData, GasCostSummary, ValidatorCommitteeMember,
};

use super::ledger::{Ledger, LedgerError};
use super::log::LogEntry;
use super::records::{CheckpointRecord, EpochRecord};
use super::stored::{Body, Stored};
use crate::execution::limits::PROTOCOL_VERSION;

impl Ledger {
    /// Sets the reference gas price from the next epoch on, in MIST per computation unit.
    ///
    /// # Errors
    /// When the log can't be written. Then nothing changes.
    pub(crate) fn set_next_gas_price(&mut self, price: u64) -> Result<(), LedgerError> {
        if let Some(log) = &mut self.log {
            let body = log.encode(&LogEntry::NextGasPrice(price))?;
            log.append(&body)?;
        }
        self.next_gas_price = price;
        Ok(())
    }

    /// Makes a checkpoint of all pending transactions and returns its sequence number.
    ///
    /// With `end_of_epoch` the checkpoint is the last of its epoch, and the next epoch begins.
    ///
    /// # Errors
    /// When the log can't be written. Then nothing changes.
    pub(crate) fn seal(&mut self, now_ms: u64, end_of_epoch: bool) -> Result<u64, LedgerError> {
        let content_digest = Self::contents_of(self.pending())?.digest();
        let pending = self.pending_count();
        let last = self.checkpoints.last();
        let before = last.map(|last| self.summary(last)).transpose()?;
        let total = before
            .as_ref()
            .map_or(0, |summary| summary.network_total_transactions);
        let summary = CheckpointSummary {
            epoch: self.epoch().epoch,
            sequence_number: before
                .as_ref()
                .map_or(0, |summary| summary.sequence_number + 1),
            network_total_transactions: total + u64::try_from(pending).unwrap_or(u64::MAX),
            content_digest,
            previous_digest: last.map(|checkpoint| checkpoint.digest),
            epoch_rolling_gas_cost_summary: self.rolling_gas()?,
            timestamp_ms: self.next_timestamp_ms(now_ms),
            checkpoint_commitments: Vec::new(),
            end_of_epoch_data: end_of_epoch.then(|| EndOfEpochData {
                // One validator has all the stake; nothing is signed with its key.
                next_epoch_committee: vec![ValidatorCommitteeMember {
                    public_key: Bls12381PublicKey::new([0; 96]),
                    stake: 10_000,
                }],
                next_epoch_protocol_version: PROTOCOL_VERSION,
                epoch_commitments: Vec::new(),
            }),
            version_specific_data: Vec::new(),
        };
        let mut body = None;
        if let Some(log) = &mut self.log {
            let appended = log.encode(&LogEntry::Checkpoint(summary.clone()))?;
            log.append(&appended)?;
            body = Some(appended);
        }
        let sequence = summary.sequence_number;
        self.apply_checkpoint(&summary, body.as_ref())?;
        Ok(sequence)
    }

    /// The gas used in the current epoch, with the pending transactions.
    ///
    /// # Errors
    /// When a record can't be decoded.
    pub(crate) fn rolling_gas(&self) -> Result<GasCostSummary, LedgerError> {
        let mut gas = self.epoch_gas.clone();
        for record in self.pending() {
            add_gas(&mut gas, record?.effects()?.gas_summary());
        }
        Ok(gas)
    }

    /// The timestamp of a checkpoint that is made now: timestamps never fall.
    pub(crate) fn next_timestamp_ms(&self, now_ms: u64) -> u64 {
        let last = self.checkpoints.last();
        last.map_or(now_ms, |checkpoint| checkpoint.timestamp_ms.max(now_ms))
    }

    /// Sets the beginning of epoch 0, which is that of the network: genesis has a fixed time.
    pub(crate) fn begin(&mut self, now_ms: u64) {
        if let Some(first) = self.epochs.first_mut() {
            first.start_ms = now_ms;
        }
    }

    /// Adds a checkpoint. With a body, it is in the log there.
    pub(super) fn apply_checkpoint(
        &mut self,
        summary: &CheckpointSummary,
        body: Option<&Body>,
    ) -> Result<(), LedgerError> {
        let first_transaction = self.sealed_count();
        // The summary follows the variant of the enum.
        let summary_in_log = body.and_then(|body| body.part(1..body.bytes.len()));
        self.checkpoints.push(CheckpointRecord {
            digest: summary.digest(),
            summary: match summary_in_log {
                Some(extent) => Stored::Log(extent),
                None => Stored::Memory(Arc::new(bcs::to_bytes(summary)?)),
            },
            timestamp_ms: summary.timestamp_ms,
            epoch: summary.epoch,
            first_transaction,
            transactions: self.transactions.len() - first_transaction,
        });
        self.epoch_gas = summary.epoch_rolling_gas_cost_summary.clone();
        // So that epoch 0 begins at the same time after a restart.
        if summary.sequence_number == 1 {
            self.begin(summary.timestamp_ms);
        }
        if summary.end_of_epoch_data.is_some() {
            if let Some(current) = self.epochs.last_mut() {
                current.end_ms = Some(summary.timestamp_ms);
                current.last_checkpoint = Some(summary.sequence_number);
            }
            self.epochs.push(EpochRecord {
                epoch: summary.epoch + 1,
                start_ms: summary.timestamp_ms,
                end_ms: None,
                first_checkpoint: summary.sequence_number + 1,
                last_checkpoint: None,
                reference_gas_price: self.next_gas_price,
            });
            self.epoch_gas = GasCostSummary::new(0, 0, 0, 0);
        }
        Ok(())
    }
}

fn add_gas(sum: &mut GasCostSummary, gas: &GasCostSummary) {
    sum.computation_cost += gas.computation_cost;
    sum.storage_cost += gas.storage_cost;
    sum.storage_rebate += gas.storage_rebate;
    sum.non_refundable_storage_fee += gas.non_refundable_storage_fee;
}
