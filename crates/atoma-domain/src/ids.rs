//! Identifiers. Each is a type of its own, so a task's id can't be used as a stack's.

use serde::{Deserialize, Serialize};
use sui_sdk_types::Address;

/// The id of a Sui object: 32 bytes, the same form as an [`Address`].
pub type ObjectId = Address;

/// Defines an identifier around `u64`. In BCS it is the bare integer, like the contract's one-field
/// structs; in JSON it is an integer.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Wraps the number of the contract or the database.
            pub const fn new(value: u64) -> Self {
                Self(value)
            }

            /// The bare number.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // Digits only, without a sign.
                let digits = if text.starts_with('+') { "+" } else { text };
                digits.parse().map(Self)
            }
        }
    };
}

id_type! {
    /// A node's small id (`db::NodeSmallId`), assigned in order of registration from 1.
    NodeSmallId
}
id_type! {
    /// A task's small id (`db::TaskSmallId`), assigned in order of creation from 1.
    TaskSmallId
}
id_type! {
    /// A stack's small id (`db::StackSmallId`), assigned in order of purchase from 1. Its
    /// settlement ticket and its dispute have the same number.
    StackSmallId
}
id_type! {
    /// An echelon of a model (`db::EchelonId`).
    EchelonId
}
id_type! {
    /// The daemon's own number of an intent in the transaction journal, from 1. It exists before
    /// any transaction digest and stays the same through all attempts.
    IntentId
}
id_type! {
    /// The daemon's own number of a reservation of compute units, from 1. It is never given out twice.
    ReservationId
}
id_type! {
    /// The daemon's own number of an alarm, from 1. A condition that comes back is another alarm.
    AlarmId
}
id_type! {
    /// The daemon's own number of a message to one receiver of alarms, from 1. It is never given out twice.
    DeliveryId
}
