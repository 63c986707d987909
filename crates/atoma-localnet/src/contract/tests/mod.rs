//! The contract against what was measured on the published one (`tests/vectors/` at the
//! workspace's root), and what the measurements leave open.

mod aborts;
mod arguments;
mod chain;
mod draws;
mod epochs;
mod events;
mod fees;
mod interface;
mod keys;
mod objects;
mod operations;
mod proofs;
mod rules;
mod scenarios;
mod vectors;
