//! What the arguments of commands stand for.

use atoma_domain::ObjectId;
use sui_sdk_types::TypeTag;

/// The value of an argument.
#[derive(Debug, Clone)]
pub(super) enum ArgumentValue {
    Pure(Vec<u8>),
    Object {
        id: ObjectId,
        usage: ObjectUse,
    },
    Value(MoveValue),
    /// Already moved.
    Moved,
}

/// How commands may use an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectUse {
    /// In any way.
    Value,
    /// In any way except by value: a shared object.
    MutableReference,
    /// For reading only: an immutable object, or a shared one taken immutably.
    Reference,
}

/// A command's result that is not an object: a balance, a vector, a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MoveValue {
    pub(super) tag: TypeTag,
    pub(super) bytes: Vec<u8>,
    /// Whether the type has the abilities `copy` and `drop`. Other values must be used exactly once.
    pub(super) is_plain: bool,
}
