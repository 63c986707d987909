//! How far the mirror is.

use atoma_domain::ports::{
    EventCursor, LedgerFrame, LedgerPosition, LedgerTransaction, Progress, StoreError,
};
use atoma_domain::{CheckpointNumber, Epoch};
use bytes::Bytes;
use sqlx::SqliteConnection;

use crate::columns::{Cells, hex, json, number, optional_number};
use crate::error::statement_failed;

pub(crate) async fn read(connection: &mut SqliteConnection) -> Result<Progress, StoreError> {
    let row =
        sqlx::query("SELECT *, (SELECT count(*) FROM events_set_aside) AS set_aside FROM ledger")
            .fetch_one(connection)
            .await
            .map_err(statement_failed)?;
    let cells = Cells::new(&row, "ledger", "id");
    let checkpoint = cells.optional_number("position_checkpoint")?;
    let position = checkpoint
        .map(|checkpoint| {
            Ok::<_, StoreError>(LedgerPosition {
                checkpoint: CheckpointNumber::new(checkpoint),
                index: cells.number("position_index")?,
            })
        })
        .transpose()?;
    Ok(Progress {
        cursor: cells
            .optional_bytes("cursor")?
            .map(|bytes| EventCursor(Bytes::from(bytes))),
        position,
        covered: cells.optional_number("covered")?.map(CheckpointNumber::new),
        epoch: cells.optional_number("epoch")?.map(Epoch::new),
        contract_version: cells.optional_number("contract_version")?,
        set_aside: cells.row_number("set_aside")?,
    })
}

pub(crate) async fn write(
    connection: &mut SqliteConnection,
    progress: &Progress,
) -> Result<(), StoreError> {
    let position = progress.position;
    sqlx::query(
        "UPDATE ledger SET cursor = $1, position_checkpoint = $2, position_index = $3, \
         covered = $4, epoch = $5, contract_version = $6",
    )
    .bind(progress.cursor.as_ref().map(|cursor| cursor.0.to_vec()))
    .bind(optional_number(position.map(|p| p.checkpoint.get())))
    .bind(optional_number(position.map(|p| p.index)))
    .bind(optional_number(progress.covered.map(CheckpointNumber::get)))
    .bind(optional_number(progress.epoch.map(Epoch::get)))
    .bind(optional_number(progress.contract_version))
    .execute(connection)
    .await
    .map_err(statement_failed)?;
    Ok(())
}

/// Whether a transaction was applied before: by its place in the ledger, or because it is part of the version that
/// the mirror was rebuilt at.
pub(super) fn has_applied(transaction: &LedgerTransaction, progress: &Progress) -> bool {
    let is_mirrored = transaction
        .contract_version
        .is_some_and(|version| Some(version) <= progress.contract_version);
    Some(transaction.position) <= progress.position || is_mirrored
}

/// Whether a frame was applied before, so that its cursor is not ahead of the stored one. A cursor is
/// opaque: only the frame's transaction and coverage can tell. A frame with neither counts as new.
pub(super) fn is_behind(frame: &LedgerFrame, progress: &Progress) -> bool {
    let known_transaction = frame
        .transaction
        .as_ref()
        .map(|transaction| Some(transaction.position) <= progress.position);
    let known_coverage = frame
        .covered
        .map(|covered| Some(covered) <= progress.covered);
    match (known_transaction, known_coverage) {
        (Some(transaction), coverage) => transaction && coverage.unwrap_or(true),
        (None, Some(coverage)) => coverage,
        (None, None) => false,
    }
}

/// Stores the checkpoints of those transactions that are the daemon's own attempts. One statement for
/// all, because every lane waits until these writes are over.
pub(super) async fn note_checkpoints(
    connection: &mut SqliteConnection,
    transactions: &[&LedgerTransaction],
) -> Result<(), StoreError> {
    if transactions.is_empty() {
        return Ok(());
    }
    let checkpoints: Vec<_> = transactions
        .iter()
        .map(|transaction| {
            let checkpoint = number(transaction.position.checkpoint.get());
            (hex(transaction.digest.as_bytes()), hex(&checkpoint))
        })
        .collect();
    sqlx::query(
        "UPDATE attempts SET checkpoint = unhex(seen.value ->> 1) FROM json_each($1) seen \
         WHERE attempts.digest = unhex(seen.value ->> 0)",
    )
    .bind(json("the checkpoints of transactions", &checkpoints)?)
    .execute(connection)
    .await
    .map_err(statement_failed)?;
    Ok(())
}
