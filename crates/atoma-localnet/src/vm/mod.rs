//! A native stand-in for Move's object runtime.
//!
//! It runs no bytecode. It gives native code what Move code has: objects that are loaded,
//! created, changed, given away and deleted within one transaction, dynamic fields, tables,
//! balances and coins. Contents, types, owners and ids are those that the real runtime would
//! leave behind, so that a client reads from them what it reads on any Sui network.

mod coin;
mod dynamic_field;
mod error;
mod execution;
mod object_state;
mod outcome;
mod random;
mod table;
mod types;

pub use error::{MoveError, MoveErrorKind};
pub use execution::{Execution, ObjectReader, TxContext};
pub use object_state::ObjectState;
pub use outcome::Outcome;

pub(crate) use coin::{Balance, coin_type, value_of};
pub(crate) use dynamic_field::{Access, FieldAddress};
pub(crate) use error::CodeLocation;
pub(crate) use random::Generator;
pub(crate) use table::{ObjectTable, Table, TableVec};
pub(crate) use types::{AsciiString, MoveType, ObjectType, framework_struct, package_struct};
