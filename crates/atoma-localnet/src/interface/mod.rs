//! The Move interface of the network's packages: datatypes and functions. It is what a network reads from
//! published bytecode; this one has no bytecode, so the interface stands in tables.
//!
//! Types are written as in Move, with the packages `0x1`, `0x2`, `0x3`, `usdc` and `atoma`. `T0` is the first
//! type parameter.

mod contract;
mod datatype;
mod framework;
mod json;
mod move_type;
mod package;

pub(crate) use datatype::{Ability, Datatype, FrameworkFunction};
pub(crate) use json::{is_plain, is_value, json};
pub(crate) use move_type::{MoveSignature, OpenType};
pub(crate) use package::PackageName;

#[cfg(test)]
mod tests;
