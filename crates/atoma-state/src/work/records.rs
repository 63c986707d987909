//! The records that a group of calls reads and changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::ports::StoreError;
use atoma_domain::{ComputeUnits, NodeSmallId};
use sqlx::sqlite::SqliteRow;

use super::open_reservations::EndedReservation;
use super::record::{RecordKey, StoredRecord, WRITE_RESERVED, WRITE_WHOLE};
use super::stack::ServedStack;
use crate::batch::Batch;
use crate::columns::{Cells, JsonRows, number};

/// Records by their keys. A row is decoded when a call needs it, so that a damaged one fails no other call.
#[derive(Clone, Default)]
pub(super) struct Records(BTreeMap<RecordKey, Entry>);

#[derive(Clone, Default)]
struct Entry {
    row: Option<Arc<SqliteRow>>,
    change: Option<Change>,
}

#[derive(Clone)]
enum Change {
    /// It has a new message.
    Whole(StoredRecord),
    /// Other units are reserved in it.
    Reserved(StoredRecord),
    /// Other units are reserved in a record that no call has decoded.
    Corrected(ComputeUnits),
}

/// The units in a record, and whether it takes reservations.
pub(super) struct Filled {
    pub(super) computed: ComputeUnits,
    pub(super) reserved: ComputeUnits,
    pub(super) is_draining: bool,
    pub(super) is_frozen: bool,
}

impl Records {
    /// Takes a row with a record; one of a stack without a record has nothing to take.
    pub(super) fn take(&mut self, row: Arc<SqliteRow>) -> Result<(), StoreError> {
        let cells = cells(&row);
        if cells.optional_bytes("node_small_id")?.is_some() {
            let key = RecordKey::read(&cells)?;
            self.0.entry(key).or_default().row.get_or_insert(row);
        }
        Ok(())
    }

    /// The record as it is now, or an empty one. Its row must have been [taken](Self::take) if there is one.
    pub(super) fn load(
        &self,
        stack: &ServedStack,
        node: NodeSmallId,
    ) -> Result<StoredRecord, StoreError> {
        let entry = self.0.get(&RecordKey::of(stack.id, node));
        let Some(entry) = entry else {
            return Ok(StoredRecord::empty(stack, node));
        };
        if let Some(Change::Whole(record) | Change::Reserved(record)) = &entry.change {
            return Ok(record.clone());
        }
        let Some(row) = &entry.row else {
            return Ok(StoredRecord::empty(stack, node));
        };
        let mut record = StoredRecord::of_row(row, stack, node)?;
        if let Some(Change::Corrected(reserved)) = entry.change {
            record.set_reserved(reserved);
        }
        Ok(record)
    }

    /// What [`load`](Self::load) says of units, without reading the rest of the record.
    pub(super) fn filled(
        &self,
        stack: &ServedStack,
        node: NodeSmallId,
    ) -> Result<Filled, StoreError> {
        let entry = self.0.get(&RecordKey::of(stack.id, node));
        let (row, change) = entry.map_or((None, None), |entry| {
            (entry.row.as_ref(), entry.change.as_ref())
        });
        if let Some(Change::Whole(record) | Change::Reserved(record)) = change {
            return Ok(Filled {
                computed: record.computed(),
                reserved: record.reserved(),
                is_draining: record.is_draining(),
                is_frozen: record.is_frozen(),
            });
        }
        let Some(row) = row else {
            return Ok(Filled {
                computed: ComputeUnits::ZERO,
                reserved: ComputeUnits::ZERO,
                is_draining: false,
                is_frozen: false,
            });
        };
        let cells = cells(row);
        let reserved = match change {
            Some(Change::Corrected(reserved)) => *reserved,
            _ => ComputeUnits::new(cells.number("reserved_units")?),
        };
        Ok(Filled {
            computed: ComputeUnits::new(cells.number("computed_units")?),
            reserved,
            is_draining: cells.flag("is_draining")?,
            is_frozen: cells.flag("is_frozen")?,
        })
    }

    /// Saves a record with a new message.
    pub(super) fn save(&mut self, record: StoredRecord) {
        let entry = self.0.entry(record.key()).or_default();
        entry.change = Some(Change::Whole(record));
    }

    /// Saves only the reserved units of a record.
    pub(super) fn save_reserved(&mut self, record: StoredRecord) {
        let entry = self.0.entry(record.key()).or_default();
        let is_whole = matches!(entry.change, Some(Change::Whole(_)));
        entry.change = Some(match is_whole {
            true => Change::Whole(record),
            false => Change::Reserved(record),
        });
    }

    /// Takes the units of a reservation that has ended from those reserved. It reads nothing of the record: a
    /// damaged one must not fail the writes of all other stacks.
    pub(super) fn give_back(&mut self, ended: EndedReservation) {
        let change = &mut self.0.entry(ended.record.clone()).or_default().change;
        match change {
            Some(Change::Whole(record) | Change::Reserved(record)) => {
                record.set_reserved(ended.left(record.reserved()));
            }
            Some(Change::Corrected(reserved)) => *reserved = ended.left(*reserved),
            // Without the others it was made in this group, which has changed its record.
            None => *change = ended.others().map(Change::Corrected),
        }
    }

    /// Adds what has changed to a batch.
    pub(super) fn write(&self, batch: &mut Batch) {
        let [mut whole, mut reserved, mut corrected] = <[JsonRows; 3]>::default();
        for (key, entry) in &self.0 {
            match &entry.change {
                Some(Change::Whole(record)) => record.write(&mut whole),
                Some(Change::Reserved(record)) => record.write(&mut reserved),
                Some(Change::Corrected(units)) => {
                    let row = corrected.row();
                    row.bytes(&key.stack).bytes(&key.node);
                    row.bytes(&number(units.get()));
                }
                None => {}
            }
        }
        batch.rows(WRITE_WHOLE, whole);
        batch.rows(WRITE_RESERVED, reserved);
        batch.rows(
            "UPDATE work_records SET reserved_units = unhex(corrected.value ->> 2) \
             FROM json_each($1) corrected \
             WHERE stack_small_id = unhex(corrected.value ->> 0) \
             AND node_small_id = unhex(corrected.value ->> 1)",
            corrected,
        );
    }
}

fn cells(row: &SqliteRow) -> Cells<'_> {
    Cells::new(row, "work_records", "stack_small_id")
}
