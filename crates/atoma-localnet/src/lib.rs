//! A local Sui network with the Atoma contract, for development and tests.
//!
//! [`LocalNet`] is a network in one process. It speaks the real `sui.rpc.v2` protocol over gRPC and
//! grpc-web, takes real transactions in BCS with real signatures, and answers with real effects,
//! object versions, gas, events and checkpoints, so that a Sui client can't tell it from a small
//! Sui network on which the Atoma contract is published. Nothing of it is meant to hold value.
//!
//! - `chain`: what the network remembers, and the log that lets it survive a restart.
//! - `vm` and `contract`: Move's object runtime and the contract's rules as native code.
//! - `execution`: a transaction from its checks to its effects, in the order of the network.
//! - `rpc`: the five gRPC services; [`FaultKind`] makes them misbehave on purpose.
//! - `admin`: the control calls over HTTP; [`LocalNet`] has the same as methods.
//! - [`demo`]: the demonstration world.
//!
//! Everything that the network invents (ids, keys, draws) follows from [`Config::seed`].
//!
//! A new entry function is added in `contract` alone; a new control call is a method of
//! [`LocalNet`] and a route in `admin`.

mod accounts;
mod actions;
mod admin;
mod chain;
mod clock;
mod config;
pub mod contract;
mod core;
pub mod demo;
mod drafts;
mod execution;
mod faults;
mod genesis;
mod network;
mod rpc;
mod state;
pub mod vm;

pub use actions::{NewModel, NewTask, Parameters, Purchase};
pub use atoma_domain::ObjectId;
pub use config::{Addresses, CHECKPOINT_ON_STEP, Config};
pub use faults::{Fault, FaultKind};
pub use network::{LocalNet, LocalNetError};
