//! Writing intents down: whether they may be, and what they join. As many statements for thousands as
//! for a single one, since each is a way to SQLite's thread and back.

use std::collections::{HashMap, HashSet};

use atoma_domain::journal::{Action, ActionKey, Failure, Intent, IntentStatus, NewIntent};
use atoma_domain::ports::{Opened, StoreError};
use atoma_domain::{IntentId, NodeSmallId, StackSmallId, TimestampMs};
use serde::Serialize;
use sqlx::SqliteConnection;

use super::obstacles::Obstacles;
use super::rows;
use crate::columns::{Cells, hex, json, number};
use crate::store::unavailable;

/// Who holds a key, and where it stands.
struct Holder {
    intent: Intent,
    status: IntentStatus,
}

/// Opens intents, each for itself: writes it down, joins it to the one that is under way, be it one
/// of these, or refuses it.
pub(super) async fn open(
    connection: &mut SqliteConnection,
    wanted: &[NewIntent],
    now: TimestampMs,
) -> Result<Vec<Opened>, StoreError> {
    let keys: Vec<ActionKey> = wanted
        .iter()
        .map(|wanted| wanted.action.key(&wanted.actor))
        .collect();
    let mut holders = holders(connection, &keys).await?;
    let obstacles = Obstacles::load(connection, wanted).await?;
    let mut taken: HashSet<&str> = holders.keys().map(String::as_str).collect();
    let mut new = Vec::new();
    let mut answers = Vec::with_capacity(wanted.len());
    for (place, (wanted, key)) in wanted.iter().zip(&keys).enumerate() {
        // What holds the key answers, once it has a number.
        let refused = match taken.contains(key.as_str()) {
            true => None,
            false => obstacles.to(wanted),
        };
        if refused.is_none() && taken.insert(key.as_str()) {
            new.push(place);
        }
        answers.push(refused.map(Opened::Refused));
    }
    drop(taken);
    let rows: Vec<Row> = new
        .iter()
        .map(|&place| Row::new(&wanted[place], &keys[place]))
        .collect::<Result<_, _>>()?;
    let numbers = insert(connection, &rows, now).await?;
    for place in new {
        let key = keys[place].as_str();
        let NewIntent { action, actor, gas } = wanted[place].clone();
        let id = *numbers.get(key).ok_or_else(|| lost(key))?;
        let intent = Intent {
            id,
            action,
            actor,
            gas,
        };
        answers[place] = Some(Opened::New(intent.clone()));
        let status = IntentStatus::Queued;
        holders.insert(key.to_owned(), Holder { intent, status });
    }
    let answers = answers.into_iter().zip(wanted).zip(&keys);
    answers
        .map(|((answer, wanted), key)| match answer {
            Some(answer) => Ok(answer),
            None => {
                let holder = holders
                    .get(key.as_str())
                    .ok_or_else(|| lost(key.as_str()))?;
                Ok(holder.answer(wanted))
            }
        })
        .collect()
}

/// The database did not tell the number of what it took in.
fn lost(key: &str) -> StoreError {
    StoreError::Missing {
        what: format!("the intent that holds {key}"),
    }
}

/// Those who hold any of these keys.
async fn holders(
    connection: &mut SqliteConnection,
    keys: &[ActionKey],
) -> Result<HashMap<String, Holder>, StoreError> {
    let keys: Vec<&str> = keys.iter().map(ActionKey::as_str).collect();
    let rows = sqlx::query(
        "SELECT * FROM intents \
         WHERE action_key IN (SELECT value FROM json_each(?)) AND holds_key = 1",
    )
    .bind(json("the keys of intents", &keys)?)
    .fetch_all(connection)
    .await
    .map_err(unavailable)?;
    rows.iter()
        .map(|row| {
            let cells = Cells::new(row, "intents", "id");
            let holder = Holder {
                intent: rows::intent(row)?,
                status: rows::status_of(&cells)?,
            };
            Ok((cells.text("action_key")?.to_owned(), holder))
        })
        .collect()
}

impl Holder {
    /// What it means for another that wants the key.
    fn answer(&self, wanted: &NewIntent) -> Opened {
        let Self { intent, status } = self;
        if status.is_final() {
            Opened::Refused(already_done(wanted, intent.id))
        } else if intent.action == wanted.action && intent.gas == wanted.gas {
            Opened::Joined(intent.clone())
        } else {
            Opened::Refused(Failure::InFlightWithOtherParameters {
                transaction_id: intent.id,
            })
        }
    }
}

/// Why something that can be done once can't be done again.
fn already_done(wanted: &NewIntent, transaction_id: IntentId) -> Failure {
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

/// An intent as it is written down.
#[derive(Serialize)]
struct Row<'a> {
    kind: &'static str,
    action: String,
    actor: String,
    gas: String,
    node: Option<String>,
    stack: Option<String>,
    key: &'a str,
}

impl<'a> Row<'a> {
    fn new(wanted: &NewIntent, key: &'a ActionKey) -> Result<Self, StoreError> {
        let node = wanted.actor.node().map(NodeSmallId::get);
        let stack = wanted.action.stack().map(StackSmallId::get);
        Ok(Self {
            kind: wanted.action.kind(),
            action: json("an action", &wanted.action)?,
            actor: json("an actor", &wanted.actor)?,
            gas: json("gas options", &wanted.gas)?,
            node: node.map(|id| hex(&number(id))),
            stack: stack.map(|id| hex(&number(id))),
            key: key.as_str(),
        })
    }
}

/// Writes intents down in this order; tells their numbers by their keys.
async fn insert(
    connection: &mut SqliteConnection,
    new: &[Row<'_>],
    now: TimestampMs,
) -> Result<HashMap<String, IntentId>, StoreError> {
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "INSERT INTO intents (kind, action, actor, gas, node_small_id, stack_small_id, \
         action_key, holds_key, status, created_at, updated_at) \
         SELECT value ->> 'kind', value ->> 'action', value ->> 'actor', value ->> 'gas', \
         unhex(value ->> 'node'), unhex(value ->> 'stack'), \
         value ->> 'key', 1, 'queued', ?2, ?2 \
         FROM json_each(?1) ORDER BY json_each.key \
         RETURNING id, action_key",
    )
    .bind(json("intents", &new)?)
    .bind(number(now.get()))
    .fetch_all(connection)
    .await
    .map_err(unavailable)?;
    rows.iter()
        .map(|row| {
            let cells = Cells::new(row, "intents", "id");
            let id = IntentId::new(cells.row_number("id")?);
            Ok((cells.text("action_key")?.to_owned(), id))
        })
        .collect()
}
