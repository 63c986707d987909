//! Applying the ledger: events and the cursor that they advance, in one database transaction.

mod effects;

use async_trait::async_trait;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{
    ChainEvents, ChainIdentity, EventCursor, LedgerFrame, LedgerPosition, LedgerTransaction,
    Progress, StoreError,
};
use atoma_domain::{Address, CheckpointNumber, Digest, Epoch};
use bytes::Bytes;
use sqlx::SqliteConnection;

use crate::columns::{Cells, hex, json, number, optional_number};
use crate::store::{SqliteState, commit, unavailable};

#[async_trait]
impl ChainEvents for SqliteState {
    async fn bind(&self, identity: &ChainIdentity) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let row = sqlx::query("SELECT id, chain_id, package_id, atoma_db_id FROM ledger")
            .fetch_one(&mut *transaction)
            .await
            .map_err(unavailable)?;
        let cells = Cells::new(&row, "ledger", "id");
        if let Some(chain_id) = cells.optional_digest("chain_id")? {
            let stored = ChainIdentity {
                chain_id,
                package_id: cells.object_id("package_id")?,
                atoma_db_id: cells.object_id("atoma_db_id")?,
            };
            if stored == *identity {
                return Ok(());
            }
            return Err(StoreError::OtherChain {
                stored: stored.to_string(),
                configured: identity.to_string(),
            });
        }
        sqlx::query("UPDATE ledger SET chain_id = ?, package_id = ?, atoma_db_id = ?")
            .bind(identity.chain_id.as_bytes())
            .bind(identity.package_id.as_bytes())
            .bind(identity.atoma_db_id.as_bytes())
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        commit(transaction).await
    }

    async fn apply(
        &self,
        frames: &[LedgerFrame],
        operator: Address,
    ) -> Result<Progress, StoreError> {
        let mut transaction = self.write().await?;
        let before = read_progress(&mut transaction).await?;
        set_operator(&mut transaction, operator).await?;
        let mut progress = before.clone();
        let mut met = Vec::new();
        for frame in frames {
            if is_behind(frame, &progress) {
                continue;
            }
            if let Some(ledger_transaction) = &frame.transaction
                && Some(ledger_transaction.position) > progress.position
            {
                for (index, event) in ledger_transaction.events.iter().enumerate() {
                    effects::apply(&mut transaction, ledger_transaction, index, event, operator)
                        .await?;
                }
                met.push(ledger_transaction);
                progress.position = Some(ledger_transaction.position);
                progress.epoch = progress.epoch.max(Some(ledger_transaction.epoch));
            }
            progress.covered = progress.covered.max(frame.covered);
            progress.cursor = Some(frame.cursor.clone());
        }
        note_checkpoints(&mut transaction, &met).await?;
        if progress != before {
            write_progress(&mut transaction, &progress).await?;
        }
        commit(transaction).await?;
        Ok(progress)
    }

    async fn progress(&self) -> Result<Progress, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(unavailable)?;
        read_progress(&mut connection).await
    }

    async fn has_met(&self, digest: Digest) -> Result<bool, StoreError> {
        let met = sqlx::query("SELECT 1 FROM attempts WHERE digest = ? AND checkpoint IS NOT NULL")
            .bind(digest.as_bytes().to_vec())
            .fetch_optional(&self.readers)
            .await
            .map_err(unavailable)?;
        Ok(met.is_some())
    }

    async fn set_operator_nodes(
        &self,
        operator: Address,
        nodes: &[OperatorNode],
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        set_operator(&mut transaction, operator).await?;
        sqlx::query("DELETE FROM operator_nodes WHERE address = ?")
            .bind(operator.as_bytes())
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        for node in nodes {
            add_operator_node(&mut transaction, node).await?;
        }
        commit(transaction).await
    }

    async fn note_epoch(&self, epoch: Epoch) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("UPDATE ledger SET epoch = ?1 WHERE epoch IS NULL OR epoch < ?1")
            .bind(number(epoch.get()))
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        commit(transaction).await
    }
}

/// Whether the frame leads nowhere new: what it brings is applied, and its cursor stands before
/// the stored one. A cursor is opaque, so only the frame's transaction and coverage can tell; a
/// frame with neither is taken for progress.
fn is_behind(frame: &LedgerFrame, progress: &Progress) -> bool {
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

/// Notes where the mirror met the daemon's own attempts, whichever of the transactions they are: in
/// one statement, since every lane waits until these writes are over.
async fn note_checkpoints(
    connection: &mut SqliteConnection,
    met: &[&LedgerTransaction],
) -> Result<(), StoreError> {
    if met.is_empty() {
        return Ok(());
    }
    let met: Vec<_> = met
        .iter()
        .map(|transaction| {
            let checkpoint = number(transaction.position.checkpoint.get());
            (hex(transaction.digest.as_bytes()), hex(&checkpoint))
        })
        .collect();
    sqlx::query(
        "UPDATE attempts SET checkpoint = unhex(met.value ->> 1) FROM json_each(?) met \
         WHERE attempts.digest = unhex(met.value ->> 0)",
    )
    .bind(json("the checkpoints of transactions", &met)?)
    .execute(connection)
    .await
    .map_err(unavailable)?;
    Ok(())
}

/// Makes a node one of its address's. A badge that another address owned has moved.
async fn add_operator_node(
    connection: &mut SqliteConnection,
    node: &OperatorNode,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO operator_nodes (node_small_id, node_badge_id, address) VALUES (?, ?, ?) \
         ON CONFLICT (node_small_id) DO UPDATE \
         SET node_badge_id = excluded.node_badge_id, address = excluded.address",
    )
    .bind(number(node.node_small_id.get()))
    .bind(node.node_badge_id.as_bytes())
    .bind(node.address.as_bytes())
    .execute(connection)
    .await
    .map_err(unavailable)?;
    Ok(())
}

/// Notes whose nodes are the operator's own.
async fn set_operator(
    connection: &mut SqliteConnection,
    operator: Address,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE ledger SET operator = ?1 WHERE operator IS NOT ?1")
        .bind(operator.as_bytes())
        .execute(connection)
        .await
        .map_err(unavailable)?;
    Ok(())
}

async fn read_progress(connection: &mut SqliteConnection) -> Result<Progress, StoreError> {
    let row = sqlx::query("SELECT * FROM ledger")
        .fetch_one(connection)
        .await
        .map_err(unavailable)?;
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
    })
}

async fn write_progress(
    connection: &mut SqliteConnection,
    progress: &Progress,
) -> Result<(), StoreError> {
    let position = progress.position;
    sqlx::query(
        "UPDATE ledger SET cursor = ?, position_checkpoint = ?, position_index = ?, covered = ?, \
         epoch = ?",
    )
    .bind(progress.cursor.as_ref().map(|cursor| cursor.0.to_vec()))
    .bind(optional_number(position.map(|p| p.checkpoint.get())))
    .bind(optional_number(position.map(|p| p.index)))
    .bind(optional_number(progress.covered.map(CheckpointNumber::get)))
    .bind(optional_number(progress.epoch.map(Epoch::get)))
    .execute(connection)
    .await
    .map_err(unavailable)?;
    Ok(())
}
