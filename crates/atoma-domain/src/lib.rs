//! The domain of the Atoma node daemon: its types, its rules, and the traits between its crates.
//! What a node is paid for, computed offline: the root over two served messages, and the proof with which the contract lets
//! the node settle.
//!
//! ```
//! use atoma_domain::Hash32;
//! use atoma_domain::settlement::{SettlementProof, StackAccumulator};
//!
//! let mut served = StackAccumulator::default();
//! for (payload, response) in [("a request", "a response"), ("another", "and its response")] {
//!     let pair = [payload, response].map(|text| Hash32::of(&[text.as_bytes()]));
//!     served.append(Hash32::of_message(pair[0], pair[1]))?;
//! }
//! let root = served.root().ok_or("nothing was served")?;
//! // One node may be drawn to verify the work, and one could be.
//! let proof = SettlementProof::of_selected_node(&root, 1, 1)?;
//! assert_ne!(proof.commitment, root);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`ids`](NodeSmallId) and [`units`](ComputeUnits): a distinct type for each meaning, with checked
//!   arithmetic only.
//! - [`events`]: the contract's events, decoded from and encoded to BCS byte for byte.
//! - [`settlement`]: the Merkle accumulator over served messages, and the commitment that the
//!   contract recomputes.
//! - [`contract`]: calls, objects and aborts of the Move module `atoma::db`, as far as a node uses
//!   them.
//! - [`books`]: what each stack cost, paid and still owes, to the last unit.
//! - [`model`]: the state that the daemon mirrors and serves.
//! - [`autopilot`]: what an operator's nodes have to do, and when.
//! - [`journal`]: the state machine of an intent on its way to the chain.
//! - [`alarms`]: what the operator must look at, and when somebody is told.
//! - [`ports`]: the traits that adapters implement. Only the daemon's composition root connects
//!   them to concrete types.
//!
//! The crate does no I/O and depends on no async runtime. To add an event, list it in `events.rs`.
//! To add an action on chain, add a variant of [`journal::Action`] and the
//! [`contract::ContractCall`] that it becomes.

pub mod alarms;
pub mod autopilot;
pub mod books;
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

/// What implementations of the [`ports`] are written with.
pub use async_trait::async_trait;
/// The bytes that some ports carry.
pub use bytes::Bytes;
pub use causes::{each_once, with_causes};
pub use hash::{Hash32, HexBytes, ParseHashError, serialize_id, serialize_optional_id};
pub use ids::{
    AlarmId, DeliveryId, EchelonId, IntentId, NodeSmallId, ObjectId, ReservationId, StackSmallId,
    TaskSmallId,
};
pub use sui_sdk_types::{Address, Digest, ObjectReference};
pub use transaction::{ConsumedVersion, consumed_version};
pub use units::{
    CheckpointNumber, ComputeUnits, Epoch, MicroUsdc, Mist, Permille, PricePerMillion,
    SecurityLevel, TaskRole, TimestampMs, UnitOverflow,
};
