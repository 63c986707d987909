//! The public keys of confidential nodes.

use atoma_domain::NodeSmallId;
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
    let before = read(connection, event.node_id).await?;
    write(connection, &NodeKey::after(before, event)).await
}

/// Reads the key that a node has committed to.
pub(crate) async fn read(
    connection: &mut SqliteConnection,
    node: NodeSmallId,
) -> Result<Option<NodeKey>, StoreError> {
    let row = sqlx::query("SELECT * FROM node_keys WHERE node_small_id = $1")
        .bind(number(node.get()))
        .fetch_optional(connection)
        .await
        .map_err(statement_failed)?;
    row.as_ref().map(rows::node_key).transpose()
}

/// Writes the key that a node has committed to.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    key: &NodeKey,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO node_keys (node_small_id, public_key_commitment, key_rotation_counter, \
         updated_at_epoch, device_types) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(number(key.node_small_id.get()))
    .bind(&key.public_key_commitment.0)
    .bind(number(key.key_rotation_counter))
    .bind(number(key.updated_at_epoch.get()))
    .bind(numbers(key.device_types.iter().copied().map(u64::from)))
    .execute(connection)
    .await
    .map_err(statement_failed)?;
    Ok(())
}
