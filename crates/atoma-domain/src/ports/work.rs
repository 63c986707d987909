//! Recording served work.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{StoreError, WorkError};
use crate::model::{NewMessage, ReservationId, WorkRecord, WorkSummary};
use crate::{Address, ComputeUnits, NodeSmallId, StackSmallId};

/// Records the work that the inference side did. Each method is atomic; recording a message is
/// constant work however long the stack is.
#[async_trait]
pub trait ServedWork: Debug + Send + Sync {
    /// Appends a message to a node's record of a stack, adds its units, and gives its reservation
    /// back if it was served under one.
    ///
    /// # Errors
    /// [`WorkError::Refused`] with `UnknownStack`, `AlreadySettling` (the selected node's record is
    /// closed), `AlreadyClaimed` or `StackOverflow`; nothing was changed then.
    async fn record_message(&self, message: &NewMessage) -> Result<WorkSummary, WorkError>;

    /// Sets units of an owner's stack aside for a request about to be served by the stack's
    /// selected node.
    ///
    /// # Errors
    /// [`WorkError::Refused`] with `UnknownStack` (also when it is another owner's),
    /// `AlreadySettling`, `AlreadyClaimed` or `StackOverflow`.
    async fn reserve_units(
        &self,
        stack: StackSmallId,
        owner: Address,
        units: ComputeUnits,
    ) -> Result<ReservationId, WorkError>;

    /// Corrects the estimate of an open reservation.
    ///
    /// # Errors
    /// [`WorkError::UnknownReservation`], or [`WorkError::Refused`] with `StackOverflow`.
    async fn correct_reservation(
        &self,
        reservation: ReservationId,
        units: ComputeUnits,
    ) -> Result<(), WorkError>;

    /// Gives a reservation back: the request was not served.
    ///
    /// # Errors
    /// [`WorkError::UnknownReservation`].
    async fn release_reservation(&self, reservation: ReservationId) -> Result<(), WorkError>;

    /// A node's record of a stack; `None` when it has recorded nothing.
    async fn work_record(
        &self,
        stack: StackSmallId,
        node: NodeSmallId,
    ) -> Result<Option<WorkRecord>, StoreError>;
}
