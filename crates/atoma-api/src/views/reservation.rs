//! Reservations.

use atoma_domain::model::{Holder, Reservation};
use atoma_domain::{ComputeUnits, NodeSmallId, ReservationId, StackSmallId};
use serde::Serialize;

use super::dry_run::DryRun;
use super::time::rfc3339;

/// A reservation.
#[derive(Debug, Serialize)]
pub(crate) struct ReservationView {
    reservation_id: ReservationId,
    #[serde(flatten)]
    terms: Terms,
}

/// What is reserved, for whom and until when.
#[derive(Debug, Serialize)]
struct Terms {
    stack_small_id: StackSmallId,
    node_small_id: NodeSmallId,
    num_compute_units: ComputeUnits,
    holder: Option<Holder>,
    created_at: Option<String>,
    expires_at: Option<String>,
}

impl From<Reservation> for Terms {
    fn from(reservation: Reservation) -> Self {
        Self {
            stack_small_id: reservation.stack_small_id,
            node_small_id: reservation.node_small_id,
            num_compute_units: reservation.num_compute_units,
            holder: reservation.holder,
            created_at: rfc3339(reservation.created_at),
            expires_at: rfc3339(reservation.expires_at),
        }
    }
}

impl From<Reservation> for ReservationView {
    fn from(reservation: Reservation) -> Self {
        Self {
            reservation_id: reservation.id,
            terms: reservation.into(),
        }
    }
}

/// The response to a new reservation. A dry run has made none, so it has no number.
#[derive(Debug, Serialize)]
pub(crate) struct ReservedView {
    reservation_id: Option<ReservationId>,
    #[serde(flatten)]
    terms: Terms,
    #[serde(flatten)]
    dry_run: Option<DryRun>,
}

impl ReservedView {
    /// The reservation, as made or as a dry run would.
    pub(crate) fn new(reservation: Reservation, is_dry_run: bool) -> Self {
        Self {
            reservation_id: (!is_dry_run).then_some(reservation.id),
            terms: reservation.into(),
            dry_run: is_dry_run.then(DryRun::mark),
        }
    }
}
