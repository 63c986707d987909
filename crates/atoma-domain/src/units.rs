//! Quantities with a unit. There are no conversions among them, and all arithmetic is checked or says in
//! its name that it saturates.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The result of an operation does not fit its type.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{left} {operation} {right} {unit} is out of range")]
pub struct UnitOverflow {
    left: u64,
    operation: char,
    right: u64,
    unit: &'static str,
}

/// Defines a quantity around an unsigned integer. In BCS and JSON it is the bare integer.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident: $inner:ty) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
            Deserialize,
        )]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name($inner);

        impl $name {
            /// Wraps the bare number.
            pub const fn new(value: $inner) -> Self {
                Self(value)
            }

            /// The bare number.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// Adds sums and a difference to a `u64` quantity.
macro_rules! amount {
    ($name:ident, $unit:literal) => {
        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// The sum.
            ///
            /// # Errors
            /// When it does not fit in 64 bits.
            pub fn checked_add(self, other: Self) -> Result<Self, UnitOverflow> {
                self.0.checked_add(other.0).map(Self).ok_or(UnitOverflow {
                    left: self.0,
                    operation: '+',
                    right: other.0,
                    unit: $unit,
                })
            }

            /// The sum, or the largest amount if it does not fit in 64 bits: for limits and comparisons, never
            /// for what is paid.
            #[must_use]
            pub const fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// The difference.
            ///
            /// # Errors
            /// When it would be negative.
            pub fn checked_sub(self, other: Self) -> Result<Self, UnitOverflow> {
                self.0.checked_sub(other.0).map(Self).ok_or(UnitOverflow {
                    left: self.0,
                    operation: '-',
                    right: other.0,
                    unit: $unit,
                })
            }

            /// The difference, or zero if it would be negative: for limits and comparisons, never for what is paid.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }
    };
}

quantity! {
    /// Compute units of a stack: tokens, images, or whatever else its task counts.
    ComputeUnits: u64
}
quantity! {
    /// SUI in its smallest unit: 1 SUI = 1,000,000,000 MIST.
    Mist: u64
}
quantity! {
    /// USDC in its smallest unit: 1 USDC = 1,000,000 micro-USDC.
    MicroUsdc: u64
}
quantity! {
    /// The price of one million compute units, in micro-USDC
    /// (`price_per_one_million_compute_units` in the contract).
    PricePerMillion: u64
}
quantity! {
    /// A Sui epoch: about 24 hours on public networks.
    Epoch: u64
}
quantity! {
    /// A checkpoint's sequence number.
    CheckpointNumber: u64
}
quantity! {
    /// Thousandths.
    Permille: u64
}
quantity! {
    /// Milliseconds since the Unix epoch.
    TimestampMs: u64
}
quantity! {
    /// The kind of work of a task (`db::TaskRole`, 0 to 7): 0 is inference. It stays a number, so
    /// that the daemon can pass on roles of later contracts.
    TaskRole: u16
}
quantity! {
    /// How the work of a task is verified (`db::SecurityLevel`).
    SecurityLevel: u16
}

amount!(ComputeUnits, "compute units");
amount!(Mist, "MIST");
amount!(MicroUsdc, "micro-USDC");

impl SecurityLevel {
    /// No verification: the selected node's settlement is trusted.
    pub const NONE: Self = Self(0);
    /// Confidential compute: paid by `claim_funds_for_stacks`, without settlement.
    pub const CONFIDENTIAL_COMPUTE: Self = Self(1);
    /// Sampling consensus: drawn nodes attest the settlement.
    pub const SAMPLING_CONSENSUS: Self = Self(2);
}

impl Epoch {
    /// The next epoch. Saturates at the largest number.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
