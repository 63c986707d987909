//! Reservations.

use atoma_api_types::{DryRun, ReservationTerms, ReservationView, ReservedView};
use atoma_domain::model::Reservation;

use super::time::rfc3339;

fn terms(reservation: &Reservation) -> ReservationTerms {
    ReservationTerms {
        stack_small_id: reservation.stack_small_id,
        node_small_id: reservation.node_small_id,
        num_compute_units: reservation.num_compute_units,
        holder: reservation.holder.as_ref().map(ToString::to_string),
        created_at: rfc3339(reservation.created_at),
        expires_at: rfc3339(reservation.expires_at),
    }
}

/// A reservation.
pub(crate) fn reservation_view(reservation: &Reservation) -> ReservationView {
    ReservationView {
        reservation_id: reservation.id,
        terms: terms(reservation),
    }
}

/// A new reservation, as made or as a dry run would. A dry run has made none, so it has no number.
pub(crate) fn reserved_view(reservation: &Reservation, is_dry_run: bool) -> ReservedView {
    ReservedView {
        reservation_id: (!is_dry_run).then_some(reservation.id),
        terms: terms(reservation),
        dry_run: DryRun::mark(is_dry_run),
    }
}
