//! Recording served work.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{Page, RecordError, ReservationError, ReserveError, StoreError};
use crate::model::{
    Holder, NewMessage, NewReservation, RecordedMessage, Reservation, ReservationChange, WorkRecord,
};
use crate::{NodeSmallId, ReservationId, StackSmallId, TimestampMs};

/// Records the work of the inference service. Each method is atomic. Recording a message takes constant
/// time, however many messages the stack has.
///
/// Every write first ends the reservations whose lease has expired, so that a dead holder blocks
/// nothing. [`Journal::open`](super::Journal::open) does too.
#[async_trait]
pub trait ServedWork: Debug + Send + Sync {
    /// Appends a message to a node's record of a stack, adds its units, and ends the reservation that it
    /// was served under, if any. Units beyond what the stack has left are not added; the message is
    /// recorded nevertheless. A message under a known id or key changes nothing and returns what was
    /// recorded.
    async fn record_message(&self, message: &NewMessage) -> Result<RecordedMessage, RecordError>;

    /// The result that [`record_message`](Self::record_message) would have, without writing anything.
    async fn would_record(&self, message: &NewMessage) -> Result<RecordedMessage, RecordError>;

    /// Reserves units of an owner's stack. Of several stacks it takes the fullest one that has enough
    /// free units, that is the one with the fewest.
    async fn reserve_units(
        &self,
        wanted: &NewReservation,
        now: TimestampMs,
    ) -> Result<Reservation, ReserveError>;

    /// The result that [`reserve_units`](Self::reserve_units) would have, without writing anything. The
    /// reservation's number is not taken.
    async fn would_reserve(
        &self,
        wanted: &NewReservation,
        now: TimestampMs,
    ) -> Result<Reservation, ReserveError>;

    /// Renews the lease of an open reservation, and corrects its units.
    async fn change_reservation(
        &self,
        id: ReservationId,
        change: ReservationChange,
        now: TimestampMs,
    ) -> Result<Reservation, ReservationError>;

    /// Ends a reservation whose request was not served.
    async fn release_reservation(
        &self,
        id: ReservationId,
        now: TimestampMs,
    ) -> Result<(), ReservationError>;

    /// Ends all reservations of a holder, and returns how many were still open.
    async fn release_held_by(&self, holder: &Holder, now: TimestampMs) -> Result<u64, StoreError>;

    /// The reservations that are open at this time, ascending by number.
    async fn reservations(
        &self,
        filter: &ReservationFilter,
        page: Page<ReservationId>,
        now: TimestampMs,
    ) -> Result<Vec<Reservation>, StoreError>;

    /// A node's record of a stack; `None` if it has recorded nothing.
    async fn work_record(
        &self,
        stack: StackSmallId,
        node: NodeSmallId,
    ) -> Result<Option<WorkRecord>, StoreError>;
}

/// A filter of reservations. `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReservationFilter {
    /// Who holds them.
    pub holder: Option<Holder>,
    /// The stack.
    pub stack: Option<StackSmallId>,
}
