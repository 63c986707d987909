//! What can be taken, by the mirror and the records that are here.

use atoma_domain::ports::StoreError;
use atoma_domain::{Address, ComputeUnits, Hash32, NodeSmallId, ObjectId, TimestampMs};
use sqlx::SqliteConnection;

use super::records::EarlierRecords;
use super::refusal::NotTaken;
use super::work::EarlierWork;
use crate::columns::{Cells, number};
use crate::error::statement_failed;
use crate::store::SqliteState;
use crate::work::{ServedStack, StoredRecord};

/// A stack of the earlier node's database, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedStack {
    /// The stack's small id as it is stored there. A negative one is none.
    pub stack_small_id: i64,
    /// What is taken, or why nothing is.
    pub verdict: Result<TakenWork, NotTaken>,
}

/// A record that is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenWork {
    /// The stack's selected node, whose record it is.
    pub node_small_id: NodeSmallId,
    /// The number of messages.
    pub num_total_messages: u64,
    /// The units computed, at most the stack's.
    pub already_computed_units: ComputeUnits,
    /// The units that were counted beyond the stack's. They are not paid, as when a message is recorded.
    pub num_uncovered_units: ComputeUnits,
    /// The Merkle root over the messages.
    pub merkle_root: Hash32,
}

/// Says what [`take`] would do. Changes nothing, and a store that is open for reading will do.
///
/// # Errors
/// When the database fails.
pub async fn judge(
    store: &SqliteState,
    records: &EarlierRecords,
) -> Result<Vec<JudgedStack>, StoreError> {
    let mut snapshot = store.snapshot().await?;
    judge_all(&mut snapshot, records, Then::Leave).await
}

/// Takes over all records that can be taken, in one database transaction. Of a record that was taken before, nothing is
/// taken again.
///
/// # Errors
/// When the database fails. Nothing is taken then.
pub async fn take(
    store: &SqliteState,
    records: &EarlierRecords,
    now: TimestampMs,
) -> Result<Vec<JudgedStack>, StoreError> {
    let mut transaction = store.write().await?;
    let judged = judge_all(&mut transaction, records, Then::Take { now }).await;
    transaction.end(judged).await
}

/// What to do with what can be taken.
#[derive(Clone, Copy)]
enum Then {
    Leave,
    Take { now: TimestampMs },
}

async fn judge_all(
    connection: &mut SqliteConnection,
    records: &EarlierRecords,
    then: Then,
) -> Result<Vec<JudgedStack>, StoreError> {
    let mut judged = Vec::with_capacity(records.0.len());
    for (stack_small_id, work) in &records.0 {
        let verdict = match work {
            Ok(work) => judge_one(connection, work, then).await?,
            Err(refusal) => Err(refusal.clone()),
        };
        judged.push(JudgedStack {
            stack_small_id: *stack_small_id,
            verdict,
        });
    }
    Ok(judged)
}

async fn judge_one(
    connection: &mut SqliteConnection,
    work: &EarlierWork,
    then: Then,
) -> Result<Result<TakenWork, NotTaken>, StoreError> {
    let mut record = match find_room(connection, work).await? {
        Ok(record) => record,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Then::Take { now } = then {
        record.take_over(work.accumulator.clone(), work.covered(), now);
        record.save(connection).await?;
    }
    Ok(Ok(taken(work)))
}

fn taken(work: &EarlierWork) -> TakenWork {
    TakenWork {
        node_small_id: work.node,
        num_total_messages: work.accumulator.messages(),
        already_computed_units: work.covered(),
        num_uncovered_units: work.uncovered(),
        // It has messages, so it has a root.
        merkle_root: work.accumulator.root().unwrap_or(Hash32::ZERO),
    }
}

/// The empty record that the work can go to, or why there is none.
async fn find_room(
    connection: &mut SqliteConnection,
    work: &EarlierWork,
) -> Result<Result<StoredRecord, NotTaken>, StoreError> {
    let unknown = || match work.is_closed {
        // A mirror that began with the present state has no stacks that were claimed before.
        true => NotTaken::ClosedBefore,
        false => NotTaken::UnknownStack,
    };
    let Some(bought) = Bought::load(connection, work).await? else {
        return Ok(Err(unknown()));
    };
    let Some(stack) = ServedStack::load(connection, work.stack).await? else {
        return Ok(Err(unknown()));
    };
    if let Some(column) = bought.difference(&stack, work) {
        return Ok(Err(NotTaken::OtherStack { column }));
    }
    let record = StoredRecord::load(connection, &stack, stack.selected_node).await?;
    Ok(refusal(&bought, &stack, &record, work).map_or(Ok(record), Err))
}

fn refusal(
    bought: &Bought,
    stack: &ServedStack,
    record: &StoredRecord,
    work: &EarlierWork,
) -> Option<NotTaken> {
    let is_same = record.computed() == work.covered() && *record.accumulator() == work.accumulator;
    if stack.is_claimed {
        return Some(NotTaken::Claimed);
    }
    if stack.is_settled {
        return Some(NotTaken::InSettlement);
    }
    // The earlier node served its own stacks only.
    if !bought.is_own {
        return Some(NotTaken::OtherNode { node: work.node });
    }
    if stack.is_closed(record.is_frozen()) {
        return Some(NotTaken::InTransaction);
    }
    if is_same {
        return Some(NotTaken::TakenBefore);
    }
    if work.is_closed {
        return Some(NotTaken::MirrorBehind);
    }
    if record.messages() > 0 {
        return Some(NotTaken::HasMessages {
            messages: record.messages(),
        });
    }
    let free = record.free_units(stack.size);
    let units = work.covered();
    (units > free).then_some(NotTaken::Reserved { units, free })
}

/// What shows that a stack of the mirror is the one that the earlier node served.
struct Bought {
    /// Unknown if the purchase was not mirrored.
    badge: Option<ObjectId>,
    owner: Address,
    task: u64,
    is_own: bool,
}

impl Bought {
    async fn load(
        connection: &mut SqliteConnection,
        work: &EarlierWork,
    ) -> Result<Option<Self>, StoreError> {
        let row = sqlx::query(
            "SELECT s.stack_small_id, s.stack_id, s.owner_address, s.task_small_id, \
             EXISTS (SELECT 1 FROM operator_nodes n WHERE n.node_small_id = s.selected_node_id \
             AND n.address = (SELECT operator FROM ledger)) AS is_own \
             FROM stacks s WHERE s.stack_small_id = $1",
        )
        .bind(number(work.stack.get()))
        .fetch_optional(connection)
        .await
        .map_err(statement_failed)?;
        row.map(|row| {
            let cells = Cells::new(&row, "stacks", "stack_small_id");
            Ok(Self {
                badge: cells.optional_object_id("stack_id")?,
                owner: cells.object_id("owner_address")?,
                task: cells.number("task_small_id")?,
                is_own: cells.flag("is_own")?,
            })
        })
        .transpose()
    }

    /// The first column of the earlier node's row that is not the stack's.
    fn difference(&self, stack: &ServedStack, work: &EarlierWork) -> Option<&'static str> {
        [
            (
                "stack_id",
                self.badge.is_none_or(|badge| badge == work.badge),
            ),
            ("owner_address", self.owner == work.owner),
            ("task_small_id", self.task == work.task.get()),
            ("selected_node_id", stack.selected_node == work.node),
            ("num_compute_units", stack.size == work.size),
        ]
        .into_iter()
        .find_map(|(column, is_same)| (!is_same).then_some(column))
    }
}
