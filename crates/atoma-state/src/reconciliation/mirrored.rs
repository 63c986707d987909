//! An entry as the mirror has it.

use std::collections::BTreeMap;

use atoma_domain::contract::{
    Entry, EntryKey, NodeOnChain, OfferOnChain, StackEntryOnChain, StackOnChain, TaskOnChain,
    TicketOnChain,
};
use atoma_domain::ports::StoreError;
use atoma_domain::reconciliation::Mirrored;
use atoma_domain::{
    ComputeUnits, Epoch, HexBytes, NodeSmallId, PricePerMillion, SecurityLevel, StackSmallId,
    TaskRole, TaskSmallId,
};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, number};
use crate::error::statement_failed;
use crate::events::node_keys;

const NODE: &str = "SELECT * FROM nodes WHERE node_small_id = $1";
const TASK: &str = "SELECT * FROM tasks WHERE task_small_id = $1";
const OFFERS: &str = "SELECT * FROM subscriptions WHERE task_small_id = $1 AND valid = 1";
const STACK: &str = "SELECT * FROM stacks WHERE stack_small_id = $1";
const TICKET: &str = "SELECT t.*, \
     (SELECT unhex(group_concat(hex(a.node_small_id), '' ORDER BY a.sequence)) \
      FROM attestations a WHERE a.stack_small_id = t.stack_small_id) AS attested_nodes, \
     EXISTS (SELECT 1 FROM disputes d WHERE d.stack_small_id = t.stack_small_id) AS is_in_dispute \
     FROM settlements t WHERE t.stack_small_id = $1";

/// Reads an entry of the mirror.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    key: EntryKey,
) -> Result<Mirrored, StoreError> {
    match key {
        EntryKey::Node(node) => self::node(connection, node).await,
        EntryKey::Task(task) => self::task(connection, task).await,
        EntryKey::Stack(stack) => self::stack(connection, stack).await,
    }
}

async fn row(
    connection: &mut SqliteConnection,
    statement: &'static str,
    id: u64,
) -> Result<Option<SqliteRow>, StoreError> {
    sqlx::query(statement)
        .bind(number(id))
        .fetch_optional(connection)
        .await
        .map_err(statement_failed)
}

async fn node(connection: &mut SqliteConnection, id: NodeSmallId) -> Result<Mirrored, StoreError> {
    let Some(row) = row(connection, NODE, id.get()).await? else {
        return Ok(Mirrored::Missing);
    };
    let cells = Cells::new(&row, "nodes", "node_small_id");
    if cells.flag("is_destroyed")? {
        return Ok(Mirrored::Gone);
    }
    let disabled = cells.optional_number("disabled_at_epoch")?;
    Ok(Mirrored::Present(Entry::Node(NodeOnChain {
        disabled_at_epoch: disabled.map(Epoch::new),
        key: node_keys::read(connection, id).await?,
    })))
}

async fn task(connection: &mut SqliteConnection, id: TaskSmallId) -> Result<Mirrored, StoreError> {
    let Some(row) = row(connection, TASK, id.get()).await? else {
        return Ok(Mirrored::Missing);
    };
    let cells = Cells::new(&row, "tasks", "task_small_id");
    if cells.optional_number("removed_at_epoch")?.is_some() {
        return Ok(Mirrored::Gone);
    }
    let rows = sqlx::query(OFFERS)
        .bind(number(id.get()))
        .fetch_all(connection)
        .await
        .map_err(statement_failed)?;
    let mut subscriptions = BTreeMap::new();
    for row in &rows {
        let cells = Cells::new(row, "subscriptions", "sequence");
        let price = cells.number("price_per_one_million_compute_units")?;
        let offer = OfferOnChain {
            price_per_one_million_compute_units: PricePerMillion::new(price),
            max_num_compute_units: ComputeUnits::new(cells.number("max_num_compute_units")?),
        };
        subscriptions.insert(NodeSmallId::new(cells.number("node_small_id")?), offer);
    }
    Ok(Mirrored::Present(Entry::Task(TaskOnChain {
        role: TaskRole::new(cells.small("role")?),
        model_name: cells.optional_text("model_name")?.map(str::to_owned),
        security_level: SecurityLevel::new(cells.small("security_level")?),
        // The contract stores 0 if none was asked for.
        minimum_reputation_score: cells
            .optional_small("minimum_reputation_score")?
            .unwrap_or_default(),
        deprecated_at_epoch: cells
            .optional_number("deprecated_at_epoch")?
            .map(Epoch::new),
        subscriptions,
    })))
}

async fn stack(
    connection: &mut SqliteConnection,
    id: StackSmallId,
) -> Result<Mirrored, StoreError> {
    let Some(stack) = row(connection, STACK, id.get()).await? else {
        return Ok(Mirrored::Missing);
    };
    let ticket = row(connection, TICKET, id.get()).await?;
    let cells = Cells::new(&stack, "stacks", "stack_small_id");
    let price = cells.number("price_per_one_million_compute_units")?;
    Ok(Mirrored::Present(Entry::Stack(StackEntryOnChain {
        owner: cells.object_id("owner_address")?,
        stack: StackOnChain {
            price_per_one_million_compute_units: PricePerMillion::new(price),
            num_compute_units: ComputeUnits::new(cells.number("num_compute_units")?),
            selected_node_id: NodeSmallId::new(cells.number("selected_node_id")?),
            task_small_id: TaskSmallId::new(cells.number("task_small_id")?),
            is_claimed: cells.flag("is_claimed")?,
        },
        ticket: ticket.map(|row| self::ticket(&row)).transpose()?,
    })))
}

fn ticket(row: &SqliteRow) -> Result<TicketOnChain, StoreError> {
    let cells = Cells::new(row, "settlements", "stack_small_id");
    let nodes = |column| -> Result<Vec<NodeSmallId>, StoreError> {
        let nodes = cells.numbers(column)?.into_iter();
        Ok(nodes.map(NodeSmallId::new).collect())
    };
    let units = cells.number("num_claimed_compute_units")?;
    Ok(TicketOnChain {
        stack_small_id: StackSmallId::new(cells.number("stack_small_id")?),
        selected_node_id: NodeSmallId::new(cells.number("selected_node_id")?),
        num_claimed_compute_units: ComputeUnits::new(units),
        requested_attestation_nodes: nodes("requested_attestation_nodes")?,
        dispute_settled_at_epoch: Epoch::new(cells.number("dispute_settled_at_epoch")?),
        committed_stack_proof: HexBytes(cells.bytes("committed_stack_proof")?),
        stack_merkle_leaves: HexBytes(cells.bytes("stack_merkle_leaf")?),
        already_attested_nodes: nodes("attested_nodes")?,
        is_in_dispute: cells.flag("is_in_dispute")?,
    })
}
