//! A native replacement for Move's object runtime.
//!
//! It runs no bytecode. It offers native code what the framework offers Move code: objects that
//! are loaded, created, changed, transferred and deleted within one transaction, dynamic fields,
//! tables, balances and coins. It leaves objects with the same contents, types, owners and ids as
//! the real runtime, so that clients can read them as on any Sui network.

mod coin;
mod dynamic_field;
mod error;
mod execution;
mod object_state;
mod random;
mod results;
mod table;
mod types;

pub use error::{MoveError, MoveErrorKind};
pub use execution::{Execution, ObjectReader, TxContext};
pub use object_state::ObjectState;
pub use results::ExecutionResults;

pub(crate) use coin::{Balance, coin_type};
pub(crate) use dynamic_field::{ChildAccess, FieldAddress};
pub(crate) use error::CodeLocation;
pub(crate) use random::Generator;
pub(crate) use table::{ObjectTable, Table, TableVec};
pub(crate) use types::{AsciiString, MoveType, ObjectType, framework_struct, package_struct};
