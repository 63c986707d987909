//! Applying the ledger: events and the cursor that they advance, in one database transaction.

mod booked;
mod effects;
mod gathered;
pub(crate) mod node_keys;
mod operator_nodes;
pub(crate) mod progress;
mod set_aside;

use async_trait::async_trait;
use atoma_domain::events::StackCreated;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{ChainEvents, ChainIdentity, LedgerFrame, Progress, StoreError};
use atoma_domain::{Address, Digest, Epoch};
use sqlx::SqliteConnection;

use crate::columns::{Cells, number};
use crate::error::{file_failed, statement_failed, unavailable};
use crate::store::SqliteState;
use booked::Booked;
use gathered::Gathered;

pub(crate) use effects::{run, subscription_updated};
pub(crate) use gathered::mark_claimed;

/// What the database is bound to, if it is.
async fn bound(connection: &mut SqliteConnection) -> Result<Option<ChainIdentity>, StoreError> {
    let row = sqlx::query("SELECT id, chain_id, atoma_db_id FROM ledger")
        .fetch_one(connection)
        .await
        .map_err(statement_failed)?;
    let cells = Cells::new(&row, "ledger", "id");
    let Some(chain_id) = cells.optional_digest("chain_id")? else {
        return Ok(None);
    };
    let atoma_db_id = cells.object_id("atoma_db_id")?;
    Ok(Some(ChainIdentity {
        chain_id,
        atoma_db_id,
    }))
}

fn agree(bound: &ChainIdentity, configured: &ChainIdentity) -> Result<(), StoreError> {
    if bound == configured {
        return Ok(());
    }
    Err(StoreError::OtherChain {
        stored: bound.to_string(),
        configured: configured.to_string(),
    })
}

#[async_trait]
impl ChainEvents for SqliteState {
    async fn bound_to(&self) -> Result<Option<ChainIdentity>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(statement_failed)?;
        bound(&mut connection).await
    }

    async fn bind(&self, identity: &ChainIdentity) -> Result<(), StoreError> {
        // A program that may only read can ask too.
        let mut reader = self.readers.acquire().await.map_err(statement_failed)?;
        if let Some(bound) = bound(&mut reader).await? {
            return agree(&bound, identity);
        }
        drop(reader);
        let mut transaction = self.write().await?;
        if let Some(bound) = bound(&mut transaction).await? {
            return agree(&bound, identity);
        }
        sqlx::query("UPDATE ledger SET chain_id = $1, atoma_db_id = $2")
            .bind(identity.chain_id.as_bytes())
            .bind(identity.atoma_db_id.as_bytes())
            .execute(&mut *transaction)
            .await
            .map_err(statement_failed)?;
        transaction.commit().await
    }

    async fn apply(
        &self,
        frames: &[LedgerFrame],
        operator: Address,
    ) -> Result<Progress, StoreError> {
        let mut transaction = self.write().await?;
        let before = progress::read(&mut transaction).await?;
        operator_nodes::set_operator(&mut transaction, operator).await?;
        let mut progress = before.clone();
        let (mut applied, mut gathered) = (Vec::new(), Gathered::default());
        let mut booked = Booked::of(&mut transaction, operator).await?;
        for frame in frames {
            if progress::is_behind(frame, &progress) {
                continue;
            }
            if let Some(ledger_transaction) = &frame.transaction
                && !progress::has_applied(ledger_transaction, &progress)
            {
                for (index, event) in ledger_transaction.events.iter().enumerate() {
                    if !gathered.has_room_for(event) {
                        gathered.write(&mut transaction).await?;
                    }
                    if !gathered.take(ledger_transaction, index, event) {
                        effects::apply(
                            &mut transaction,
                            ledger_transaction,
                            index,
                            event,
                            operator,
                        )
                        .await?;
                    }
                }
                progress.set_aside =
                    set_aside::store(&mut transaction, ledger_transaction, progress.set_aside)
                        .await?;
                booked.take(ledger_transaction);
                applied.push(ledger_transaction);
                progress.position = Some(ledger_transaction.position);
                let version = ledger_transaction.contract_version;
                progress.contract_version = progress.contract_version.max(version);
                progress.epoch = progress.epoch.max(Some(ledger_transaction.epoch));
            }
            progress.covered = progress.covered.max(frame.covered);
            progress.cursor = Some(frame.cursor.clone());
        }
        gathered.write(&mut transaction).await?;
        // Which of the others' attestations concern the operator, the mirrored stacks tell.
        booked.write(&mut transaction).await?;
        progress::note_checkpoints(&mut transaction, &applied).await?;
        if progress != before {
            progress::write(&mut transaction, &progress).await?;
        }
        transaction.commit().await?;
        Ok(progress)
    }

    async fn apply_early(&self, purchases: &[StackCreated]) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let mut gathered = Gathered::default();
        for purchase in purchases {
            gathered.bought(purchase);
        }
        gathered.write(&mut transaction).await?;
        transaction.commit().await
    }

    async fn progress(&self) -> Result<Progress, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(statement_failed)?;
        progress::read(&mut connection).await
    }

    async fn has_applied(&self, digest: Digest) -> Result<bool, StoreError> {
        let seen =
            sqlx::query("SELECT 1 FROM attempts WHERE digest = $1 AND checkpoint IS NOT NULL")
                .bind(digest.as_bytes().to_vec())
                .fetch_optional(&self.readers)
                .await
                .map_err(statement_failed)?;
        Ok(seen.is_some())
    }

    async fn set_operator_nodes(
        &self,
        operator: Address,
        nodes: &[OperatorNode],
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        operator_nodes::set_operator(&mut transaction, operator).await?;
        operator_nodes::replace(&mut transaction, operator, nodes).await?;
        transaction.commit().await
    }

    async fn note_epoch(&self, epoch: Epoch) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("UPDATE ledger SET epoch = $1 WHERE epoch IS NULL OR epoch < $1")
            .bind(number(epoch.get()))
            .execute(&mut *transaction)
            .await
            .map_err(statement_failed)?;
        transaction.commit().await
    }

    async fn check_disk(&self) -> Result<(), StoreError> {
        self.check_in_place()?;
        let Some(probe) = self.probe.clone() else {
            return Ok(());
        };
        // A full or hanging disk must not block the other tasks of this thread.
        let written = tokio::task::spawn_blocking(move || probe.write()).await;
        written.map_err(unavailable)?.map_err(file_failed)
    }
}
