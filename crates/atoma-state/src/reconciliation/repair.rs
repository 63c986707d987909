//! Writing an entry as the contract has it.

use std::collections::BTreeMap;

use atoma_domain::contract::{
    Entry, EntryKey, EntryRead, NodeOnChain, StackEntryOnChain, TaskOnChain, TicketOnChain,
};
use atoma_domain::ports::{Progress, StoreError};
use atoma_domain::{Epoch, NodeSmallId, StackSmallId, TaskSmallId, TimestampMs};
use sqlx::SqliteConnection;

use crate::columns::{Cells, key_set, number, numbers, optional_number};
use crate::error::{out_of_range, statement_failed};
use crate::events::{mark_claimed, node_keys, run, subscription_updated};

/// The length of a leaf in bytes.
const LEAF: usize = 32;

/// Writes an entry, or closes one that is gone.
pub(super) async fn entry(
    connection: &mut SqliteConnection,
    read: &EntryRead,
    progress: &Progress,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let epoch = progress.epoch.unwrap_or_default();
    match (read.key, &read.entry) {
        (EntryKey::Node(id), Some(Entry::Node(entry))) => node(connection, id, entry).await,
        (EntryKey::Task(id), Some(Entry::Task(entry))) => task(connection, id, entry).await,
        (EntryKey::Stack(id), Some(Entry::Stack(entry))) => {
            stack(connection, id, entry, epoch, now).await
        }
        (EntryKey::Node(id), _) => node_destroyed(connection, id).await,
        (EntryKey::Task(id), _) => task_removed(connection, id, epoch).await,
        (EntryKey::Stack(id), _) => stack_claimed(connection, id).await,
    }
}

async fn node(
    connection: &mut SqliteConnection,
    id: NodeSmallId,
    node: &NodeOnChain,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO nodes (node_small_id, disabled_at_epoch) VALUES ($1, $2) \
         ON CONFLICT (node_small_id) DO UPDATE \
         SET disabled_at_epoch = excluded.disabled_at_epoch, is_destroyed = 0",
    )
    .bind(number(id.get()))
    .bind(optional_number(node.disabled_at_epoch.map(Epoch::get)));
    run(connection, statement).await?;
    match &node.key {
        Some(key) => node_keys::write(connection, key).await,
        None => {
            let statement = sqlx::query("DELETE FROM node_keys WHERE node_small_id = $1");
            run(connection, statement.bind(number(id.get()))).await
        }
    }
}

/// Its badge is destroyed with it, so nobody owns the node any more.
async fn node_destroyed(
    connection: &mut SqliteConnection,
    id: NodeSmallId,
) -> Result<(), StoreError> {
    for statement in [
        "UPDATE nodes SET is_destroyed = 1 WHERE node_small_id = $1",
        "DELETE FROM operator_nodes WHERE node_small_id = $1",
    ] {
        run(connection, sqlx::query(statement).bind(number(id.get()))).await?;
    }
    Ok(())
}

async fn task(
    connection: &mut SqliteConnection,
    id: TaskSmallId,
    task: &TaskOnChain,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO tasks (task_small_id, role, model_name, security_level, \
         minimum_reputation_score, deprecated_at_epoch) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (task_small_id) DO UPDATE SET role = excluded.role, \
         model_name = excluded.model_name, security_level = excluded.security_level, \
         minimum_reputation_score = iif(minimum_reputation_score IS NULL \
         AND excluded.minimum_reputation_score = 0, NULL, excluded.minimum_reputation_score), \
         deprecated_at_epoch = excluded.deprecated_at_epoch, removed_at_epoch = NULL",
    )
    .bind(number(id.get()))
    .bind(task.role.get())
    .bind(&task.model_name)
    .bind(task.security_level.get())
    .bind(task.minimum_reputation_score)
    .bind(optional_number(task.deprecated_at_epoch.map(Epoch::get)));
    run(connection, statement).await?;
    let nodes = task.subscriptions.keys().map(|node| node.get());
    let statement = sqlx::query(
        "UPDATE subscriptions SET valid = 0 WHERE task_small_id = $1 AND valid = 1 \
         AND node_small_id NOT IN (SELECT unhex(value) FROM json_each($2))",
    )
    .bind(number(id.get()))
    .bind(key_set(nodes));
    run(connection, statement).await?;
    for (node, offer) in &task.subscriptions {
        let price = offer.price_per_one_million_compute_units;
        subscription_updated(connection, *node, id, price, offer.max_num_compute_units).await?;
    }
    Ok(())
}

async fn task_removed(
    connection: &mut SqliteConnection,
    id: TaskSmallId,
    epoch: Epoch,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE tasks SET removed_at_epoch = COALESCE(removed_at_epoch, $1) \
         WHERE task_small_id = $2",
    )
    .bind(number(epoch.get()))
    .bind(number(id.get()));
    run(connection, statement).await
}

async fn stack(
    connection: &mut SqliteConnection,
    id: StackSmallId,
    entry: &StackEntryOnChain,
    epoch: Epoch,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let stack = entry.stack;
    // A claim is marked below, with the sums over claimed stacks.
    let statement = sqlx::query(
        "INSERT INTO stacks (stack_small_id, owner_address, task_small_id, selected_node_id, \
         num_compute_units, price_per_one_million_compute_units) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (stack_small_id) DO UPDATE SET owner_address = excluded.owner_address, \
         task_small_id = excluded.task_small_id, selected_node_id = excluded.selected_node_id, \
         num_compute_units = excluded.num_compute_units, \
         price_per_one_million_compute_units = excluded.price_per_one_million_compute_units, \
         is_claimed = is_claimed AND $7",
    )
    .bind(number(id.get()))
    .bind(entry.owner.as_bytes())
    .bind(number(stack.task_small_id.get()))
    .bind(number(stack.selected_node_id.get()))
    .bind(number(stack.num_compute_units.get()))
    .bind(number(stack.price_per_one_million_compute_units.get()))
    .bind(stack.is_claimed);
    run(connection, statement).await?;
    if let Some(ticket) = &entry.ticket {
        self::ticket(connection, id, ticket, now).await?;
        attestations(connection, id, ticket).await?;
        if ticket.is_in_dispute {
            dispute(connection, id, ticket, epoch).await?;
        }
    }
    match stack.is_claimed {
        true => mark_claimed(connection, &BTreeMap::from([(id, None)])).await,
        false => Ok(()),
    }
}

async fn ticket(
    connection: &mut SqliteConnection,
    id: StackSmallId,
    ticket: &TicketOnChain,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let leaves = &ticket.stack_merkle_leaves.0;
    let requested = ticket.requested_attestation_nodes.iter();
    let statement = sqlx::query(
        "INSERT INTO settlements (stack_small_id, selected_node_id, num_claimed_compute_units, \
         settled_at, dispute_settled_at_epoch, requested_attestation_nodes, \
         committed_stack_proof, stack_merkle_leaf, user_refund_amount) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (stack_small_id) DO UPDATE SET selected_node_id = excluded.selected_node_id, \
         num_claimed_compute_units = excluded.num_claimed_compute_units, \
         dispute_settled_at_epoch = excluded.dispute_settled_at_epoch, \
         requested_attestation_nodes = excluded.requested_attestation_nodes, \
         committed_stack_proof = excluded.committed_stack_proof, \
         stack_merkle_leaf = excluded.stack_merkle_leaf, is_claimed = 0",
    )
    .bind(number(id.get()))
    .bind(number(ticket.selected_node_id.get()))
    .bind(number(ticket.num_claimed_compute_units.get()))
    .bind(number(now.get()))
    .bind(number(ticket.dispute_settled_at_epoch.get()))
    .bind(numbers(requested.map(|node| node.get())))
    .bind(&ticket.committed_stack_proof.0)
    .bind(leaves.get(..LEAF).unwrap_or(leaves))
    .bind(number(0));
    run(connection, statement).await
}

/// Replaces the attestations of a stack, if they are not the ticket's.
async fn attestations(
    connection: &mut SqliteConnection,
    id: StackSmallId,
    ticket: &TicketOnChain,
) -> Result<(), StoreError> {
    let stack = number(id.get());
    let rows = sqlx::query(
        "SELECT sequence, node_small_id FROM attestations WHERE stack_small_id = $1 \
         ORDER BY sequence",
    )
    .bind(&stack)
    .fetch_all(&mut *connection)
    .await
    .map_err(statement_failed)?;
    let known = rows.iter().map(|row| {
        let cells = Cells::new(row, "attestations", "sequence");
        cells.number("node_small_id").map(NodeSmallId::new)
    });
    if known.collect::<Result<Vec<_>, _>>()? == ticket.already_attested_nodes {
        return Ok(());
    }
    let statement = sqlx::query("DELETE FROM attestations WHERE stack_small_id = $1").bind(&stack);
    run(connection, statement).await?;
    let mut digest = vec![0; 24];
    digest.extend_from_slice(&stack);
    for (place, node) in ticket.already_attested_nodes.iter().enumerate() {
        let place = i64::try_from(place).map_err(|_| out_of_range("a place in a ticket"))?;
        let statement = sqlx::query(
            "INSERT INTO attestations (stack_small_id, node_small_id, transaction_digest, \
             event_index) VALUES ($1, $2, $3, $4)",
        )
        .bind(&stack)
        .bind(number(node.get()))
        .bind(&digest)
        .bind(place);
        run(connection, statement).await?;
    }
    Ok(())
}

/// Notes a dispute whose event was not mirrored. The ticket doesn't say who raised it.
async fn dispute(
    connection: &mut SqliteConnection,
    id: StackSmallId,
    ticket: &TicketOnChain,
    epoch: Epoch,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO disputes (stack_small_id, plaintiff_node_id, defendant_node_id, \
         disputed_hash, original_hash, created_at_epoch) VALUES ($1, $2, $3, x'', $4, $5) \
         ON CONFLICT DO NOTHING",
    )
    .bind(number(id.get()))
    .bind(number(0))
    .bind(number(ticket.selected_node_id.get()))
    .bind(&ticket.committed_stack_proof.0)
    .bind(number(epoch.get()));
    run(connection, statement).await
}

/// A claim deletes the stack and its ticket. What it paid is what the ticket claims.
async fn stack_claimed(
    connection: &mut SqliteConnection,
    id: StackSmallId,
) -> Result<(), StoreError> {
    let units = sqlx::query(
        "UPDATE settlements SET is_claimed = 1 WHERE stack_small_id = $1 \
         RETURNING stack_small_id, num_claimed_compute_units",
    )
    .bind(number(id.get()))
    .fetch_optional(&mut *connection)
    .await
    .map_err(statement_failed)?;
    let units = units
        .map(|row| {
            let cells = Cells::new(&row, "settlements", "stack_small_id");
            let units = cells.number("num_claimed_compute_units")?;
            Ok::<_, StoreError>(atoma_domain::ComputeUnits::new(units))
        })
        .transpose()?;
    mark_claimed(connection, &BTreeMap::from([(id, units)])).await
}
