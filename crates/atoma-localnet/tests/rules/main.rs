//! The rules of a Sui network as clients meet them: which transactions it refuses and in which words, its limits,
//! simulations, the framework's functions, packages and their upgrades, and values as JSON.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod accounting;
mod framework;
mod gas_limits;
mod interface;
mod limits;
mod refusal_table;
mod refusals;
mod refused_inputs;
mod refused_requests;
mod refused_signatures;
mod simulation;
#[path = "../support/mod.rs"]
mod support;
mod upgrade;
