//! Reserving units, and ending reservations.

use atoma_domain::journal::Failure;
use atoma_domain::model::{
    Holder, Lease, NewReservation, Reservation, ReservationChange, StackChoice,
};
use atoma_domain::ports::{Page, ReservationError, ReservationFilter, ReserveError};
use atoma_domain::{Address, ComputeUnits, Digest, ReservationId};

use crate::causes::internal;
use crate::use_cases::operator::Operator;

/// Units that a service needs to serve a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedUnits {
    /// The owner of the stack.
    pub owner: Address,
    /// Which of the owner's stacks.
    pub stack: StackChoice,
    /// The number of units.
    pub num_compute_units: ComputeUnits,
    /// The service instance.
    pub holder: Option<Holder>,
    /// How long they are needed.
    pub lease: Lease,
    /// The transaction in which the owner bought a stack, which the mirror may not have yet.
    pub purchase: Option<Digest>,
}

impl Operator {
    /// Reserves units for a request that one of the operator's nodes is about to serve. Only if no mirrored
    /// stack serves, it takes the purchase into the mirror and tries again. A dry run reserves nothing.
    ///
    /// # Errors
    /// When no units are wanted, no stack of the owner matches, or all that do are closed or have too few units. When the Sui
    /// node doesn't know the purchase yet. Other problems with the purchase are reported only if no stack
    /// matches.
    pub async fn reserve(&self, wanted: WantedUnits) -> Result<Reservation, Failure> {
        check_units(wanted.num_compute_units)?;
        self.readiness.require().await?;
        let refused = match self.try_reserve(&wanted).await {
            Ok(reservation) => return Ok(reservation),
            Err(failure) => failure,
        };
        match wanted.purchase {
            Some(digest) if may_help(&refused, &wanted.stack) => {
                match self.mirror_purchase(digest, wanted.owner).await {
                    Ok(()) => self.try_reserve(&wanted).await,
                    Err(failure) => Err(outweighing(refused, failure)),
                }
            }
            _ => Err(refused),
        }
    }

    async fn try_reserve(&self, wanted: &WantedUnits) -> Result<Reservation, Failure> {
        if let StackChoice::Stack(id) = wanted.stack {
            match self.check_serves(id).await {
                // The store says that the owner has no such stack.
                Ok(()) | Err(Failure::UnknownStack { .. }) => {}
                Err(failure) => return Err(failure),
            }
        }
        let reservation = NewReservation {
            owner: wanted.owner,
            stack: wanted.stack.clone(),
            num_compute_units: wanted.num_compute_units,
            holder: wanted.holder.clone(),
            lease: wanted.lease,
            request: self.key.clone(),
        };
        let (work, now) = (&self.ports.work, self.ports.clock.now());
        let reserved = match self.is_dry_run {
            true => work.would_reserve(&reservation, now).await,
            false => work.reserve_units(&reservation, now).await,
        };
        reserved.map_err(|error| match error {
            ReserveError::NotFound => Failure::NoStack {
                owner_address: wanted.owner,
            },
            ReserveError::Locked { stack } => Failure::StackLocked {
                stack_small_id: stack,
            },
            ReserveError::Insufficient { wanted, free } => Failure::NotEnoughUnits {
                num_compute_units: wanted,
                free_compute_units: free,
            },
            ReserveError::OtherRequest => Failure::IdempotencyKeyReused {},
            ReserveError::Store(cause) => internal(cause),
        })
    }

    /// Renews the lease of an open reservation, and corrects its units.
    ///
    /// # Errors
    /// When it has ended, no units are wanted, or its stack has too few left.
    pub async fn change_reservation(
        &self,
        id: ReservationId,
        change: ReservationChange,
    ) -> Result<Reservation, Failure> {
        change.num_compute_units.map_or(Ok(()), check_units)?;
        let (work, now) = (&self.ports.work, self.ports.clock.now());
        let changed = work.change_reservation(id, change, now).await;
        changed.map_err(failure)
    }

    /// Ends a reservation.
    ///
    /// # Errors
    /// When it has ended already.
    pub async fn release_reservation(&self, id: ReservationId) -> Result<(), Failure> {
        let (work, now) = (&self.ports.work, self.ports.clock.now());
        work.release_reservation(id, now).await.map_err(failure)
    }

    /// Ends all reservations of a holder, and returns how many were open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_held_by(&self, holder: &Holder) -> Result<u64, Failure> {
        let (work, now) = (&self.ports.work, self.ports.clock.now());
        work.release_held_by(holder, now).await.map_err(internal)
    }

    /// The open reservations, ascending by number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reservations(
        &self,
        filter: &ReservationFilter,
        page: Page<ReservationId>,
    ) -> Result<Vec<Reservation>, Failure> {
        let (work, now) = (&self.ports.work, self.ports.clock.now());
        work.reservations(filter, page, now).await.map_err(internal)
    }
}

/// Refuses a reservation of nothing, which would only keep its stack from being settled.
fn check_units(units: ComputeUnits) -> Result<(), Failure> {
    if units > ComputeUnits::ZERO {
        return Ok(());
    }
    Err(Failure::InvalidRequest {
        message: String::from(
            "`num_compute_units` must be at least 1. To end a reservation, release it.",
        ),
    })
}

/// Whether another stack in the mirror may change this refusal.
const fn may_help(refused: &Failure, stack: &StackChoice) -> bool {
    match refused {
        Failure::NoStack { .. } => true,
        Failure::StackLocked { .. } | Failure::NotEnoughUnits { .. } => {
            // The one stack that will do is mirrored.
            !matches!(stack, StackChoice::Stack(_))
        }
        _ => false,
    }
}

/// Of a refusal and the failure to mirror a purchase, the one that tells the client what to do.
fn outweighing(refused: Failure, purchase: Failure) -> Failure {
    match (&refused, &purchase) {
        // It may bring a stack that serves: the client repeats the request.
        (_, Failure::UnknownPurchase { .. }) | (Failure::NoStack { .. }, _) => purchase,
        // The mirror knows why its stacks don't serve, whatever is wrong with the purchase.
        _ => refused,
    }
}

fn failure(error: ReservationError) -> Failure {
    match error {
        ReservationError::NotFound(reservation_id) => {
            Failure::UnknownReservation { reservation_id }
        }
        ReservationError::Insufficient { wanted, free, .. } => Failure::NotEnoughUnits {
            num_compute_units: wanted,
            free_compute_units: free,
        },
        ReservationError::Store(cause) => internal(cause),
    }
}
