//! A local Sui network with the Atoma contract, for development and tests.
//!
//! [`LocalNet`] is a whole network in one process. It serves the real `sui.rpc.v2` protocol over
//! gRPC and grpc-web, accepts real transactions in BCS with real signatures, and returns real
//! effects, object versions, gas, events and checkpoints. To a Sui client it looks like a small Sui
//! network on which the Atoma contract is published. Nothing on it has any value.
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use atoma_localnet::{LocalNet, LocalNetConfig, NewTask};
//!
//! let network = LocalNet::start(LocalNetConfig::default()).await?;
//! let task = network.create_task(&NewTask {
//!     role: 0,
//!     model_name: Some("a-model".to_owned()),
//!     security_level: 0,
//!     minimum_reputation_score: None,
//!     is_public: true,
//! })?;
//! println!("task {task}; connect Sui clients to {}", network.url());
//! network.advance_epoch()?;
//! network.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! - `chain`: objects, transactions, checkpoints and epochs, and the log that persists them.
//! - `vm` and `contract`: Move's object runtime and the contract's rules as native code.
//! - `execution`: a transaction's way from checks to effects, in the same order as on Sui.
//! - `interface`: the packages' datatypes and functions, in place of bytecode.
//! - `rpc`: the five gRPC services. [`FaultKind`] lists the faults that can be injected into them.
//! - `server`: connections, TLS, calls from web pages, and the faucet for SDKs.
//! - `admin`: the control calls over HTTP, which [`LocalNet`] also has as methods.
//! - [`demo`]: the demonstration world.
//!
//! All ids, keys and draws are derived from [`LocalNetConfig::seed`].
//!
//! To add an entry function, change `contract` only. To add a control call, add a method to
//! [`LocalNet`] and a route to `admin`.

mod accounts;
mod action_builder;
mod actions;
mod admin;
mod chain;
mod clock;
mod config;
pub mod contract;
mod control;
mod core;
pub mod demo;
mod error;
mod execution;
mod faults;
mod files;
mod genesis;
mod interface;
mod keys;
mod network;
mod node;
mod ready;
mod rpc;
mod server;
mod startup;
mod state;
mod system;
mod upgrade;
pub mod vm;

pub use actions::{NewModel, NewTask, NodeRegistration, Parameters, Purchase};
pub use atoma_domain::ObjectId;
pub use config::{Addresses, CHECKPOINT_ON_STEP, LocalNetConfig, TlsConfig};
pub use error::LocalNetError;
pub use faults::{Fault, FaultKind};
pub use network::LocalNet;
pub use node::LocalNode;
pub use ready::clear_ready_file;
