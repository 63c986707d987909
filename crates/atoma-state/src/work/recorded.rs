//! Messages that were recorded under a client's id or key, so that a repeated request records nothing
//! twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::journal::RequestKey;
use atoma_domain::model::{MessageId, MessageWarning, NewMessage, RecordedMessage};
use atoma_domain::ports::{RecordError, StoreError};
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, StackSmallId};
use sqlx::sqlite::SqliteRow;

use crate::batch::Batch;
use crate::columns::{Cells, JsonRows, bytes_set, number};
use crate::key_clock::{KeyClock, KeyTime, StoredClock, oldest};

/// Those messages that a group of calls reads and records, and the time that their keys age by.
#[derive(Clone)]
pub(super) struct RecordedMessages {
    by_id: BTreeMap<(StackSmallId, NodeSmallId, String), Recorded>,
    by_key: BTreeMap<String, Recorded>,
    new: Vec<New>,
    /// Keys are forgotten that are older than one of these, by the key clock and by the system's clock.
    outlived: Vec<(Vec<u8>, Vec<u8>)>,
    /// Stored keys that are too old, and used again.
    reused: Vec<String>,
    clock: Arc<KeyClock>,
    stored_clock: StoredClock,
    has_stepped: bool,
}

#[derive(Clone)]
enum Recorded {
    Row(Arc<SqliteRow>),
    /// A place in the list of new ones.
    New(usize),
}

#[derive(Clone)]
struct New {
    message: NewMessage,
    node: NodeSmallId,
    answer: RecordedMessage,
    /// The moment by the key clock. `None` without a key, also after the key is forgotten.
    key_stored: Option<u64>,
}

impl RecordedMessages {
    pub(super) fn new(clock: Arc<KeyClock>) -> Self {
        Self {
            by_id: BTreeMap::new(),
            by_key: BTreeMap::new(),
            new: Vec::new(),
            outlived: Vec::new(),
            reused: Vec::new(),
            clock,
            stored_clock: StoredClock::default(),
            has_stepped: false,
        }
    }

    /// Takes a row of recorded_messages that was found by its id.
    pub(super) fn take_by_id(&mut self, row: Arc<SqliteRow>) -> Result<(), StoreError> {
        let cells = cells(&row);
        let stack = StackSmallId::new(cells.number("stack_small_id")?);
        let node = NodeSmallId::new(cells.number("node_small_id")?);
        let id = cells.text("message_id")?.to_owned();
        self.by_id.insert((stack, node, id), Recorded::Row(row));
        Ok(())
    }

    /// Takes a row of recorded_messages that was found by its key.
    pub(super) fn take_by_key(&mut self, row: Arc<SqliteRow>) -> Result<(), StoreError> {
        let scope = cells(&row).text("request_scope")?.to_owned();
        self.by_key.insert(scope, Recorded::Row(row));
        Ok(())
    }

    /// Takes the row of the key clock, if there is one.
    pub(super) fn take_clock(&mut self, row: Option<&SqliteRow>) {
        self.stored_clock = StoredClock::read(row);
    }

    /// What was recorded under the message's key; `None` for a new or expired key, or none. With another body a
    /// key is free after its lifetime by the system's clock. The same request counts as a repetition until both
    /// clocks say so: a message that is recorded twice can cost the stack.
    ///
    /// # Errors
    /// [`RecordError::OtherRequest`] when the key was used with another body.
    pub(super) fn of_request(
        &self,
        message: &NewMessage,
    ) -> Result<Option<RecordedMessage>, RecordError> {
        let Some(key) = &message.request else {
            return Ok(None);
        };
        let Some(recorded) = self.by_key.get(&key.scope) else {
            return Ok(None);
        };
        let now = message.recorded_at;
        let recorded_at = self.recorded_at(recorded)?;
        if self.body(recorded)? != Some(key.body) {
            return match recorded_at < oldest(now) {
                true => Ok(None),
                false => Err(RecordError::OtherRequest),
            };
        }
        let Some(key_stored) = self.key_stored(recorded)? else {
            return Ok(None);
        };
        let clock = self.stored_clock;
        match clock.is_repeatable(&self.clock, now, recorded_at, key_stored) {
            true => Ok(Some(self.answer(recorded, message)?)),
            false => Ok(None),
        }
    }

    /// What was recorded under the message's id, in the record of this node; `None` for a new id, or none.
    ///
    /// # Errors
    /// [`RecordError::OtherMessage`] when a message with another hash was.
    pub(super) fn of_id(
        &self,
        message: &NewMessage,
        node: NodeSmallId,
    ) -> Result<Option<RecordedMessage>, RecordError> {
        let Some(id) = &message.id else {
            return Ok(None);
        };
        let stack = message.stack_small_id;
        let Some(recorded) = self.by_id.get(&(stack, node, id.to_string())) else {
            return Ok(None);
        };
        if self.message_hash(recorded)? != Some(message.message_hash) {
            let id = id.clone();
            return Err(RecordError::OtherMessage { id, stack });
        }
        Ok(Some(self.answer(recorded, message)?))
    }

    /// Stores the answer under the message's id and key, if it has any. Forgets the keys that are too old by
    /// both clocks.
    pub(super) fn remember(
        &mut self,
        message: NewMessage,
        node: NodeSmallId,
        answer: &RecordedMessage,
    ) {
        if message.id.is_none() && message.request.is_none() {
            return;
        }
        let place = self.new.len();
        let mut key_stored = None;
        if let Some(key) = &message.request {
            let time = self.stored_clock.step(&self.clock, message.recorded_at);
            self.has_stepped = true;
            self.forget_outlived(&time);
            self.forget(&key.scope);
            self.by_key.insert(key.scope.clone(), Recorded::New(place));
            key_stored = Some(time.elapsed());
        }
        if let Some(id) = &message.id {
            let id = (message.stack_small_id, node, id.to_string());
            self.by_id.insert(id, Recorded::New(place));
        }
        self.new.push(New {
            message,
            node,
            answer: answer.clone(),
            key_stored,
        });
    }

    /// Forgets the keys that are too old by both clocks.
    fn forget_outlived(&mut self, time: &KeyTime) {
        let outlived = self.by_key.iter().filter(|(_, recorded)| {
            let stored = (self.recorded_at(recorded), self.key_stored(recorded));
            // One that can't be read stays, in the database too.
            matches!(stored, (Ok(at), Ok(Some(key_stored))) if time.has_outlived(at, key_stored))
        });
        let outlived: Vec<String> = outlived.map(|(scope, _)| scope.clone()).collect();
        for scope in outlived {
            self.drop_key(&scope);
        }
        let age = (time.oldest_stored(), time.oldest());
        let covers = |(stored, at): &(Vec<u8>, Vec<u8>), other: &(Vec<u8>, Vec<u8>)| {
            *stored >= other.0 && *at >= other.1
        };
        if !self.outlived.iter().any(|known| covers(known, &age)) {
            self.outlived.retain(|known| !covers(&age, known));
            self.outlived.push(age);
        }
    }

    /// Forgets a key that is about to be used again. Its message stays if it has an id.
    fn forget(&mut self, scope: &str) {
        if let Some(Recorded::Row(_)) = self.drop_key(scope) {
            self.reused.push(scope.to_owned());
        }
    }

    fn drop_key(&mut self, scope: &str) -> Option<Recorded> {
        let dropped = self.by_key.remove(scope)?;
        if let Recorded::New(place) = dropped
            && let Some(new) = self.new.get_mut(place)
        {
            new.message.request = None;
            new.key_stored = None;
        }
        Some(dropped)
    }

    /// Adds what has changed to a batch.
    pub(super) fn write(&self, batch: &mut Batch) {
        for (stored, at) in &self.outlived {
            for statement in [
                "DELETE FROM recorded_messages WHERE request_scope IS NOT NULL \
                 AND key_stored < $1 AND recorded_at < $2 AND message_id IS NULL",
                "UPDATE recorded_messages \
                 SET request_scope = NULL, request_body = NULL, key_stored = NULL \
                 WHERE request_scope IS NOT NULL AND key_stored < $1 AND recorded_at < $2",
            ] {
                batch
                    .statement(statement)
                    .bind(stored.clone())
                    .bind(at.clone());
            }
        }
        if !self.reused.is_empty() {
            for statement in [
                "DELETE FROM recorded_messages WHERE message_id IS NULL AND request_scope IN \
                 (SELECT CAST(unhex(value) AS TEXT) FROM json_each($1))",
                "UPDATE recorded_messages \
                 SET request_scope = NULL, request_body = NULL, key_stored = NULL \
                 WHERE request_scope IN (SELECT CAST(unhex(value) AS TEXT) FROM json_each($1))",
            ] {
                batch.statement(statement).bind(bytes_set(&self.reused));
            }
        }
        let mut rows = JsonRows::default();
        for new in &self.new {
            new.write(&mut rows);
        }
        batch.rows(
            "INSERT INTO recorded_messages (stack_small_id, node_small_id, message_id, \
             request_scope, request_body, message_hash, num_compute_units, num_total_messages, \
             computed_units, merkle_root, num_uncovered_units, recorded_at, key_stored) \
             SELECT unhex(value ->> 0), unhex(value ->> 1), CAST(unhex(value ->> 2) AS TEXT), \
             CAST(unhex(value ->> 3) AS TEXT), unhex(value ->> 4), unhex(value ->> 5), \
             unhex(value ->> 6), unhex(value ->> 7), unhex(value ->> 8), unhex(value ->> 9), \
             unhex(value ->> 10), unhex(value ->> 11), unhex(value ->> 12) \
             FROM json_each($1) ORDER BY key",
            rows,
        );
        if self.has_stepped
            && let Some((stepped_at, elapsed)) = self.stored_clock.stored()
        {
            batch
                .statement(StoredClock::WRITE)
                .bind(stepped_at)
                .bind(elapsed);
        }
    }

    fn new_one(&self, place: usize) -> Result<&New, StoreError> {
        self.new.get(place).ok_or_else(|| StoreError::Missing {
            what: String::from("a message of the same group"),
        })
    }

    fn recorded_at(&self, recorded: &Recorded) -> Result<u64, StoreError> {
        match recorded {
            Recorded::Row(row) => cells(row).number("recorded_at"),
            Recorded::New(place) => Ok(self.new_one(*place)?.message.recorded_at.get()),
        }
    }

    fn key_stored(&self, recorded: &Recorded) -> Result<Option<u64>, StoreError> {
        match recorded {
            Recorded::Row(row) => cells(row).number("key_stored").map(Some),
            Recorded::New(place) => Ok(self.new_one(*place)?.key_stored),
        }
    }

    fn body(&self, recorded: &Recorded) -> Result<Option<Hash32>, StoreError> {
        match recorded {
            Recorded::Row(row) => cells(row).optional_hash("request_body"),
            Recorded::New(place) => {
                let request = self.new_one(*place)?.message.request.as_ref();
                Ok(request.map(|request| request.body))
            }
        }
    }

    fn message_hash(&self, recorded: &Recorded) -> Result<Option<Hash32>, StoreError> {
        match recorded {
            Recorded::Row(row) => cells(row).optional_hash("message_hash"),
            Recorded::New(place) => Ok(Some(self.new_one(*place)?.message.message_hash)),
        }
    }

    /// The answer to a repetition of the message.
    fn answer(
        &self,
        recorded: &Recorded,
        repetition: &NewMessage,
    ) -> Result<RecordedMessage, StoreError> {
        let (units, answer) = match recorded {
            Recorded::Row(row) => read(row)?,
            Recorded::New(place) => {
                let new = self.new_one(*place)?;
                (new.message.num_compute_units, new.answer.clone())
            }
        };
        let repeated = repetition.num_compute_units;
        let recorded = units;
        let other_units = MessageWarning::OtherUnits { recorded, repeated };
        let has_other_units = recorded != repeated;
        Ok(RecordedMessage {
            is_repetition: true,
            warnings: has_other_units.then_some(other_units).into_iter().collect(),
            ..answer
        })
    }
}

impl New {
    /// Adds its row, unless it has neither an id nor a key any more.
    fn write(&self, rows: &mut JsonRows) {
        let (message, answer) = (&self.message, &self.answer);
        let (id, key) = (message.id.as_ref(), message.request.as_ref());
        if id.is_none() && key.is_none() {
            return;
        }
        let key_stored = self.key_stored.map(number);
        rows.row()
            .bytes(&number(message.stack_small_id.get()))
            .bytes(&number(self.node.get()))
            .optional_bytes(id.map(MessageId::as_str).map(str::as_bytes))
            .optional_bytes(key.map(|key: &RequestKey| key.scope.as_bytes()))
            .optional_bytes(key.map(|key| key.body.as_bytes().as_slice()))
            .bytes(message.message_hash.as_bytes())
            .bytes(&number(message.num_compute_units.get()))
            .bytes(&number(answer.num_total_messages))
            .bytes(&number(answer.already_computed_units.get()))
            .bytes(answer.merkle_root.as_bytes())
            .bytes(&number(answer.num_uncovered_units.get()))
            .bytes(&number(message.recorded_at.get()))
            .optional_bytes(key_stored.as_deref());
    }
}

fn cells(row: &SqliteRow) -> Cells<'_> {
    Cells::new(row, "recorded_messages", "sequence")
}

/// The units of the message in a row, and the answer to it.
fn read(row: &SqliteRow) -> Result<(ComputeUnits, RecordedMessage), StoreError> {
    let cells = cells(row);
    let root = cells.bytes("merkle_root")?;
    let root = Hash32::try_from(root.as_slice());
    let answer = RecordedMessage {
        num_total_messages: cells.number("num_total_messages")?,
        already_computed_units: ComputeUnits::new(cells.number("computed_units")?),
        merkle_root: root.map_err(|source| cells.corrupt("merkle_root", source))?,
        num_uncovered_units: ComputeUnits::new(cells.number("num_uncovered_units")?),
        is_repetition: false,
        warnings: Vec::new(),
    };
    let units = ComputeUnits::new(cells.number("num_compute_units")?);
    Ok((units, answer))
}
