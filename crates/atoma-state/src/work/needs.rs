//! What the calls of a group need to read: all of it at once, in the round trip in which their transaction begins.

use std::collections::BTreeSet;
use std::sync::Arc;

use atoma_domain::model::{Holder, NewMessage, StackChoice};
use atoma_domain::ports::StoreError;
use atoma_domain::{Address, ReservationId, TimestampMs};
use sqlx::Row as _;

use super::loaded::Loaded;
use super::open_reservations::LATEST_EXPIRY;
use super::record::work_record_columns;
use super::stack::served_stacks;
use crate::batch::{Batch, Results};
use crate::columns::{JsonRows, bytes_set, key_set, number, row_number};
use crate::error::statement_failed;
use crate::key_clock::{KeyClock, StoredClock};

/// What to read.
#[derive(Default)]
pub(super) struct Needs {
    /// The earliest and the latest time of the calls.
    times: Option<(TimestampMs, TimestampMs)>,
    stacks: BTreeSet<u64>,
    /// Reservations whose stacks are needed too.
    corrected: BTreeSet<i64>,
    message_ids: JsonRows,
    message_keys: BTreeSet<String>,
    reservations: BTreeSet<i64>,
    reservation_keys: BTreeSet<String>,
    holders: BTreeSet<String>,
    choices: Vec<(Address, StackChoice)>,
}

/// Which rows a statement returns.
#[derive(Clone, Copy)]
enum Kind {
    Stacks,
    Records,
    RecordedById,
    RecordedByKey,
    KeyClock,
    Reservations,
    LastReservation,
    Candidates,
}

/// Statements, and what they return.
pub(super) struct Reads {
    kinds: Vec<Kind>,
    choices: Vec<(Address, StackChoice)>,
}

impl Needs {
    /// A call at that time. It ends the reservations that have expired.
    pub(super) fn at(&mut self, now: TimestampMs) -> &mut Self {
        let (earliest, latest) = self.times.unwrap_or((now, now));
        self.times = Some((earliest.min(now), latest.max(now)));
        self
    }

    /// A message with its stack, all records of that, and what was recorded under its id or key.
    pub(super) fn message(&mut self, message: &NewMessage) {
        let stack = message.stack_small_id.get();
        self.stacks.insert(stack);
        if let Some(id) = &message.id {
            let node = message.node_small_id.map(|node| number(node.get()));
            self.message_ids
                .row()
                .bytes(&number(stack))
                .optional_bytes(node.as_deref())
                .bytes(id.as_str().as_bytes());
        }
        if let Some(key) = &message.request {
            self.message_keys.insert(key.scope.clone());
        }
        if let Some(id) = message.reservation {
            self.reservation(id);
        }
    }

    /// A reservation.
    pub(super) fn reservation(&mut self, id: ReservationId) -> &mut Self {
        self.reservations.extend(row_number(id.get()));
        self
    }

    /// The stack and the record of a reservation.
    pub(super) fn stack_of(&mut self, id: ReservationId) {
        self.corrected.extend(row_number(id.get()));
    }

    /// The reservation that was made under the key of that scope.
    pub(super) fn reservation_key(&mut self, scope: &str) {
        self.reservation_keys.insert(scope.to_owned());
    }

    /// The reservations of a holder.
    pub(super) fn held_by(&mut self, holder: &Holder) {
        self.holders.insert(holder.to_string());
    }

    /// The stacks of an owner to choose from, with their selected nodes' records.
    pub(super) fn choice(&mut self, owner: Address, choice: &StackChoice) {
        let choice = (owner, choice.clone());
        if !self.choices.contains(&choice) {
            self.choices.push(choice);
        }
    }

    /// The statements that read it all.
    pub(super) fn reads(self) -> (Batch, Reads) {
        let mut batch = Batch::new();
        let mut kinds = Vec::new();
        if !self.stacks.is_empty() || !self.corrected.is_empty() {
            let stacks = key_set(self.stacks.iter().copied());
            let corrected = row_numbers(&self.corrected);
            for (kind, statement) in [(Kind::Stacks, STACKS), (Kind::Records, RECORDS)] {
                kinds.push(kind);
                batch
                    .statement(statement)
                    .bind(stacks.clone())
                    .bind(corrected.clone());
            }
        }
        if let Some(ids) = self.message_ids.finish() {
            kinds.push(Kind::RecordedById);
            batch.statement(RECORDED_BY_ID).bind(ids);
        }
        if !self.message_keys.is_empty() {
            kinds.push(Kind::RecordedByKey);
            batch
                .statement(
                    "SELECT * FROM recorded_messages WHERE request_scope IN \
                     (SELECT CAST(unhex(value) AS TEXT) FROM json_each($1))",
                )
                .bind(bytes_set(&self.message_keys));
            kinds.push(Kind::KeyClock);
            batch.statement(StoredClock::READ);
        }
        for (choices, statement) in candidates(&self.choices) {
            if let Some(choices) = choices.finish() {
                kinds.push(Kind::Candidates);
                batch.statement(statement).bind(choices);
            }
        }
        if !self.reservations.is_empty() || !self.choices.is_empty() {
            kinds.push(Kind::LastReservation);
            batch.statement(LAST_RESERVATION);
        }
        if let Some((earliest, latest)) = self.times {
            let is_named = !self.reservations.is_empty()
                || !self.reservation_keys.is_empty()
                || !self.holders.is_empty();
            kinds.push(Kind::Reservations);
            batch
                .statement(if is_named { NAMED } else { EXPIRED })
                .bind(number(latest.get()))
                .bind(number(LATEST_EXPIRY.end(earliest).get()));
            if is_named {
                batch
                    .bind(row_numbers(&self.reservations))
                    .bind(bytes_set(&self.reservation_keys))
                    .bind(bytes_set(&self.holders));
            }
        }
        let choices = self.choices;
        (batch, Reads { kinds, choices })
    }
}

impl Reads {
    /// What the statements have returned.
    pub(super) fn take(
        self,
        mut results: Results,
        clock: Arc<KeyClock>,
    ) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded::new(self.choices, clock);
        for kind in self.kinds {
            let rows = results.next();
            if matches!(kind, Kind::KeyClock) {
                loaded.recorded.take_clock(rows.first());
                continue;
            }
            for row in rows.into_iter().map(Arc::new) {
                match kind {
                    Kind::Stacks => loaded.take_stack(row)?,
                    Kind::Records => loaded.records.take(row)?,
                    Kind::RecordedById => loaded.recorded.take_by_id(row)?,
                    Kind::RecordedByKey => loaded.recorded.take_by_key(row)?,
                    Kind::KeyClock => {}
                    Kind::Reservations => loaded.reservations.take(row)?,
                    Kind::LastReservation => {
                        let last = row.try_get("last").map_err(statement_failed)?;
                        loaded.reservations.take_last(last);
                    }
                    Kind::Candidates => loaded.take_candidate(row)?,
                }
            }
        }
        Ok(loaded)
    }
}

/// Row numbers as one parameter.
fn row_numbers(numbers: &BTreeSet<i64>) -> String {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// The stacks of messages, and those of reservations that are corrected.
macro_rules! of_stacks {
    () => {
        ".stack_small_id IN (SELECT unhex(value) FROM json_each($1) \
         UNION ALL SELECT r.stack_small_id FROM reservations r \
         WHERE r.id IN (SELECT value FROM json_each($2)))"
    };
}

const STACKS: &str = concat!(
    "SELECT ",
    served_stacks!(),
    " FROM stacks s WHERE s",
    of_stacks!()
);

const RECORDS: &str = concat!(
    "SELECT w.stack_small_id, ",
    work_record_columns!(),
    " FROM work_records w WHERE w",
    of_stacks!()
);

const RECORDED_BY_ID: &str = "SELECT r.* FROM json_each($1) \
     CROSS JOIN stacks s ON s.stack_small_id = unhex(value ->> 0) \
     CROSS JOIN recorded_messages r ON r.stack_small_id = s.stack_small_id \
     AND r.node_small_id = coalesce(unhex(value ->> 1), s.selected_node_id) \
     AND r.message_id = CAST(unhex(value ->> 2) AS TEXT)";

/// SQLite never gives out a number twice.
const LAST_RESERVATION: &str = "SELECT max(\
     coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'reservations'), 0), \
     coalesce((SELECT max(id) FROM reservations), 0)) AS last";

/// All reservations of the stacks of some: of those that have expired or run for too long, and of the named ones. A
/// record's reserved units are the sum of what is left, so that they never drift.
macro_rules! of_all_stacks_with {
    ($($named:literal)?) => {
        concat!(
            "SELECT * FROM reservations WHERE stack_small_id IN (\
             SELECT stack_small_id FROM reservations WHERE expires_at <= $1 \
             UNION ALL SELECT stack_small_id FROM reservations WHERE expires_at > $2",
            $($named,)?
            ")"
        )
    };
}

const EXPIRED: &str = of_all_stacks_with!();
const NAMED: &str = of_all_stacks_with!(
    " UNION ALL SELECT stack_small_id FROM reservations \
     WHERE id IN (SELECT value FROM json_each($3)) \
     UNION ALL SELECT stack_small_id FROM reservations \
     WHERE request_scope IN (SELECT CAST(unhex(value) AS TEXT) FROM json_each($4)) \
     UNION ALL SELECT stack_small_id FROM reservations \
     WHERE holder IN (SELECT CAST(unhex(value) AS TEXT) FROM json_each($5))"
);

/// Selects the stacks of owners, with the selected nodes' records, for choices of one kind.
macro_rules! stacks_of_owners {
    ($($condition:expr),+) => {
        concat!(
            "SELECT c.value ->> 0 AS choice, ",
            served_stacks!(),
            ", ",
            work_record_columns!(),
            " FROM json_each($1) c CROSS JOIN stacks s LEFT JOIN work_records w \
             ON w.stack_small_id = s.stack_small_id AND w.node_small_id = s.selected_node_id \
             WHERE s.owner_address = unhex(c.value ->> 1) AND ",
            $($condition,)+
        )
    };
}

/// The condition that one of the operator's nodes can still serve the stack `s`.
macro_rules! served_here {
    () => {
        "s.is_claimed = 0 AND s.selected_node_id IN (SELECT n.node_small_id FROM operator_nodes n \
         WHERE n.address = (SELECT operator FROM ledger)) AND s.task_small_id "
    };
}

/// The choices by kind, with their numbers, and the statement for each kind.
fn candidates(choices: &[(Address, StackChoice)]) -> [(JsonRows, &'static str); 3] {
    let [mut by_id, mut by_task, mut by_model] = <[JsonRows; 3]>::default();
    for (index, (owner, choice)) in choices.iter().enumerate() {
        let add = |rows: &mut JsonRows, value: &[u8]| {
            rows.row().index(index).bytes(owner.as_bytes()).bytes(value);
        };
        match choice {
            StackChoice::Stack(id) => add(&mut by_id, &number(id.get())),
            StackChoice::Task(id) => add(&mut by_task, &number(id.get())),
            StackChoice::Model(name) => add(&mut by_model, name.as_bytes()),
        }
    }
    [
        (
            by_id,
            stacks_of_owners!("s.stack_small_id = unhex(c.value ->> 2)"),
        ),
        (
            by_task,
            stacks_of_owners!(served_here!(), "= unhex(c.value ->> 2)"),
        ),
        (
            by_model,
            stacks_of_owners!(
                served_here!(),
                "IN (SELECT k.task_small_id FROM tasks k \
                 WHERE k.model_name = CAST(unhex(c.value ->> 2) AS TEXT))"
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqlitePoolOptions;
    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;
    use crate::schema::MIGRATIONS;

    /// Each group runs these: none of them may read a whole table.
    #[tokio::test]
    async fn groups_read_by_indexes() {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await.unwrap();
        MIGRATIONS.run(&pool).await.unwrap();
        let choices = candidates(&[]).map(|(_, statement)| statement);
        let statements = [STACKS, RECORDS, RECORDED_BY_ID, EXPIRED, NAMED];
        for statement in statements.into_iter().chain(choices) {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
            let plan = plan.fetch_all(&pool).await.unwrap();
            for step in &plan {
                let step: &str = step.get("detail");
                // One row, and the tasks of a model: there are few tasks.
                let is_small = ["SCAN ledger", "SCAN k"].contains(&step);
                let is_scan = step.starts_with("SCAN") && !is_small;
                let is_of_rows = step.contains("json_each") || step.starts_with("SCAN c ");
                assert!(!is_scan || is_of_rows, "{statement}: {step}");
            }
        }
    }
}
