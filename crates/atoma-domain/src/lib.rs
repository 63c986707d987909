//! The domain of the Atoma node daemon: its types, its rules, and the traits between its crates.
//!
//! - [`ids`](NodeSmallId) and [`units`](ComputeUnits): a distinct type for each meaning, with checked
//!   arithmetic only.
//! - [`events`]: the contract's events, decoded from and encoded to BCS byte for byte.
//! - [`settlement`]: the Merkle accumulator over served messages, and the commitment that the
//!   contract recomputes.
//! - [`contract`]: calls, objects and aborts of the Move module `atoma::db`, as far as a node uses
//!   them.
//! - [`model`]: the state that the daemon mirrors and serves.
//! - [`journal`]: the state machine of an intent on its way to the chain.
//! - [`ports`]: the traits that adapters implement. Only the daemon's composition root connects
//!   them to concrete types.
//!
//! The crate does no I/O and depends on no async runtime. To add an event, list it in `events.rs`.
//! To add an action on chain, add a variant of [`journal::Action`] and the
//! [`contract::ContractCall`] that it becomes.

mod causes;
pub mod contract;
pub mod events;
mod hash;
mod ids;
pub mod journal;
pub mod model;
pub mod ports;
pub mod reconciliation;
pub mod settlement;
mod transaction;
mod units;

pub use causes::{each_once, with_causes};
pub use hash::{Hash32, HexBytes, ParseHashError, serialize_id, serialize_optional_id};
pub use ids::{
    EchelonId, IntentId, NodeSmallId, ObjectId, ReservationId, StackSmallId, TaskSmallId,
};
pub use sui_sdk_types::{Address, Digest, ObjectReference};
pub use units::{
    CheckpointNumber, ComputeUnits, Epoch, MicroUsdc, Mist, Permille, PricePerMillion,
    SecurityLevel, TaskRole, TimestampMs, UnitOverflow,
};
