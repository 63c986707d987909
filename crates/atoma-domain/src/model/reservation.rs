//! Compute units that are set aside for requests in progress.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::journal::RequestKey;
use crate::{
    Address, ComputeUnits, NodeSmallId, ReservationId, StackSmallId, TaskSmallId, TimestampMs,
};

/// Units of a stack that are set aside for a request that its selected node is about to serve. It
/// ends when the request's message is recorded, when it is released, or when its lease expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Its number.
    pub id: ReservationId,
    /// The service instance that made it.
    pub holder: Option<Holder>,
    /// The stack.
    pub stack_small_id: StackSmallId,
    /// The stack's selected node.
    pub node_small_id: NodeSmallId,
    /// The units set aside.
    pub num_compute_units: ComputeUnits,
    /// When it was made.
    pub created_at: TimestampMs,
    /// From this time on it is expired.
    pub expires_at: TimestampMs,
}

/// A request for a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReservation {
    /// The owner of the stack.
    pub owner: Address,
    /// Which of the owner's stacks.
    pub stack: StackChoice,
    /// The units to set aside.
    pub num_compute_units: ComputeUnits,
    /// The service instance that makes it.
    pub holder: Option<Holder>,
    /// How long it lasts unless it is renewed.
    pub lease: Lease,
    /// The client's key. While the reservation is open, a repeated request under its key gets the same
    /// reservation.
    pub request: Option<RequestKey>,
}

/// Which stack of an owner to reserve on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackChoice {
    /// This one.
    Stack(StackSmallId),
    /// Any that one of the operator's nodes serves for this task.
    Task(TaskSmallId),
    /// Any that one of the operator's nodes serves for a task of this model.
    Model(String),
}

/// A change of a reservation. It also renews the lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReservationChange {
    /// The corrected units; `None` keeps them.
    pub num_compute_units: Option<ComputeUnits>,
    /// The new lease, from now on. `None` extends a lease that would expire before a
    /// [default](Lease::default) one.
    pub lease: Option<Lease>,
}

/// How long a reservation lasts unless it is renewed: from 1 ms to [`Lease::LONGEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease {
    ms: u64,
}

/// A lease that is empty or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a lease lasts from 1 ms to {} ms", Lease::LONGEST.ms)]
pub struct LeaseError;

impl Lease {
    /// One hour. A holder that serves for longer renews its lease. The limit bounds how long a dead
    /// holder can block a settlement, also when the clock was wrong for a while.
    pub const LONGEST: Self = Self { ms: 60 * 60 * 1000 };

    /// A lease of so many milliseconds.
    ///
    /// # Errors
    /// When it is zero or longer than [`Lease::LONGEST`].
    pub const fn from_ms(ms: u64) -> Result<Self, LeaseError> {
        if ms == 0 || ms > Self::LONGEST.ms {
            return Err(LeaseError);
        }
        Ok(Self { ms })
    }

    /// When a lease that begins now expires.
    pub const fn end(self, now: TimestampMs) -> TimestampMs {
        TimestampMs::new(now.get().saturating_add(self.ms))
    }
}

impl Default for Lease {
    /// 15 minutes.
    fn default() -> Self {
        Self { ms: 15 * 60 * 1000 }
    }
}

/// The most characters of a [`Holder`].
const LONGEST_HOLDER: usize = 128;
/// The most characters of a [`MessageId`].
const LONGEST_MESSAGE_ID: usize = 255;

/// A text that is not a tag: 1 to `longest` visible ASCII characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it must have 1 to {longest} visible ASCII characters")]
pub struct TagError {
    longest: usize,
}

/// Defines a tag that a client chooses.
macro_rules! tag {
    ($(#[$doc:meta])* $name:ident, $longest:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TagError;

            fn from_str(text: &str) -> Result<Self, TagError> {
                let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
                if text.is_empty() || text.len() > $longest || !is_visible {
                    return Err(TagError { longest: $longest });
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }
    };
}

tag! {
    /// The tag of the service instance that holds reservations. After a crash the instance releases what
    /// it held by its tag.
    Holder, LONGEST_HOLDER
}
tag! {
    /// A client's id of a message, unique for a stack and a node. It makes recording a message safe to
    /// repeat.
    MessageId, LONGEST_MESSAGE_ID
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_are_bounded() {
        assert_eq!(Lease::from_ms(0), Err(LeaseError));
        assert_eq!(Lease::from_ms(3_600_000), Ok(Lease::LONGEST));
        assert_eq!(Lease::from_ms(3_600_001), Err(LeaseError));
        let now = TimestampMs::new(5);
        assert_eq!(Lease::default().end(now), TimestampMs::new(900_005));
        let last = TimestampMs::new(u64::MAX);
        assert_eq!(Lease::default().end(last), last);
    }

    #[test]
    fn tags_are_short_and_visible() {
        assert!("gpu-7/worker#1".parse::<Holder>().is_ok());
        assert!("h".repeat(128).parse::<Holder>().is_ok());
        for bad in ["", "with space", "ümlaut", &"h".repeat(129)] {
            assert!(bad.parse::<Holder>().is_err(), "{bad}");
        }
        assert!("m".repeat(255).parse::<MessageId>().is_ok());
        assert!("m".repeat(256).parse::<MessageId>().is_err());
    }
}
