//! The open reservations that a group of calls reads and changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atoma_domain::journal::RequestKey;
use atoma_domain::model::{Holder, Lease, Reservation};
use atoma_domain::ports::StoreError;
use atoma_domain::{ComputeUnits, ReservationId, TimestampMs};
use sqlx::sqlite::SqliteRow;

use super::record::RecordKey;
use super::reservations::{cells, read};
use crate::batch::Batch;
use crate::columns::{JsonRows, number};
use crate::error::out_of_range;

/// Until when a lease can run at most. One that runs longer was made while the clock was ahead.
pub(crate) const LATEST_EXPIRY: Lease = Lease::LONGEST;

/// Open reservations, also expired ones. Of each stack it has all or none of the stored ones.
#[derive(Clone, Default)]
pub(super) struct OpenReservations {
    open: BTreeMap<i64, Open>,
    /// The stored form of each expiry, with the number.
    by_expiry: BTreeSet<(Vec<u8>, i64)>,
    by_request: BTreeMap<String, i64>,
    /// The units of all reservations of a record, if the stored ones are here.
    sums: BTreeMap<RecordKey, u128>,
    /// The last number that was given out.
    last: i64,
    ended: Vec<i64>,
    /// Those that were made and ended in this group: their numbers are gone too.
    passed: Vec<(i64, Open)>,
}

#[derive(Clone)]
struct Open {
    record: RecordKey,
    /// Its units; `None` if they can't be read.
    units: Option<ComputeUnits>,
    /// The stored form of its expiry.
    expires_at: Vec<u8>,
    source: Source,
    is_changed: bool,
}

#[derive(Clone)]
enum Source {
    Row(Arc<SqliteRow>),
    New(Reservation, Option<RequestKey>),
}

/// A reservation that has ended.
pub(super) struct EndedReservation {
    /// The record that counted it.
    pub(super) record: RecordKey,
    /// Its units.
    units: ComputeUnits,
    /// The sum of the record's others, if they are here.
    others: Option<ComputeUnits>,
}

impl EndedReservation {
    /// The units of the record's other reservations, if they are known.
    pub(super) const fn others(&self) -> Option<ComputeUnits> {
        self.others
    }

    /// What stays reserved in its record, where so many units were.
    pub(super) fn left(&self, reserved: ComputeUnits) -> ComputeUnits {
        let less = reserved.checked_sub(self.units);
        self.others.or(less.ok()).unwrap_or(ComputeUnits::ZERO)
    }
}

impl OpenReservations {
    /// Takes a row of reservations.
    pub(super) fn take(&mut self, row: Arc<SqliteRow>) -> Result<(), StoreError> {
        let cells = cells(&row);
        let id = cells.small("id")?;
        let units = cells.number("num_compute_units").ok();
        let open = Open {
            record: RecordKey::read(&cells)?,
            // One whose units can't be read counts as none.
            units: units.map(ComputeUnits::new),
            expires_at: cells.bytes("expires_at")?,
            source: Source::Row(Arc::clone(&row)),
            is_changed: false,
        };
        let sum = self.sums.entry(open.record.clone()).or_default();
        *sum += u128::from(units.unwrap_or(0));
        if let Some(scope) = open.scope() {
            self.by_request.insert(scope.to_owned(), id);
        }
        self.by_expiry.insert((open.expires_at.clone(), id));
        self.open.insert(id, open);
        Ok(())
    }

    /// Takes the last number that was given out.
    pub(super) const fn take_last(&mut self, last: i64) {
        self.last = last;
    }

    /// Whether [`expired`](Self::expired) or [`shorten`](Self::shorten) would do something.
    pub(super) fn has_expired(&self, now: TimestampMs) -> bool {
        let (first, last) = (self.by_expiry.first(), self.by_expiry.last());
        first.is_some_and(|(expires_at, _)| *expires_at <= number(now.get()))
            || last.is_some_and(|(expires_at, _)| *expires_at > latest(now))
    }

    /// Those whose lease has expired.
    pub(super) fn expired(&self, now: TimestampMs) -> Vec<i64> {
        let now = number(now.get());
        let expired = self.by_expiry.iter();
        let expired = expired.take_while(|(expires_at, _)| *expires_at <= now);
        expired.map(|(_, id)| *id).collect()
    }

    /// Shortens leases that run longer than [`LATEST_EXPIRY`].
    pub(super) fn shorten(&mut self, now: TimestampMs) {
        let latest = latest(now);
        while let Some((expires_at, id)) = self.by_expiry.last().cloned()
            && expires_at > latest
        {
            self.by_expiry.remove(&(expires_at, id));
            self.by_expiry.insert((latest.clone(), id));
            if let Some(open) = self.open.get_mut(&id) {
                open.expires_at.clone_from(&latest);
                open.is_changed = true;
            }
        }
    }

    /// Whether that number was ever given out.
    pub(super) const fn was_given(&self, id: i64) -> bool {
        id > 0 && id <= self.last
    }

    /// The reservation of that number; `None` if it has ended.
    pub(super) fn get(&self, id: i64) -> Result<Option<Reservation>, StoreError> {
        self.open.get(&id).map(Open::reservation).transpose()
    }

    /// The one made under that request's scope, and whether the request's body was the same.
    pub(super) fn of_request(
        &self,
        request: &RequestKey,
    ) -> Result<Option<(Reservation, bool)>, StoreError> {
        let open = self.by_request.get(&request.scope);
        let Some(open) = open.and_then(|id| self.open.get(id)) else {
            return Ok(None);
        };
        let body = match &open.source {
            Source::Row(row) => cells(row).optional_hash("request_body")?,
            Source::New(_, made_by) => made_by.as_ref().map(|made_by| made_by.body),
        };
        Ok(Some((open.reservation()?, body == Some(request.body))))
    }

    /// The numbers of those of a holder.
    pub(super) fn held_by(&self, holder: &Holder) -> Vec<i64> {
        let held = self.open.iter().filter(|(_, open)| match &open.source {
            Source::Row(row) => {
                matches!(cells(row).optional_text("holder"), Ok(Some(text)) if text == holder.as_str())
            }
            Source::New(made, _) => made.holder.as_ref() == Some(holder),
        });
        held.map(|(id, _)| *id).collect()
    }

    /// Adds one and gives it its number. Its units must be among those reserved in the record.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`] when all numbers were given out.
    pub(super) fn insert(
        &mut self,
        reservation: Reservation,
        request: Option<&RequestKey>,
    ) -> Result<Reservation, StoreError> {
        let id = self.last.checked_add(1);
        let id = id.ok_or_else(|| out_of_range("the number of a reservation"))?;
        let made = Reservation {
            id: ReservationId::new(u64::try_from(id).map_err(|_| out_of_range("a row number"))?),
            ..reservation
        };
        self.last = id;
        let record = RecordKey::of(made.stack_small_id, made.node_small_id);
        if let Some(sum) = self.sums.get_mut(&record) {
            *sum += u128::from(made.num_compute_units.get());
        }
        if let Some(request) = request {
            self.by_request.insert(request.scope.clone(), id);
        }
        let open = Open {
            record,
            units: Some(made.num_compute_units),
            expires_at: number(made.expires_at.get()),
            source: Source::New(made.clone(), request.cloned()),
            is_changed: false,
        };
        self.by_expiry.insert((open.expires_at.clone(), id));
        self.open.insert(id, open);
        Ok(made)
    }

    /// Saves units and expiry.
    pub(super) fn update(&mut self, id: i64, reservation: &Reservation) {
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        let units = reservation.num_compute_units;
        if let Some(sum) = self.sums.get_mut(&open.record) {
            *sum -= u128::from(open.units.map_or(0, ComputeUnits::get));
            *sum += u128::from(units.get());
        }
        let expires_at = number(reservation.expires_at.get());
        self.by_expiry.remove(&(open.expires_at.clone(), id));
        self.by_expiry.insert((expires_at.clone(), id));
        open.units = Some(units);
        open.expires_at = expires_at;
        open.is_changed = true;
    }

    /// What ending one would leave in its record; `None` if there is none.
    pub(super) fn ending(&self, id: i64) -> Option<EndedReservation> {
        let open = self.open.get(&id)?;
        let units = open.units.unwrap_or(ComputeUnits::ZERO);
        let others = self.sums.get(&open.record).map(|sum| {
            let others = sum - u128::from(units.get());
            // Together they fit into a stack.
            ComputeUnits::new(u64::try_from(others).unwrap_or(u64::MAX))
        });
        Some(EndedReservation {
            record: open.record.clone(),
            units,
            others,
        })
    }

    /// Ends one; `None` if there is none.
    pub(super) fn end(&mut self, id: i64) -> Option<EndedReservation> {
        let ended = self.ending(id)?;
        let open = self.open.remove(&id)?;
        if let Some(sum) = self.sums.get_mut(&ended.record) {
            *sum -= u128::from(ended.units.get());
        }
        self.by_expiry.remove(&(open.expires_at.clone(), id));
        if let Some(scope) = open.scope() {
            self.by_request.remove(scope);
        }
        match open.source {
            Source::Row(_) => self.ended.push(id),
            Source::New(..) => self.passed.push((id, open)),
        }
        Some(ended)
    }

    /// Adds what has changed to a batch.
    pub(super) fn write(&self, batch: &mut Batch) {
        let [mut ended, mut changed, mut made, mut passed] = <[JsonRows; 4]>::default();
        for id in &self.ended {
            ended.row().row_number(*id);
        }
        for (id, open) in &self.open {
            match &open.source {
                Source::Row(_) if open.is_changed => {
                    let units = open.units.map(|units| number(units.get()));
                    changed
                        .row()
                        .row_number(*id)
                        .optional_bytes(units.as_deref())
                        .bytes(&open.expires_at);
                }
                Source::Row(_) => {}
                Source::New(reservation, request) => {
                    open.write(*id, reservation, request.as_ref(), &mut made);
                }
            }
        }
        for (id, open) in &self.passed {
            if let Source::New(reservation, _) = &open.source {
                open.write(*id, reservation, None, &mut made);
                passed.row().row_number(*id);
            }
        }
        const END: &str =
            "DELETE FROM reservations WHERE id IN (SELECT value ->> 0 FROM json_each($1))";
        batch.rows(END, ended);
        batch.rows(
            "UPDATE reservations \
             SET num_compute_units = coalesce(unhex(changed.value ->> 1), num_compute_units), \
             expires_at = unhex(changed.value ->> 2) \
             FROM json_each($1) changed WHERE reservations.id = changed.value ->> 0",
            changed,
        );
        batch.rows(
            "INSERT INTO reservations (id, stack_small_id, node_small_id, num_compute_units, \
             holder, created_at, expires_at, request_scope, request_body) \
             SELECT value ->> 0, unhex(value ->> 1), unhex(value ->> 2), unhex(value ->> 3), \
             CAST(unhex(value ->> 4) AS TEXT), unhex(value ->> 5), unhex(value ->> 6), \
             CAST(unhex(value ->> 7) AS TEXT), unhex(value ->> 8) FROM json_each($1)",
            made,
        );
        batch.rows(END, passed);
    }
}

impl Open {
    /// The scope of the request that made it.
    fn scope(&self) -> Option<&str> {
        match &self.source {
            Source::Row(row) => cells(row).optional_text("request_scope").ok().flatten(),
            Source::New(_, request) => request.as_ref().map(|request| request.scope.as_str()),
        }
    }

    fn reservation(&self) -> Result<Reservation, StoreError> {
        let stored = match &self.source {
            Source::Row(row) => read(row)?,
            Source::New(reservation, _) => reservation.clone(),
        };
        let expires_at = <[u8; 8]>::try_from(self.expires_at.as_slice());
        Ok(Reservation {
            num_compute_units: self.units.unwrap_or(stored.num_compute_units),
            expires_at: expires_at.map_or(stored.expires_at, |bytes| {
                TimestampMs::new(u64::from_be_bytes(bytes))
            }),
            ..stored
        })
    }

    fn write(
        &self,
        id: i64,
        reservation: &Reservation,
        request: Option<&RequestKey>,
        rows: &mut JsonRows,
    ) {
        let units = self.units.unwrap_or(reservation.num_compute_units);
        let holder = reservation.holder.as_ref().map(Holder::as_str);
        rows.row()
            .row_number(id)
            .bytes(&self.record.stack)
            .bytes(&self.record.node)
            .bytes(&number(units.get()))
            .optional_bytes(holder.map(str::as_bytes))
            .bytes(&number(reservation.created_at.get()))
            .bytes(&self.expires_at)
            .optional_bytes(request.map(|request| request.scope.as_bytes()))
            .optional_bytes(request.map(|request| request.body.as_bytes().as_slice()));
    }
}

/// The stored form of the latest expiry of a lease.
fn latest(now: TimestampMs) -> Vec<u8> {
    number(LATEST_EXPIRY.end(now).get())
}
