//! Recording served work.

use async_trait::async_trait;
use atoma_domain::journal::Failure;
use atoma_domain::model::{NewMessage, ReservationId, WorkRecord, WorkSummary};
use atoma_domain::ports::{ServedWork, StoreError, WorkError};
use atoma_domain::settlement::StackAccumulator;
use atoma_domain::{Address, ComputeUnits, Hash32, NodeSmallId, StackSmallId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, number, row_number};
use crate::store::{SqliteState, commit, unavailable};

#[async_trait]
impl ServedWork for SqliteState {
    async fn record_message(&self, message: &NewMessage) -> Result<WorkSummary, WorkError> {
        let mut transaction = self.write().await?;
        let stack = known_stack(&mut transaction, message.stack_small_id).await?;
        let node = message.node_small_id.unwrap_or(stack.selected_node);
        let mut record = Record::load(&mut transaction, stack.id, node).await?;
        // Another node's record is its own check of the work: settlement doesn't close it.
        if node == stack.selected_node {
            stack.check_open(&record)?;
        }
        if let Some(reservation) = message.reservation {
            let held = open_reservation(&mut transaction, reservation).await?;
            if held.stack != stack.id || node != stack.selected_node {
                return Err(WorkError::UnknownReservation(reservation));
            }
            remove_reservation(&mut transaction, reservation).await?;
            record.give_back(held.units)?;
        }
        record.check_fits(&stack, message.num_compute_units)?;
        record.computed = add(record.computed, message.num_compute_units)?;
        let summary = record.append(message.message_hash)?;
        record.save(&mut transaction).await?;
        commit(transaction).await?;
        Ok(summary)
    }

    async fn reserve_units(
        &self,
        stack: StackSmallId,
        owner: Address,
        units: ComputeUnits,
    ) -> Result<ReservationId, WorkError> {
        let mut transaction = self.write().await?;
        let stack = known_stack(&mut transaction, stack).await?;
        if stack.owner != owner {
            return Err(unknown_stack(stack.id));
        }
        let mut record = Record::load(&mut transaction, stack.id, stack.selected_node).await?;
        stack.check_open(&record)?;
        record.check_fits(&stack, units)?;
        record.reserved = add(record.reserved, units)?;
        record.save(&mut transaction).await?;
        let id = sqlx::query(
            "INSERT INTO reservations (stack_small_id, num_compute_units) VALUES (?, ?)",
        )
        .bind(number(stack.id.get()))
        .bind(number(units.get()))
        .execute(&mut *transaction)
        .await
        .map_err(unavailable)?
        .last_insert_rowid();
        let id = u64::try_from(id).map_err(|_| out_of_range("a reservation's number"))?;
        commit(transaction).await?;
        Ok(ReservationId::new(id))
    }

    async fn correct_reservation(
        &self,
        reservation: ReservationId,
        units: ComputeUnits,
    ) -> Result<(), WorkError> {
        let mut transaction = self.write().await?;
        let held = open_reservation(&mut transaction, reservation).await?;
        let stack = known_stack(&mut transaction, held.stack).await?;
        let mut record = Record::load(&mut transaction, stack.id, stack.selected_node).await?;
        record.give_back(held.units)?;
        record.check_fits(&stack, units)?;
        record.reserved = add(record.reserved, units)?;
        record.save(&mut transaction).await?;
        sqlx::query("UPDATE reservations SET num_compute_units = ? WHERE id = ?")
            .bind(number(units.get()))
            .bind(row_number(reservation.get()))
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        Ok(commit(transaction).await?)
    }

    async fn release_reservation(&self, reservation: ReservationId) -> Result<(), WorkError> {
        let mut transaction = self.write().await?;
        let held = open_reservation(&mut transaction, reservation).await?;
        let stack = known_stack(&mut transaction, held.stack).await?;
        let mut record = Record::load(&mut transaction, stack.id, stack.selected_node).await?;
        record.give_back(held.units)?;
        record.save(&mut transaction).await?;
        remove_reservation(&mut transaction, reservation).await?;
        Ok(commit(transaction).await?)
    }

    async fn work_record(
        &self,
        stack: StackSmallId,
        node: NodeSmallId,
    ) -> Result<Option<WorkRecord>, StoreError> {
        let row = sqlx::query(
            "SELECT w.*, \
             (w.is_frozen OR EXISTS (SELECT 1 FROM settlements t \
              WHERE t.stack_small_id = w.stack_small_id \
              AND t.selected_node_id = w.node_small_id)) AS is_closed \
             FROM work_records w \
             WHERE w.stack_small_id = ? AND w.node_small_id = ? AND w.merkle_root IS NOT NULL",
        )
        .bind(number(stack.get()))
        .bind(number(node.get()))
        .fetch_optional(&self.readers)
        .await
        .map_err(unavailable)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let record = Record::read(&row, stack, node)?;
        Ok(Some(WorkRecord {
            stack_small_id: stack,
            node_small_id: node,
            accumulator: record.accumulator,
            computed_units: record.computed,
            is_frozen: Cells::new(&row, TABLE, KEY).flag("is_closed")?,
        }))
    }
}

const TABLE: &str = "work_records";
const KEY: &str = "stack_small_id";

/// What recording must know of a stack.
struct KnownStack {
    id: StackSmallId,
    owner: Address,
    selected_node: NodeSmallId,
    size: ComputeUnits,
    is_claimed: bool,
    is_settled: bool,
}

impl KnownStack {
    /// Refuses what would enter the selected node's record after it was closed.
    fn check_open(&self, record: &Record) -> Result<(), WorkError> {
        let stack_small_id = self.id;
        if self.is_claimed {
            return Err(WorkError::Refused(Failure::AlreadyClaimed {
                stack_small_id,
            }));
        }
        if self.is_settled || record.is_frozen {
            return Err(WorkError::Refused(Failure::AlreadySettling {
                stack_small_id,
            }));
        }
        Ok(())
    }
}

async fn known_stack(
    connection: &mut SqliteConnection,
    id: StackSmallId,
) -> Result<KnownStack, WorkError> {
    let row = sqlx::query(
        "SELECT stack_small_id, owner_address, selected_node_id, num_compute_units, is_claimed, \
         EXISTS (SELECT 1 FROM settlements t WHERE t.stack_small_id = s.stack_small_id) \
         AS is_settled FROM stacks s WHERE stack_small_id = ?",
    )
    .bind(number(id.get()))
    .fetch_optional(connection)
    .await
    .map_err(unavailable)?;
    let row = row.ok_or_else(|| unknown_stack(id))?;
    let cells = Cells::new(&row, "stacks", "stack_small_id");
    Ok(KnownStack {
        id,
        owner: cells.object_id("owner_address")?,
        selected_node: NodeSmallId::new(cells.number("selected_node_id")?),
        size: ComputeUnits::new(cells.number("num_compute_units")?),
        is_claimed: cells.flag("is_claimed")?,
        is_settled: cells.flag("is_settled")?,
    })
}

fn unknown_stack(stack_small_id: StackSmallId) -> WorkError {
    WorkError::Refused(Failure::UnknownStack { stack_small_id })
}

fn out_of_range(what: &str) -> StoreError {
    StoreError::OutOfRange {
        what: what.to_owned(),
    }
}

/// A sum that [`Record::check_fits`] has shown to be within the stack's size.
fn add(left: ComputeUnits, right: ComputeUnits) -> Result<ComputeUnits, StoreError> {
    left.checked_add(right)
        .map_err(|overflow| out_of_range(&overflow.to_string()))
}

/// A node's record of a stack, as it is being changed.
struct Record {
    stack: StackSmallId,
    node: NodeSmallId,
    accumulator: StackAccumulator,
    computed: ComputeUnits,
    reserved: ComputeUnits,
    is_frozen: bool,
}

impl Record {
    /// The stored record, or an empty one.
    async fn load(
        connection: &mut SqliteConnection,
        stack: StackSmallId,
        node: NodeSmallId,
    ) -> Result<Self, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM work_records WHERE stack_small_id = ? AND node_small_id = ?",
        )
        .bind(number(stack.get()))
        .bind(number(node.get()))
        .fetch_optional(connection)
        .await
        .map_err(unavailable)?;
        match row {
            Some(row) => Self::read(&row, stack, node),
            None => Ok(Self {
                stack,
                node,
                accumulator: StackAccumulator::new(),
                computed: ComputeUnits::ZERO,
                reserved: ComputeUnits::ZERO,
                is_frozen: false,
            }),
        }
    }

    fn read(row: &SqliteRow, stack: StackSmallId, node: NodeSmallId) -> Result<Self, StoreError> {
        let cells = Cells::new(row, TABLE, KEY);
        let accumulator =
            StackAccumulator::from_parts(cells.number("messages")?, cells.hashes("peaks")?)
                .map_err(|source| cells.corrupt("peaks", source))?;
        Ok(Self {
            stack,
            node,
            accumulator,
            computed: ComputeUnits::new(cells.number("computed_units")?),
            reserved: ComputeUnits::new(cells.number("reserved_units")?),
            is_frozen: cells.flag("is_frozen")?,
        })
    }

    /// Refuses units beyond what is neither computed nor set aside.
    fn check_fits(&self, stack: &KnownStack, units: ComputeUnits) -> Result<(), WorkError> {
        let free = stack
            .size
            .checked_sub(self.computed)
            .and_then(|rest| rest.checked_sub(self.reserved))
            .unwrap_or(ComputeUnits::ZERO);
        if units > free {
            return Err(WorkError::Refused(Failure::StackOverflow {
                stack_small_id: stack.id,
                num_compute_units: units,
                free_compute_units: free,
            }));
        }
        Ok(())
    }

    /// Frees the units of a reservation.
    fn give_back(&mut self, units: ComputeUnits) -> Result<(), StoreError> {
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

    fn append(&mut self, message: Hash32) -> Result<WorkSummary, StoreError> {
        self.accumulator
            .append(message)
            .map_err(|full| out_of_range(&full.to_string()))?;
        Ok(WorkSummary {
            num_total_messages: self.accumulator.messages(),
            already_computed_units: self.computed,
            // After an append there is a root.
            merkle_root: self.accumulator.root().unwrap_or(message),
        })
    }

    async fn save(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let peaks = self.accumulator.peaks().iter();
        let peaks: Vec<u8> = peaks.flat_map(|hash| *hash.as_bytes()).collect();
        let root = self.accumulator.root().map(|hash| hash.as_bytes().to_vec());
        sqlx::query(
            "INSERT INTO work_records (stack_small_id, node_small_id, messages, peaks, \
             merkle_root, computed_units, reserved_units) VALUES (?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (stack_small_id, node_small_id) DO UPDATE SET \
             messages = excluded.messages, peaks = excluded.peaks, \
             merkle_root = excluded.merkle_root, computed_units = excluded.computed_units, \
             reserved_units = excluded.reserved_units",
        )
        .bind(number(self.stack.get()))
        .bind(number(self.node.get()))
        .bind(number(self.accumulator.messages()))
        .bind(peaks)
        .bind(root)
        .bind(number(self.computed.get()))
        .bind(number(self.reserved.get()))
        .execute(connection)
        .await
        .map_err(unavailable)?;
        Ok(())
    }
}

/// An open reservation.
struct Held {
    stack: StackSmallId,
    units: ComputeUnits,
}

async fn open_reservation(
    connection: &mut SqliteConnection,
    id: ReservationId,
) -> Result<Held, WorkError> {
    let row = sqlx::query("SELECT * FROM reservations WHERE id = ?")
        .bind(row_number(id.get()))
        .fetch_optional(connection)
        .await
        .map_err(unavailable)?;
    let row = row.ok_or(WorkError::UnknownReservation(id))?;
    let cells = Cells::new(&row, "reservations", "id");
    Ok(Held {
        stack: StackSmallId::new(cells.number("stack_small_id")?),
        units: ComputeUnits::new(cells.number("num_compute_units")?),
    })
}

async fn remove_reservation(
    connection: &mut SqliteConnection,
    id: ReservationId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM reservations WHERE id = ?")
        .bind(row_number(id.get()))
        .execute(connection)
        .await
        .map_err(unavailable)?;
    Ok(())
}
