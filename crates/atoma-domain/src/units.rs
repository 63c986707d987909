//! Quantities with a unit. No conversion among them, and arithmetic only where an overflow is
//! an error that the caller must look at.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An amount left the range of its type; the operands are kept for the message.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{left} {operation} {right} {unit} is out of range")]
pub struct UnitOverflow {
    left: u64,
    operation: char,
    right: u64,
    unit: &'static str,
}

/// Makes a distinct quantity around an unsigned integer. In BCS and JSON it is the bare integer.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident: $inner:ty) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
            Deserialize,
        )]
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

/// Adds checked sums and differences to a `u64` quantity.
macro_rules! amount {
    ($name:ident, $unit:literal) => {
        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// The sum.
            ///
            /// # Errors
            /// When it does not fit 64 bits.
            pub fn checked_add(self, other: Self) -> Result<Self, UnitOverflow> {
                self.0.checked_add(other.0).map(Self).ok_or(UnitOverflow {
                    left: self.0,
                    operation: '+',
                    right: other.0,
                    unit: $unit,
                })
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
        }
    };
}

quantity! {
    /// Compute units of a stack: tokens, images, whatever its task counts.
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
    /// Parts of a thousand.
    Permille: u64
}
quantity! {
    /// Milliseconds since the Unix epoch.
    TimestampMs: u64
}
quantity! {
    /// What a task serves (`db::TaskRole`, 0 to 7): 0 is inference. Kept as a number, so that a
    /// role of a later contract passes through unharmed.
    TaskRole: u16
}
quantity! {
    /// How a task's work is checked (`db::SecurityLevel`).
    SecurityLevel: u16
}

amount!(ComputeUnits, "compute units");
amount!(Mist, "MIST");
amount!(MicroUsdc, "micro-USDC");

impl SecurityLevel {
    /// No check: settled by the selected node's word.
    pub const NONE: Self = Self(0);
    /// Confidential compute: paid by `claim_funds_for_stacks`, without settlement.
    pub const CONFIDENTIAL_COMPUTE: Self = Self(1);
    /// Sampling consensus: drawn nodes attest the settlement.
    pub const SAMPLING_CONSENSUS: Self = Self(2);
}

impl Epoch {
    /// The epoch after this one; the last epoch is its own successor.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
