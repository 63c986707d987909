//! What each event of the contract changes in the mirror, if it is not [gathered](super::gathered).
//!
//! A new event of the domain doesn't compile until it is handled here.

use atoma_domain::events::{
    ContractEvent, NodeRegistered, NodeSubscribedToTask, StackAttestationDispute, TaskRegistered,
};
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{LedgerTransaction, StoreError};
use atoma_domain::{Address, ComputeUnits, NodeSmallId, PricePerMillion, TaskSmallId};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};

use super::gathered::Gathered;
use super::{node_keys, operator_nodes};
use crate::columns::{Cells, number, optional_number};
use crate::error::statement_failed;

type Statement<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Runs a statement that returns nothing.
pub(crate) async fn run(
    connection: &mut SqliteConnection,
    statement: Statement<'_>,
) -> Result<(), StoreError> {
    statement
        .execute(connection)
        .await
        .map_err(statement_failed)?;
    Ok(())
}

/// Applies the event with that index in its transaction.
pub(super) async fn apply(
    connection: &mut SqliteConnection,
    transaction: &LedgerTransaction,
    index: usize,
    event: &ContractEvent,
    operator: Address,
) -> Result<(), StoreError> {
    match event {
        // The identity of the contract is configured and bound. The number of the network's key rotation and
        // subscriptions to models are read from the chain when needed.
        ContractEvent::Published(_)
        | ContractEvent::NewKeyRotation(_)
        | ContractEvent::NodeSubscribedToModel(_) => Ok(()),
        ContractEvent::NodePublicKeyCommitment(event) => {
            node_keys::committed(connection, event).await
        }
        ContractEvent::NodeRegistered(event) => {
            node_registered(connection, transaction.sender, event, operator).await
        }
        ContractEvent::NodeSubscribedToTask(event) => subscribed(connection, event).await,
        ContractEvent::NodeSubscriptionUpdated(event) => {
            subscription_updated(
                connection,
                event.node_small_id,
                event.task_small_id,
                event.price_per_one_million_compute_units,
                event.max_num_compute_units,
            )
            .await
        }
        ContractEvent::NodeUnsubscribedFromTask(event) => {
            unsubscribed(connection, event.node_small_id, event.task_small_id).await
        }
        ContractEvent::TaskRegistered(event) => task_registered(connection, event).await,
        // Joined on the small id: the event's `task_id` is that of another object.
        ContractEvent::TaskDeprecation(event) => {
            let statement = sqlx::query(
                "UPDATE tasks SET deprecated_at_epoch = COALESCE(deprecated_at_epoch, $1) \
                 WHERE task_small_id = $2",
            );
            let statement = statement
                .bind(number(event.epoch.get()))
                .bind(number(event.task_small_id.get()));
            run(connection, statement).await
        }
        ContractEvent::TaskRemoved(event) => {
            let statement = sqlx::query(
                "UPDATE tasks SET removed_at_epoch = COALESCE(removed_at_epoch, $1) \
                 WHERE task_small_id = $2",
            );
            let statement = statement
                .bind(number(event.removed_at_epoch.get()))
                .bind(number(event.task_small_id.get()));
            run(connection, statement).await
        }
        ContractEvent::StackAttestationDispute(event) => {
            disputed(connection, transaction, index, event).await
        }
        // The caller has gathered these.
        ContractEvent::StackCreated(_)
        | ContractEvent::StackTrySettle(_)
        | ContractEvent::NewStackSettlementAttestation(_)
        | ContractEvent::StackSettlementTicket(_)
        | ContractEvent::StackSettlementTicketClaimed(_)
        | ContractEvent::ClaimedStack(_) => Ok(()),
    }
}

async fn node_registered(
    connection: &mut SqliteConnection,
    sender: Address,
    event: &NodeRegistered,
    operator: Address,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO nodes (node_small_id, node_badge_id, address) VALUES ($1, $2, $3) \
         ON CONFLICT DO NOTHING",
    )
    .bind(number(event.node_small_id.get()))
    .bind(event.badge_id.as_bytes())
    .bind(sender.as_bytes());
    run(connection, statement).await?;
    if sender != operator {
        return Ok(());
    }
    let node = OperatorNode {
        node_small_id: event.node_small_id,
        node_badge_id: event.badge_id,
        address: operator,
    };
    operator_nodes::add(connection, &node).await
}

/// A node that subscribes again comes last in the order of subscription, as on chain.
async fn subscribed(
    connection: &mut SqliteConnection,
    event: &NodeSubscribedToTask,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT OR REPLACE INTO subscriptions (node_small_id, task_small_id, \
         price_per_one_million_compute_units, max_num_compute_units, valid) \
         VALUES ($1, $2, $3, $4, 1)",
    )
    .bind(number(event.node_small_id.get()))
    .bind(number(event.task_small_id.get()))
    .bind(number(event.price_per_one_million_compute_units.get()))
    .bind(number(event.max_num_compute_units.get()));
    run(connection, statement).await
}

/// An update proves that there is a subscription, even one older than the mirror.
pub(crate) async fn subscription_updated(
    connection: &mut SqliteConnection,
    node: NodeSmallId,
    task: TaskSmallId,
    price: PricePerMillion,
    max_units: ComputeUnits,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO subscriptions (node_small_id, task_small_id, \
         price_per_one_million_compute_units, max_num_compute_units, valid) \
         VALUES ($1, $2, $3, $4, 1) \
         ON CONFLICT (node_small_id, task_small_id) DO UPDATE SET \
         price_per_one_million_compute_units = excluded.price_per_one_million_compute_units, \
         max_num_compute_units = excluded.max_num_compute_units, valid = 1",
    )
    .bind(number(node.get()))
    .bind(number(task.get()))
    .bind(number(price.get()))
    .bind(number(max_units.get()));
    run(connection, statement).await
}

/// Marks the subscription as not valid. A subscription older than the mirror has no row, and gets
/// none, because its price is unknown.
async fn unsubscribed(
    connection: &mut SqliteConnection,
    node: NodeSmallId,
    task: TaskSmallId,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE subscriptions SET valid = 0 WHERE node_small_id = $1 AND task_small_id = $2",
    )
    .bind(number(node.get()))
    .bind(number(task.get()));
    run(connection, statement).await
}

async fn task_registered(
    connection: &mut SqliteConnection,
    event: &TaskRegistered,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO tasks (task_small_id, task_id, role, model_name, security_level, \
         minimum_reputation_score) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(number(event.task_small_id.get()))
    .bind(event.task_id.as_bytes())
    .bind(event.role.get())
    .bind(&event.model_name)
    .bind(event.security_level.get())
    .bind(event.minimum_reputation_score);
    run(connection, statement).await
}

/// Opens a dispute. The contract refuses a second one of the same stack: the first stays.
///
/// A last attestation with the ticket's own commitment also opens a dispute when the contract then
/// finds that commitment wrong. The contract has counted that attestation but emits this event alone.
/// It is recognised by the ticket's commitment while exactly one attestation is missing.
async fn disputed(
    connection: &mut SqliteConnection,
    transaction: &LedgerTransaction,
    index: usize,
    event: &StackAttestationDispute,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT stack_small_id, requested_attestation_nodes, \
         (SELECT count(*) FROM attestations a WHERE a.stack_small_id = t.stack_small_id) \
         AS attestations, \
         EXISTS (SELECT 1 FROM disputes d WHERE d.stack_small_id = t.stack_small_id) \
         AS is_in_dispute \
         FROM settlements t WHERE stack_small_id = $1",
    )
    .bind(number(event.stack_small_id.get()))
    .fetch_optional(&mut *connection)
    .await
    .map_err(statement_failed)?;
    let mut requested = Vec::new();
    if let Some(row) = &row {
        let cells = Cells::new(row, "settlements", "stack_small_id");
        requested = cells.numbers("requested_attestation_nodes")?;
        let agrees = event.attestation_commitment == event.original_commitment
            && requested.contains(&event.attestation_node_id.get())
            && cells.small::<usize>("attestations")? + 1 == requested.len()
            && !cells.flag("is_in_dispute")?;
        if agrees {
            let (stack, node) = (event.stack_small_id, event.attestation_node_id);
            let mut counted = Gathered::default();
            counted.attested(transaction, index, stack, node);
            counted.write(connection).await?;
        }
    }
    let plaintiff = event.attestation_node_id.get();
    let place = requested.iter().position(|node| *node == plaintiff);
    let place = place.and_then(|place| u64::try_from(place).ok());
    let statement = sqlx::query(
        "INSERT INTO disputes (stack_small_id, plaintiff_node_id, defendant_node_id, \
         disputed_attestation_index, disputed_hash, original_hash, created_at_epoch) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(number(event.stack_small_id.get()))
    .bind(number(plaintiff))
    .bind(number(event.original_node_id.get()))
    .bind(optional_number(place))
    .bind(&event.attestation_commitment.0)
    .bind(&event.original_commitment.0)
    .bind(number(transaction.epoch.get()));
    run(connection, statement).await
}
