//! One node's record of one stack.

use atoma_domain::model::{Fill, WorkRecord};
use atoma_domain::ports::StoreError;
use atoma_domain::settlement::StackAccumulator;
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, ObjectId, StackSmallId, TimestampMs};
use futures::TryStreamExt as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::stack::ServedStack;
use crate::batch::Batch;
use crate::columns::{Cells, JsonRows, fill_level, number};
use crate::error::{out_of_range, statement_failed};

const TABLE: &str = "work_records";
const KEY: &str = "stack_small_id";

/// The columns that [`work_record`] reads, of rows of work_records `w`.
macro_rules! work_records {
    () => {
        "w.stack_small_id, w.messages, w.peaks, w.merkle_root, w.computed_units, w.reserved_units, \
         w.recorded_at, w.is_draining, w.is_frozen, \
         (w.is_frozen OR EXISTS (SELECT 1 FROM settlements t \
          WHERE t.stack_small_id = w.stack_small_id \
          AND t.selected_node_id = w.node_small_id)) AS is_closed"
    };
}
pub(super) use work_records;

/// The columns that [`StoredRecord::of_row`] reads, of rows of work_records `w`.
macro_rules! work_record_columns {
    () => {
        "w.node_small_id, w.messages, w.peaks, w.merkle_root, w.computed_units, w.reserved_units, \
         w.recorded_at, w.is_draining, w.is_frozen"
    };
}
pub(super) use work_record_columns;

/// Reads all records and returns the first that contradicts itself. SQLite sees only damage to the structure of
/// its pages, and none to what a record says.
///
/// # Errors
/// When the database can't be read.
pub(crate) async fn find_damaged(
    connection: &mut SqliteConnection,
) -> Result<Option<String>, StoreError> {
    let mut rows = sqlx::query("SELECT * FROM work_records").fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(statement_failed)? {
        let cells = Cells::new(&row, TABLE, KEY);
        let record = cells.number(KEY).and_then(|stack| {
            let node = NodeSmallId::new(cells.number("node_small_id")?);
            StoredRecord::read(&row, StackSmallId::new(stack), node, None)
        });
        if let Err(error) = record {
            return Ok(Some(error.to_string()));
        }
    }
    Ok(None)
}

/// A node's record of a stack with at least one message.
pub(super) fn work_record(
    row: &SqliteRow,
    stack: StackSmallId,
    node: NodeSmallId,
) -> Result<WorkRecord, StoreError> {
    // It is not saved, so its fill doesn't matter.
    let record = StoredRecord::read(row, stack, node, None)?;
    Ok(WorkRecord {
        stack_small_id: stack,
        node_small_id: node,
        accumulator: record.accumulator,
        computed_units: record.computed,
        is_frozen: Cells::new(row, TABLE, KEY).flag("is_closed")?,
    })
}

/// Which record: the stored bytes, which need not be valid ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordKey {
    pub(super) stack: Vec<u8>,
    pub(super) node: Vec<u8>,
}

impl RecordKey {
    /// The record of a node for a stack.
    pub(super) fn of(stack: StackSmallId, node: NodeSmallId) -> Self {
        Self {
            stack: number(stack.get()),
            node: number(node.get()),
        }
    }

    /// Reads the columns `stack_small_id` and `node_small_id`.
    pub(super) fn read(cells: &Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            stack: cells.bytes("stack_small_id")?,
            node: cells.bytes("node_small_id")?,
        })
    }
}

/// A record that is loaded, changed and saved in one transaction.
#[derive(Clone)]
pub(crate) struct StoredRecord {
    stack: StackSmallId,
    node: NodeSmallId,
    accumulator: StackAccumulator,
    computed: ComputeUnits,
    reserved: ComputeUnits,
    recorded_at: Option<TimestampMs>,
    is_draining: bool,
    is_frozen: bool,
    /// The units of the stack; `None` if the node is not the selected one.
    size: Option<ComputeUnits>,
}

impl StoredRecord {
    /// The stored record, or an empty one.
    pub(crate) async fn load(
        connection: &mut SqliteConnection,
        stack: &ServedStack,
        node: NodeSmallId,
    ) -> Result<Self, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM work_records WHERE stack_small_id = $1 AND node_small_id = $2",
        )
        .bind(number(stack.id.get()))
        .bind(number(node.get()))
        .fetch_optional(connection)
        .await
        .map_err(statement_failed)?;
        match row {
            Some(row) => Self::of_row(&row, stack, node),
            None => Ok(Self::empty(stack, node)),
        }
    }

    /// A record without messages.
    pub(super) fn empty(stack: &ServedStack, node: NodeSmallId) -> Self {
        Self {
            stack: stack.id,
            node,
            accumulator: StackAccumulator::new(),
            computed: ComputeUnits::ZERO,
            reserved: ComputeUnits::ZERO,
            recorded_at: None,
            is_draining: false,
            is_frozen: false,
            size: stack.size_for(node),
        }
    }

    /// The record in a row of this stack and node.
    pub(super) fn of_row(
        row: &SqliteRow,
        stack: &ServedStack,
        node: NodeSmallId,
    ) -> Result<Self, StoreError> {
        Self::read(row, stack.id, node, stack.size_for(node))
    }

    fn read(
        row: &SqliteRow,
        stack: StackSmallId,
        node: NodeSmallId,
        size: Option<ComputeUnits>,
    ) -> Result<Self, StoreError> {
        let cells = Cells::new(row, TABLE, KEY);
        let accumulator =
            StackAccumulator::from_parts(cells.number("messages")?, cells.hashes("peaks")?)
                .map_err(|source| cells.corrupt("peaks", source))?;
        // A settlement with a wrong root is a false one, so one flipped bit must show.
        if accumulator
            .root()
            .map(|root| ObjectId::new(*root.as_bytes()))
            != cells.optional_object_id("merkle_root")?
        {
            return Err(cells.corrupt("merkle_root", "it is not the root of the peaks"));
        }
        Ok(Self {
            stack,
            node,
            accumulator,
            computed: ComputeUnits::new(cells.number("computed_units")?),
            reserved: ComputeUnits::new(cells.number("reserved_units")?),
            recorded_at: cells.optional_number("recorded_at")?.map(TimestampMs::new),
            is_draining: cells.flag("is_draining")?,
            is_frozen: cells.flag("is_frozen")?,
            size,
        })
    }

    /// How full the stack is, if this is its selected node's record.
    fn fill(&self) -> Option<Fill> {
        self.size.map(|size| Fill::of(self.computed, size))
    }

    pub(crate) const fn is_frozen(&self) -> bool {
        self.is_frozen
    }

    /// Whether no more units can be reserved.
    pub(super) const fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// The units of a stack of that size that are neither computed nor reserved.
    pub(crate) fn free_units(&self, size: ComputeUnits) -> ComputeUnits {
        free_units(size, self.computed, self.reserved)
    }

    /// The units computed.
    pub(crate) const fn computed(&self) -> ComputeUnits {
        self.computed
    }

    /// The number of messages.
    pub(crate) const fn messages(&self) -> u64 {
        self.accumulator.messages()
    }

    /// The Merkle accumulator over the messages.
    pub(crate) const fn accumulator(&self) -> &StackAccumulator {
        &self.accumulator
    }

    /// Puts the messages and units of a record that was kept elsewhere in place of those here.
    pub(crate) fn take_over(
        &mut self,
        accumulator: StackAccumulator,
        computed: ComputeUnits,
        now: TimestampMs,
    ) {
        self.accumulator = accumulator;
        self.computed = computed;
        self.recorded_at = Some(now);
    }

    /// Adds a message to the accumulator and its units to those computed, and returns the new root.
    pub(super) fn append(
        &mut self,
        message: Hash32,
        units: ComputeUnits,
        now: TimestampMs,
    ) -> Result<Hash32, StoreError> {
        self.computed = add(self.computed, units)?;
        self.recorded_at = Some(now);
        self.accumulator
            .append(message)
            .map_err(|full| out_of_range(full.to_string()))?;
        // After an append there is a root.
        Ok(self.accumulator.root().unwrap_or(message))
    }

    /// Adds units to those reserved.
    pub(super) fn reserve(&mut self, units: ComputeUnits) -> Result<(), StoreError> {
        self.reserved = add(self.reserved, units)?;
        Ok(())
    }

    /// Takes the units of a reservation from those reserved.
    pub(super) fn release(&mut self, units: ComputeUnits) -> Result<(), StoreError> {
        self.reserved = self
            .reserved
            .checked_sub(units)
            .map_err(|source| StoreError::Corrupt {
                table: TABLE,
                column: "reserved_units",
                row: self.stack.to_string(),
                source: Box::new(source),
            })?;
        Ok(())
    }

    /// Corrects the units reserved: the sum of the record's reservations.
    pub(super) const fn set_reserved(&mut self, units: ComputeUnits) {
        self.reserved = units;
    }

    /// Saves a record with a new message.
    pub(crate) async fn save(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let (mut batch, mut rows) = (Batch::new(), JsonRows::default());
        self.write(&mut rows);
        batch.rows(WRITE_WHOLE, rows);
        batch.run(connection).await
    }

    /// The record's key.
    pub(super) fn key(&self) -> RecordKey {
        RecordKey::of(self.stack, self.node)
    }

    /// The units reserved.
    pub(super) const fn reserved(&self) -> ComputeUnits {
        self.reserved
    }

    /// Adds the record to the rows that [`WRITE_WHOLE`] and [`WRITE_RESERVED`] take.
    pub(super) fn write(&self, rows: &mut JsonRows) {
        let fill = self.fill();
        let peaks = self.accumulator.peaks().iter();
        let peaks: Vec<u8> = peaks.flat_map(|hash| *hash.as_bytes()).collect();
        let root = self.accumulator.root();
        rows.row()
            .bytes(&number(self.stack.get()))
            .bytes(&number(self.node.get()))
            .bytes(&number(self.accumulator.messages()))
            .bytes(&peaks)
            .optional_bytes(root.as_ref().map(|hash| hash.as_bytes().as_slice()))
            .bytes(&number(self.computed.get()))
            .bytes(&number(self.reserved.get()))
            .optional_bytes(self.recorded_at.map(|at| number(at.get())).as_deref())
            .optional_bytes(fill.map(|fill| number(fill.get())).as_deref())
            .optional_bytes(fill.map(fill_level).as_deref().map(str::as_bytes));
    }
}

/// Inserts records, or updates them as the rest of the statement says.
macro_rules! insert {
    () => {
        "INSERT INTO work_records (stack_small_id, node_small_id, messages, peaks, merkle_root, \
         computed_units, reserved_units, recorded_at, fill, fill_level) \
         SELECT unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), unhex(value ->> 3), \
         unhex(value ->> 4), unhex(value ->> 5), unhex(value ->> 6), unhex(value ->> 7), \
         unhex(value ->> 8), CAST(unhex(value ->> 9) AS TEXT) FROM json_each($1) WHERE TRUE \
         ON CONFLICT (stack_small_id, node_small_id) DO UPDATE SET "
    };
}

/// Saves records with new messages.
pub(super) const WRITE_WHOLE: &str = concat!(
    insert!(),
    "messages = excluded.messages, peaks = excluded.peaks, merkle_root = excluded.merkle_root, \
     computed_units = excluded.computed_units, reserved_units = excluded.reserved_units, \
     recorded_at = excluded.recorded_at, fill = excluded.fill, fill_level = excluded.fill_level"
);

/// Saves only the reserved units of records. This also works for frozen ones.
pub(super) const WRITE_RESERVED: &str =
    concat!(insert!(), "reserved_units = excluded.reserved_units");

/// The units of a stack that are neither computed nor reserved.
pub(super) fn free_units(
    size: ComputeUnits,
    computed: ComputeUnits,
    reserved: ComputeUnits,
) -> ComputeUnits {
    size.checked_sub(computed)
        .and_then(|rest| rest.checked_sub(reserved))
        .unwrap_or(ComputeUnits::ZERO)
}

/// A sum that a check against the stack's free units has shown to be in range.
fn add(left: ComputeUnits, right: ComputeUnits) -> Result<ComputeUnits, StoreError> {
    left.checked_add(right)
        .map_err(|overflow| out_of_range(overflow.to_string()))
}
