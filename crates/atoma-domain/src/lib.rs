//! The heart of the Atoma node daemon: what a stack, a ticket or a dispute *is*, and the seams
//! through which everything else plugs in.
//!
//! - [`ids`](NodeSmallId) and [`units`](ComputeUnits): one distinct type per meaning, checked
//!   arithmetic only.
//! - [`events`]: the contract's events, decoded from and encoded to BCS byte for byte.
//! - [`settlement`]: the Merkle accumulator over served messages and the commitment that the
//!   contract recomputes.
//! - [`contract`]: calls, objects and aborts of the Move module `atoma::db` as a node meets them.
//! - [`model`]: the state that the daemon mirrors and serves.
//! - [`journal`]: the state machine of an intent on its way to the chain.
//! - [`ports`]: the traits that adapters implement; they meet concrete types in the daemon's
//!   composition root only.
//!
//! The crate does no I/O and knows no async runtime. A new event is one line in `events.rs`; a new
//! action on chain is a [`journal::Action`] variant and the [`contract::ContractCall`] it becomes.

pub mod contract;
pub mod events;
mod hash;
mod ids;
pub mod journal;
pub mod model;
pub mod ports;
pub mod settlement;
mod units;

pub use hash::{Hash32, HexBytes, ParseHashError};
pub use ids::{EchelonId, IntentId, NodeSmallId, StackSmallId, TaskSmallId};
pub use sui_sdk_types::{Address, Digest, ObjectReference};
pub use units::{
    CheckpointNumber, ComputeUnits, Epoch, MicroUsdc, Mist, Permille, PricePerMillion,
    SecurityLevel, TaskRole, TimestampMs, UnitOverflow,
};

/// The id of a Sui object: 32 bytes, the same shape as an [`Address`].
pub type ObjectId = Address;
