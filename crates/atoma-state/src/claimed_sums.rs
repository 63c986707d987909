//! Sums over the claimed stacks of each node, kept up to date claim by claim.

use std::collections::BTreeMap;

use atoma_domain::model::{StackSums, Worth};
use atoma_domain::ports::StoreError;
use atoma_domain::{ComputeUnits, NodeSmallId, PricePerMillion, SecurityLevel};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, key_set, number, wide_number};
use crate::error::statement_failed;

/// The sums of these nodes. A node without a claimed stack has none.
pub(crate) async fn read(
    connection: &mut SqliteConnection,
    nodes: &[NodeSmallId],
) -> Result<BTreeMap<NodeSmallId, StackSums>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM claimed_sums WHERE node_small_id IN (SELECT unhex(value) FROM json_each($1))",
    )
    .bind(key_set(nodes.iter().map(|node| node.get())))
    .fetch_all(connection)
    .await
    .map_err(statement_failed)?;
    rows.iter().map(sums).collect()
}

/// The sums of one stack, from a row with its price, the level of its task and what was recorded for it. What
/// is paid is what was recorded, unless a ticket or a claim says otherwise.
pub(crate) fn of_stack(
    cells: &Cells<'_>,
    paid: Option<ComputeUnits>,
) -> Result<StackSums, StoreError> {
    let served = cells.optional_number("computed_units")?.unwrap_or_default();
    let served = ComputeUnits::new(served);
    let price = cells.number("price_per_one_million_compute_units")?;
    let level = cells.optional_small("security_level")?;
    Ok(StackSums::of(
        served,
        paid.unwrap_or(served),
        PricePerMillion::new(price),
        level.map(SecurityLevel::new),
    ))
}

fn sums(row: &SqliteRow) -> Result<(NodeSmallId, StackSums), StoreError> {
    let cells = Cells::new(row, "claimed_sums", "node_small_id");
    let node = NodeSmallId::new(cells.number("node_small_id")?);
    Ok((
        node,
        StackSums {
            stacks: cells.number("stacks")?,
            served_units: cells.wide_number("served_units")?,
            worth: Worth {
                plain: cells.wide_number("plain_worth")?,
                sampled: cells.wide_number("sampled_worth")?,
            },
        },
    ))
}

/// Adds a claimed stack to its selected node's sums.
pub(crate) async fn add(
    connection: &mut SqliteConnection,
    node: NodeSmallId,
    stack: StackSums,
) -> Result<(), StoreError> {
    let before = read(connection, &[node]).await?;
    let sums = before.get(&node).copied().unwrap_or_default().plus(stack);
    sqlx::query(
        "INSERT INTO claimed_sums (node_small_id, stacks, served_units, plain_worth, sampled_worth) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (node_small_id) DO UPDATE SET stacks = excluded.stacks, \
         served_units = excluded.served_units, plain_worth = excluded.plain_worth, \
         sampled_worth = excluded.sampled_worth",
    )
    .bind(number(node.get()))
    .bind(number(sums.stacks))
    .bind(wide_number(sums.served_units))
    .bind(wide_number(sums.worth.plain))
    .bind(wide_number(sums.worth.sampled))
    .execute(connection)
    .await
    .map_err(statement_failed)?;
    Ok(())
}
