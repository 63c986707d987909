//! Tests of the contract against measurements of the published one (`tests/vectors/` at the
//! workspace root), and of rules that the measurements don't cover.

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
