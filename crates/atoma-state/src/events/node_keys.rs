//! The public keys of confidential nodes.

use atoma_domain::events::NodePublicKeyCommitment;
use atoma_domain::model::NodeKey;
use atoma_domain::ports::StoreError;
use sqlx::SqliteConnection;

use crate::columns::{number, numbers};
use crate::error::statement_failed;
use crate::rows;

/// Writes a node's key as the contract keeps it after the event.
pub(super) async fn committed(
    connection: &mut SqliteConnection,
    event: &NodePublicKeyCommitment,
) -> Result<(), StoreError> {
    let before = sqlx::query("SELECT * FROM node_keys WHERE node_small_id = $1")
        .bind(number(event.node_id.get()))
        .fetch_optional(&mut *connection)
        .await
        .map_err(statement_failed)?;
    let before = before.as_ref().map(rows::node_key).transpose()?;
    let key = NodeKey::after(before, event);
    sqlx::query(
        "INSERT OR REPLACE INTO node_keys (node_small_id, public_key_commitment, key_rotation_counter, \
         updated_at_epoch, device_types) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(number(key.node_small_id.get()))
    .bind(key.public_key_commitment.0)
    .bind(number(key.key_rotation_counter))
    .bind(number(key.updated_at_epoch.get()))
    .bind(numbers(key.device_types.into_iter().map(u64::from)))
    .execute(connection)
    .await
    .map_err(statement_failed)?;
    Ok(())
}
