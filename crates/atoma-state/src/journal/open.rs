//! The transition that opens intents.

use std::collections::{BTreeSet, HashMap, HashSet};

use atoma_domain::journal::{Action, ActionKey, Failure, Intent, IntentStatus, NewIntent};
use atoma_domain::ports::{Opened, StoreError};
use atoma_domain::{IntentId, NodeSmallId, StackSmallId, TimestampMs};
use serde::Serialize;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::preconditions::LockedStacks;
use super::{freeze, rows};
use crate::batch::Batch;
use crate::columns::{Cells, hex, json, number};
use crate::work;

/// Opens intents, each on its own merits: inserts it, joins it to an equal one that is under way (also to
/// one of these), or refuses it. Freezes the records that the new ones need frozen, and ends expired
/// reservations of their stacks. Two round trips, however many intents.
pub(super) async fn open(
    connection: &mut SqliteConnection,
    wanted: &[NewIntent],
    now: TimestampMs,
) -> Result<Vec<Opened>, StoreError> {
    let keys: Vec<ActionKey> = wanted
        .iter()
        .map(|wanted| wanted.action.key(&wanted.actor))
        .collect();
    let mut reads = Batch::new();
    KeyOwner::select(&mut reads, &keys)?;
    LockedStacks::select(&mut reads, wanted, now);
    let mut rows = reads.query(connection).await?;
    let mut owners = KeyOwner::read_all(&rows.next())?;
    let stacks = LockedStacks::read(&rows.next())?;
    // A rare third round trip, before the records are frozen.
    if stacks.have_reservations_to_end() {
        work::end_expired(connection, now).await?;
    }

    let mut taken: HashSet<&str> = owners.keys().map(String::as_str).collect();
    let mut new = Vec::new();
    let mut answers = Vec::with_capacity(wanted.len());
    for (place, (wanted, key)) in wanted.iter().zip(&keys).enumerate() {
        // An intent whose key is taken is answered by the key's owner, once that has a number.
        let refusal = match taken.contains(key.as_str()) {
            true => None,
            false => stacks.refusal(wanted),
        };
        if refusal.is_none() && taken.insert(key.as_str()) {
            new.push(place);
        }
        answers.push(refusal.map(Opened::Refused));
    }
    drop(taken);

    let rows: Vec<Row> = new
        .iter()
        .map(|&place| Row::new(&wanted[place], &keys[place]))
        .collect::<Result<_, _>>()?;
    let records = stacks.records(new.iter().map(|&place| &wanted[place].action));
    let ids = insert(connection, &rows, &records, now).await?;
    for place in new {
        let key = keys[place].as_str();
        let NewIntent { action, actor, gas } = wanted[place].clone();
        let id = *ids.get(key).ok_or_else(|| lost(key))?;
        let intent = Intent {
            id,
            action,
            actor,
            gas,
        };
        answers[place] = Some(Opened::New(intent.clone()));
        let status = IntentStatus::Queued;
        owners.insert(key.to_owned(), Ok(KeyOwner { intent, status }));
    }
    let answers = answers.into_iter().zip(wanted).zip(&keys);
    answers
        .map(|((answer, wanted), key)| match answer {
            Some(answer) => Ok(answer),
            None => {
                let key = key.as_str();
                let owner = owners.get(key).ok_or_else(|| lost(key))?;
                Ok(match owner {
                    Ok(owner) => owner.answer(wanted),
                    Err(unreadable) => Opened::Refused(unreadable.clone()),
                })
            }
        })
        .collect()
}

/// The database did not return the number of a row that it inserted.
fn lost(key: &str) -> StoreError {
    StoreError::Missing {
        what: format!("the intent that holds {key}"),
    }
}

/// The intent that holds a key.
struct KeyOwner {
    intent: Intent,
    status: IntentStatus,
}

impl KeyOwner {
    /// Adds the statement whose rows [`read_all`](Self::read_all) takes.
    fn select(reads: &mut Batch, keys: &[ActionKey]) -> Result<(), StoreError> {
        let keys: Vec<&str> = keys.iter().map(ActionKey::as_str).collect();
        reads
            .statement(
                "SELECT * FROM intents WHERE holds_key = 1 \
                 AND action_key IN (SELECT value FROM json_each($1))",
            )
            .bind(json("the keys of intents", &keys)?);
        Ok(())
    }

    /// The owners by key. One that can't be read costs only the intents that need its key.
    fn read_all(rows: &[SqliteRow]) -> Result<HashMap<String, Result<Self, Failure>>, StoreError> {
        rows.iter()
            .map(|row| {
                let key = Cells::new(row, "intents", "id").text("action_key")?;
                let owner = Self::read(row).map_err(|error| Failure::Internal {
                    reason: format!("the transaction that holds {key} can't be read: {error}"),
                });
                Ok((key.to_owned(), owner))
            })
            .collect()
    }

    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            intent: rows::intent(row)?,
            status: rows::intent_status(&Cells::new(row, "intents", "id"))?,
        })
    }

    /// The answer to another intent that needs the key.
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

/// Why an action that can be done once can't be done again.
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
        // These give their key back when they succeed: no final intent holds it.
        Action::RegisterNode { .. }
        | Action::SubscribeToModel { .. }
        | Action::SubscribeToTask { .. }
        | Action::UpdateSubscription { .. }
        | Action::UnsubscribeFromTask { .. }
        | Action::RotateNodeKey { .. }
        | Action::WithdrawFees {} => Failure::InFlightWithOtherParameters { transaction_id },
    }
}

/// An intent as it is inserted.
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

/// Freezes the records of these stacks and inserts the intents, in this order; returns their numbers
/// by key.
async fn insert(
    connection: &mut SqliteConnection,
    new: &[Row<'_>],
    records: &BTreeSet<StackSmallId>,
    now: TimestampMs,
) -> Result<HashMap<String, IntentId>, StoreError> {
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    let mut writes = Batch::new();
    // First, since the schema takes no intent that needs a frozen record while it is not frozen.
    freeze::freeze(&mut writes, records);
    writes
        .statement(
            "INSERT INTO intents (kind, action, actor, gas, node_small_id, stack_small_id, \
             action_key, holds_key, status, created_at, updated_at) \
             SELECT value ->> 'kind', value ->> 'action', value ->> 'actor', value ->> 'gas', \
             unhex(value ->> 'node'), unhex(value ->> 'stack'), \
             value ->> 'key', 1, 'queued', $2, $2 \
             FROM json_each($1) ORDER BY json_each.key \
             RETURNING id, action_key",
        )
        .bind(json("intents", &new)?)
        .bind(number(now.get()))
        .changing(new.len());
    let mut results = writes.query(connection).await?;
    let _frozen = results.next();
    results
        .next()
        .iter()
        .map(|row| {
            let cells = Cells::new(row, "intents", "id");
            let id = IntentId::new(cells.row_number("id")?);
            Ok((cells.text("action_key")?.to_owned(), id))
        })
        .collect()
}
