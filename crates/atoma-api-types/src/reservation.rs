//! Reservations.

use atoma_domain::{ComputeUnits, NodeSmallId, ReservationId, StackSmallId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::outcome::DryRun;
use crate::text;

/// A reservation of compute units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Reservation)]
pub struct ReservationView {
    /// The daemon's number of the reservation.
    pub reservation_id: ReservationId,
    /// What is reserved.
    #[serde(flatten)]
    pub terms: ReservationTerms,
}

/// What is reserved, for whom and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReservationTerms {
    /// The stack whose units are reserved.
    pub stack_small_id: StackSmallId,
    /// The node that serves the stack.
    pub node_small_id: NodeSmallId,
    /// The compute units that are reserved.
    pub num_compute_units: ComputeUnits,
    /// The tag of the service instance that holds it.
    pub holder: Option<String>,
    /// When it was made.
    #[schema(value_type = Option<text::Time>)]
    pub created_at: Option<String>,
    /// When it ends, unless it is renewed.
    #[schema(value_type = Option<text::Time>)]
    pub expires_at: Option<String>,
}

/// A new reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = NewReservation)]
pub struct ReservedView {
    /// The daemon's number of the reservation; `null` in a dry run.
    pub reservation_id: Option<ReservationId>,
    /// What is reserved.
    #[serde(flatten)]
    pub terms: ReservationTerms,
    /// Present in the response to a dry run.
    #[serde(flatten)]
    pub dry_run: DryRun,
}

/// Reservations that were released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Released)]
pub struct ReleasedView {
    /// How many were released.
    pub num_released: u64,
}
