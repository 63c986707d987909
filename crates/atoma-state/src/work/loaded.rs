//! What a group of calls reads and changes, in memory. The rules run on it one call after the other; then all
//! changes are written together.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::model::StackChoice;
use atoma_domain::ports::StoreError;
use atoma_domain::{Address, StackSmallId, TimestampMs};
use sqlx::sqlite::SqliteRow;

use super::open_reservations::OpenReservations;
use super::recorded::RecordedMessages;
use super::records::Records;
use super::stack::ServedStack;
use crate::batch::Batch;
use crate::columns::Cells;
use crate::key_clock::KeyClock;

/// What a group of calls reads and changes.
#[derive(Clone)]
pub(super) struct Loaded {
    stacks: BTreeMap<StackSmallId, Arc<SqliteRow>>,
    choices: Vec<(Address, StackChoice)>,
    /// The stacks that match each choice, by their ids.
    candidates: BTreeMap<usize, BTreeMap<StackSmallId, Arc<SqliteRow>>>,
    pub(super) records: Records,
    pub(super) reservations: OpenReservations,
    pub(super) recorded: RecordedMessages,
}

impl Loaded {
    /// Nothing yet, for these choices of stacks.
    pub(super) fn new(choices: Vec<(Address, StackChoice)>, clock: Arc<KeyClock>) -> Self {
        Self {
            stacks: BTreeMap::new(),
            choices,
            candidates: BTreeMap::new(),
            records: Records::default(),
            reservations: OpenReservations::default(),
            recorded: RecordedMessages::new(clock),
        }
    }

    /// Takes the row of a stack.
    pub(super) fn take_stack(&mut self, row: Arc<SqliteRow>) -> Result<(), StoreError> {
        self.stacks.insert(id(&row)?, row);
        Ok(())
    }

    /// Takes the row of a stack that matches a choice, with its selected node's record.
    pub(super) fn take_candidate(&mut self, row: Arc<SqliteRow>) -> Result<(), StoreError> {
        let choice = Cells::new(&row, "stacks", "stack_small_id").small::<u32>("choice")?;
        let candidates = usize::try_from(choice).unwrap_or(usize::MAX);
        let candidates = self.candidates.entry(candidates).or_default();
        let id = id(&row)?;
        candidates.insert(id, Arc::clone(&row));
        // A reservation that is made on it may be corrected in the same group.
        self.stacks.entry(id).or_insert_with(|| Arc::clone(&row));
        self.records.take(row)
    }

    /// The stack of that id; `None` if it is not in the mirror.
    pub(super) fn stack(&self, id: StackSmallId) -> Result<Option<ServedStack>, StoreError> {
        let row = self.stacks.get(&id);
        row.map(|row| ServedStack::read(row)).transpose()
    }

    /// The owner's stacks that match a choice, ascending.
    pub(super) fn matching(
        &self,
        owner: Address,
        choice: &StackChoice,
    ) -> Result<Vec<ServedStack>, StoreError> {
        let mut choices = self.choices.iter();
        let place = choices.position(|(of, known)| *of == owner && known == choice);
        let rows = place.and_then(|place| self.candidates.get(&place));
        let rows = rows.into_iter().flat_map(BTreeMap::values);
        rows.map(|row| ServedStack::read(row)).collect()
    }

    /// Ends the reservations whose lease has expired, and gives their units back. Every write that an
    /// expired reservation could block calls this first, so that nothing depends on a timer. Shortens a
    /// lease to the [latest expiry](super::LATEST_EXPIRY) if it runs longer.
    pub(super) fn end_expired(&mut self, now: TimestampMs) {
        self.reservations.shorten(now);
        for id in self.reservations.expired(now) {
            self.release(id);
        }
    }

    /// Ends a reservation, and gives its units back; false if there is none. It reads nothing else of the
    /// record, because a damaged one must not fail the writes of all other stacks.
    pub(super) fn release(&mut self, id: i64) -> bool {
        let Some(ended) = self.reservations.end(id) else {
            return false;
        };
        self.records.give_back(ended);
        true
    }

    /// What changes, as statements.
    pub(super) fn writes(&self) -> Batch {
        let mut batch = Batch::new();
        self.records.write(&mut batch);
        self.reservations.write(&mut batch);
        self.recorded.write(&mut batch);
        batch
    }
}

fn id(row: &SqliteRow) -> Result<StackSmallId, StoreError> {
    let cells = Cells::new(row, "stacks", "stack_small_id");
    cells.number("stack_small_id").map(StackSmallId::new)
}
