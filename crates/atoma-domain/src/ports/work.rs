//! Recording served work.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{StoreError, WorkError};
use crate::model::{NewMessage, ReservationId, WorkRecord, WorkSummary};
use crate::{Address, ComputeUnits, NodeSmallId, StackSmallId};

/// Records the work of the inference service. Each method is atomic. Recording a message takes constant
/// time, however many messages the stack has.
#[async_trait]
pub trait ServedWork: Debug + Send + Sync {
    /// Appends a message to a node's record of a stack, adds its units, and releases the reservation that
    /// it was served under, if any.
    ///
    /// # Errors
    /// [`WorkError::Refused`] with `UnknownStack`, `AlreadySettling` (the selected node's record is
    /// closed), `AlreadyClaimed` or `StackOverflow`. Nothing has changed then.
    async fn record_message(&self, message: &NewMessage) -> Result<WorkSummary, WorkError>;

    /// Reserves units of an owner's stack for a request that its selected node is about to serve.
    ///
    /// # Errors
    /// [`WorkError::Refused`] with `UnknownStack` (also if the stack has another owner),
    /// `AlreadySettling`, `AlreadyClaimed` or `StackOverflow`.
    async fn reserve_units(
        &self,
        stack: StackSmallId,
        owner: Address,
        units: ComputeUnits,
    ) -> Result<ReservationId, WorkError>;

    /// Changes the units of an open reservation.
    ///
    /// # Errors
    /// [`WorkError::UnknownReservation`], or [`WorkError::Refused`] with `StackOverflow`.
    async fn correct_reservation(
        &self,
        reservation: ReservationId,
        units: ComputeUnits,
    ) -> Result<(), WorkError>;

    /// Releases a reservation whose request was not served.
    ///
    /// # Errors
    /// [`WorkError::UnknownReservation`].
    async fn release_reservation(&self, reservation: ReservationId) -> Result<(), WorkError>;

    /// A node's record of a stack; `None` if it has recorded nothing.
    async fn work_record(
        &self,
        stack: StackSmallId,
        node: NodeSmallId,
    ) -> Result<Option<WorkRecord>, StoreError>;
}
