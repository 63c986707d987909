//! The ledger of a node that has not executed the latest checkpoints yet.

use sui_sdk_types::{GasCostSummary, TransactionEffects};

use super::ledger::{Ledger, LedgerError};
use super::records::CheckpointRecord;

impl Ledger {
    /// A copy of the ledger as it was at a checkpoint, without a log.
    ///
    /// # Errors
    /// When a record can't be decoded.
    pub(crate) fn rewound(&self, height: u64) -> Result<Self, LedgerError> {
        let kept = usize::try_from(height)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let checkpoints: Vec<CheckpointRecord> =
            self.checkpoints.iter().take(kept).cloned().collect();
        let executed = checkpoints
            .last()
            .map_or(0, |last| last.first_transaction + last.transactions);
        let executed = executed.min(self.transactions.len());
        let mut objects = self.objects.clone();
        for position in (executed..self.transactions.len()).rev() {
            let record = self.record(position)?;
            let TransactionEffects::V2(effects) = record.effects()? else {
                continue;
            };
            for change in &effects.changed_objects {
                objects.undo(change);
            }
        }
        let mut epochs: Vec<_> = self
            .epochs
            .iter()
            .copied()
            .filter(|epoch| epoch.first_checkpoint <= height.saturating_add(1))
            .collect();
        if let Some(last) = epochs.last_mut()
            && last.last_checkpoint.is_some_and(|last| last > height)
        {
            last.last_checkpoint = None;
            last.end_ms = None;
        }
        Ok(Self {
            objects,
            by_digest: (0_usize..)
                .zip(self.transactions.iter().take(executed))
                .map(|(position, record)| (record.digest, position))
                .collect(),
            transactions: self.transactions.iter().take(executed).cloned().collect(),
            checkpoints,
            epochs,
            epoch_gas: GasCostSummary::new(0, 0, 0, 0),
            next_gas_price: self.next_gas_price,
            ..Self::empty()
        })
    }
}
