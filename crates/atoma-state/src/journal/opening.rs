//! Writing intents down: whether they may be, and what they join.

use atoma_domain::journal::{Action, Failure, Intent, IntentStatus, NewIntent};
use atoma_domain::ports::{Opened, StoreError};
use atoma_domain::{NodeSmallId, StackSmallId, TimestampMs, TransactionId};
use sqlx::SqliteConnection;

use super::rows;
use crate::columns::{Cells, json, number, optional_number};
use crate::store::unavailable;

/// Opens one intent, joins it to the one that is under way, or refuses it.
pub(super) async fn open(
    connection: &mut SqliteConnection,
    wanted: &NewIntent,
    now: TimestampMs,
) -> Result<Opened, StoreError> {
    if let Some(answer) = holder_of_key(connection, wanted).await? {
        return Ok(answer);
    }
    if let Some(stack) = wanted.action.closes_record()
        && let Some(failure) = obstacle(connection, wanted, stack).await?
    {
        return Ok(Opened::Refused(failure));
    }
    insert(connection, wanted, now).await.map(Opened::New)
}

/// What an intent that holds the key means for another that wants it.
async fn holder_of_key(
    connection: &mut SqliteConnection,
    wanted: &NewIntent,
) -> Result<Option<Opened>, StoreError> {
    let row = sqlx::query("SELECT * FROM intents WHERE action_key = ? AND holds_key = 1")
        .bind(wanted.action.key(&wanted.actor).as_str())
        .fetch_optional(connection)
        .await
        .map_err(unavailable)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let holder = rows::intent(&row)?;
    let status: IntentStatus = rows::status_of(&Cells::new(&row, "intents", "id"))?;
    let answer = if status.is_final() {
        Opened::Refused(already_done(wanted, holder.id))
    } else if holder.action == wanted.action && holder.gas == wanted.gas {
        Opened::Joined(holder)
    } else {
        Opened::Refused(Failure::InFlightWithOtherParameters {
            transaction_id: holder.id,
        })
    };
    Ok(Some(answer))
}

/// Why something that can be done once can't be done again.
fn already_done(wanted: &NewIntent, transaction_id: TransactionId) -> Failure {
    match wanted.action {
        Action::SettleStack { stack_small_id, .. } => Failure::AlreadySettling { stack_small_id },
        Action::AttestSettlement { stack_small_id, .. } => Failure::AlreadyAttested {
            stack_small_id,
            node_small_id: wanted.actor.node().unwrap_or(NodeSmallId::new(0)),
        },
        Action::StartDispute { stack_small_id } => Failure::AlreadyInDispute { stack_small_id },
        Action::ClaimStack { stack_small_id }
        | Action::ClaimConfidentialStack { stack_small_id, .. } => {
            Failure::AlreadyClaimed { stack_small_id }
        }
        // These give their key back with success: nothing finished holds it.
        Action::RegisterNode { .. }
        | Action::SubscribeToModel { .. }
        | Action::SubscribeToTask { .. }
        | Action::UpdateSubscription { .. }
        | Action::UnsubscribeFromTask { .. } => {
            Failure::InFlightWithOtherParameters { transaction_id }
        }
    }
}

/// What keeps a stack from being settled, or claimed without: read in the transaction that freezes
/// its record.
async fn obstacle(
    connection: &mut SqliteConnection,
    wanted: &NewIntent,
    stack_small_id: StackSmallId,
) -> Result<Option<Failure>, StoreError> {
    let row = sqlx::query(
        "SELECT s.stack_small_id, s.selected_node_id, s.is_claimed, \
         EXISTS (SELECT 1 FROM settlements t WHERE t.stack_small_id = s.stack_small_id) \
         AS is_settled, \
         EXISTS (SELECT 1 FROM work_records w WHERE w.stack_small_id = s.stack_small_id \
          AND w.node_small_id = s.selected_node_id AND w.merkle_root IS NOT NULL) \
         AS has_messages, \
         EXISTS (SELECT 1 FROM work_records w WHERE w.stack_small_id = s.stack_small_id \
          AND w.node_small_id = s.selected_node_id AND w.computed_units > ?) \
         AS has_units, \
         EXISTS (SELECT 1 FROM reservations r WHERE r.stack_small_id = s.stack_small_id) \
         AS has_reservations \
         FROM stacks s WHERE s.stack_small_id = ?",
    )
    .bind(number(0))
    .bind(number(stack_small_id.get()))
    .fetch_optional(connection)
    .await
    .map_err(unavailable)?;
    let Some(row) = row else {
        return Ok(Some(Failure::UnknownStack { stack_small_id }));
    };
    let cells = Cells::new(&row, "stacks", "stack_small_id");
    let selected_node_id = NodeSmallId::new(cells.number("selected_node_id")?);
    // A confidential stack's units are claimed without a proof of what was served; its record tells
    // how many, unless a ticket does.
    let claims_the_record = matches!(
        wanted.action,
        Action::ClaimConfidentialStack {
            num_claimed_compute_units: None,
            ..
        }
    );
    let is_settlement = matches!(wanted.action, Action::SettleStack { .. });
    let obstacle = match wanted.actor.node() {
        // Were it let through, its failure would thaw the selected node's record.
        Some(node_small_id) if node_small_id != selected_node_id => {
            Some(Failure::NodeNotSelected {
                stack_small_id,
                node_small_id,
                selected_node_id,
            })
        }
        _ if cells.flag("is_claimed")? => Some(Failure::AlreadyClaimed { stack_small_id }),
        _ if is_settlement && cells.flag("is_settled")? => {
            Some(Failure::AlreadySettling { stack_small_id })
        }
        _ if is_settlement && !cells.flag("has_messages")? => {
            Some(Failure::StackHasNoMessages { stack_small_id })
        }
        _ if claims_the_record && !cells.flag("has_units")? => {
            Some(Failure::StackHasNoMessages { stack_small_id })
        }
        _ if cells.flag("has_reservations")? => {
            Some(Failure::RequestsInProgress { stack_small_id })
        }
        _ => None,
    };
    Ok(obstacle)
}

async fn insert(
    connection: &mut SqliteConnection,
    wanted: &NewIntent,
    now: TimestampMs,
) -> Result<Intent, StoreError> {
    let id = sqlx::query(
        "INSERT INTO intents (kind, action, actor, gas, node_small_id, stack_small_id, \
         action_key, holds_key, status, created_at, updated_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
    )
    .bind(wanted.action.kind())
    .bind(json("an action", &wanted.action)?)
    .bind(json("an actor", &wanted.actor)?)
    .bind(json("gas options", &wanted.gas)?)
    .bind(optional_number(wanted.actor.node().map(NodeSmallId::get)))
    .bind(optional_number(
        wanted.action.stack().map(StackSmallId::get),
    ))
    .bind(wanted.action.key(&wanted.actor).as_str())
    .bind(IntentStatus::Queued.as_str())
    .bind(number(now.get()))
    .bind(number(now.get()))
    .execute(connection)
    .await
    .map_err(unavailable)?
    .last_insert_rowid();
    let id = u64::try_from(id).map_err(|_| StoreError::OutOfRange {
        what: String::from("a transaction's number"),
    })?;
    Ok(Intent {
        id: TransactionId::new(id),
        action: wanted.action.clone(),
        actor: wanted.actor,
        gas: wanted.gas,
    })
}
