//! The ports that serving writes through, with a fail point at each such call. Reads and the calls of the
//! ingestion have none.

use std::sync::Arc;

use async_trait::async_trait;
use atoma_domain::events::StackCreated;
use atoma_domain::model::{
    Holder, NewMessage, NewReservation, OperatorNode, RecordedMessage, Reservation,
    ReservationChange, WorkRecord,
};
use atoma_domain::ports::{
    ChainEvents, ChainIdentity, LedgerFrame, Page, Progress, RecordError, ReservationError,
    ReservationFilter, ReserveError, ServedWork, StoreError,
};
use atoma_domain::{Address, Digest, Epoch, NodeSmallId, ReservationId, StackSmallId, TimestampMs};

use super::fail_points::FailPoints;

/// Records of served work with fail points.
#[derive(Debug)]
pub(super) struct FailPointWork {
    inner: Arc<dyn ServedWork>,
    points: Arc<FailPoints>,
}

impl FailPointWork {
    pub(super) fn new(inner: &Arc<dyn ServedWork>, points: &Arc<FailPoints>) -> Self {
        Self {
            inner: Arc::clone(inner),
            points: Arc::clone(points),
        }
    }
}

#[async_trait]
impl ServedWork for FailPointWork {
    async fn record_message(&self, message: &NewMessage) -> Result<RecordedMessage, RecordError> {
        let call = self.inner.record_message(message);
        self.points.pass("work.record_message", call).await
    }

    async fn would_record(&self, message: &NewMessage) -> Result<RecordedMessage, RecordError> {
        self.inner.would_record(message).await
    }

    async fn reserve_units(
        &self,
        wanted: &NewReservation,
        now: TimestampMs,
    ) -> Result<Reservation, ReserveError> {
        let call = self.inner.reserve_units(wanted, now);
        self.points.pass("work.reserve_units", call).await
    }

    async fn would_reserve(
        &self,
        wanted: &NewReservation,
        now: TimestampMs,
    ) -> Result<Reservation, ReserveError> {
        self.inner.would_reserve(wanted, now).await
    }

    async fn change_reservation(
        &self,
        id: ReservationId,
        change: ReservationChange,
        now: TimestampMs,
    ) -> Result<Reservation, ReservationError> {
        let call = self.inner.change_reservation(id, change, now);
        self.points.pass("work.change_reservation", call).await
    }

    async fn release_reservation(
        &self,
        id: ReservationId,
        now: TimestampMs,
    ) -> Result<(), ReservationError> {
        let call = self.inner.release_reservation(id, now);
        self.points.pass("work.release_reservation", call).await
    }

    async fn release_held_by(&self, holder: &Holder, now: TimestampMs) -> Result<u64, StoreError> {
        let call = self.inner.release_held_by(holder, now);
        self.points.pass("work.release_held_by", call).await
    }

    async fn reservations(
        &self,
        filter: &ReservationFilter,
        page: Page<ReservationId>,
        now: TimestampMs,
    ) -> Result<Vec<Reservation>, StoreError> {
        self.inner.reservations(filter, page, now).await
    }

    async fn work_record(
        &self,
        stack: StackSmallId,
        node: NodeSmallId,
    ) -> Result<Option<WorkRecord>, StoreError> {
        self.inner.work_record(stack, node).await
    }
}

/// The mirror with fail points where a purchase is taken early.
#[derive(Debug)]
pub(super) struct FailPointEvents {
    inner: Arc<dyn ChainEvents>,
    points: Arc<FailPoints>,
}

impl FailPointEvents {
    pub(super) fn new(inner: &Arc<dyn ChainEvents>, points: &Arc<FailPoints>) -> Self {
        Self {
            inner: Arc::clone(inner),
            points: Arc::clone(points),
        }
    }
}

#[async_trait]
impl ChainEvents for FailPointEvents {
    async fn bind(&self, identity: &ChainIdentity) -> Result<(), StoreError> {
        let call = self.inner.bind(identity);
        self.points.pass("events.bind", call).await
    }

    async fn bound_to(&self) -> Result<Option<ChainIdentity>, StoreError> {
        self.inner.bound_to().await
    }

    async fn apply(
        &self,
        frames: &[LedgerFrame],
        operator: Address,
    ) -> Result<Progress, StoreError> {
        self.inner.apply(frames, operator).await
    }

    async fn apply_early(&self, purchases: &[StackCreated]) -> Result<(), StoreError> {
        let call = self.inner.apply_early(purchases);
        self.points.pass("events.apply_early", call).await
    }

    async fn progress(&self) -> Result<Progress, StoreError> {
        self.inner.progress().await
    }

    async fn check_disk(&self) -> Result<(), StoreError> {
        self.inner.check_disk().await
    }

    async fn has_applied(&self, digest: Digest) -> Result<bool, StoreError> {
        self.inner.has_applied(digest).await
    }

    async fn set_operator_nodes(
        &self,
        operator: Address,
        nodes: &[OperatorNode],
    ) -> Result<(), StoreError> {
        self.inner.set_operator_nodes(operator, nodes).await
    }

    async fn note_epoch(&self, epoch: Epoch) -> Result<(), StoreError> {
        self.inner.note_epoch(epoch).await
    }
}
