//! An object within one transaction.

use sui_sdk_types::{Object, Owner, StructTag};

/// An object's type, owner and contents at one point in a transaction, without a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectState {
    /// The Move type.
    pub object_type: StructTag,
    /// Whether commands may transfer it: its type has the `store` ability.
    pub has_public_transfer: bool,
    /// The owner. `None` for a command's result until it is transferred. An object shared in this
    /// transaction has [`Owner::Shared`] with version 0, which the network replaces by the
    /// transaction's version.
    pub owner: Option<Owner>,
    /// The BCS bytes, beginning with the id.
    pub contents: Vec<u8>,
}

impl ObjectState {
    /// The state of a stored object; `None` for a package.
    pub fn of(object: &Object) -> Option<Self> {
        let data = object.as_struct()?;
        Some(Self {
            object_type: data.object_type().clone(),
            has_public_transfer: data.has_public_transfer(),
            owner: Some(*object.owner()),
            contents: data.contents().to_vec(),
        })
    }
}
