//! Whose nodes are the operator's own.

use atoma_domain::Address;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::StoreError;
use sqlx::SqliteConnection;

use crate::columns::number;
use crate::error::statement_failed;

/// Stores the operator's address.
pub(super) async fn set_operator(
    connection: &mut SqliteConnection,
    operator: Address,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE ledger SET operator = $1 WHERE operator IS DISTINCT FROM $1")
        .bind(operator.as_bytes())
        .execute(connection)
        .await
        .map_err(statement_failed)?;
    Ok(())
}

/// Stores that an address owns a node's badge; a badge of another address has been transferred.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    node: &OperatorNode,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO operator_nodes (node_small_id, node_badge_id, address) VALUES ($1, $2, $3) \
         ON CONFLICT (node_small_id) DO UPDATE \
         SET node_badge_id = excluded.node_badge_id, address = excluded.address",
    )
    .bind(number(node.node_small_id.get()))
    .bind(node.node_badge_id.as_bytes())
    .bind(node.address.as_bytes())
    .execute(connection)
    .await
    .map_err(statement_failed)?;
    Ok(())
}

/// Replaces all nodes of an address.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    address: Address,
    nodes: &[OperatorNode],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM operator_nodes WHERE address = $1")
        .bind(address.as_bytes())
        .execute(&mut *connection)
        .await
        .map_err(statement_failed)?;
    for node in nodes {
        add(connection, node).await?;
    }
    Ok(())
}
