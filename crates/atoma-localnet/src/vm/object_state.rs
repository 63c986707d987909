//! An object as one transaction sees it.

use sui_sdk_types::{Object, Owner, StructTag};

use crate::vm::value_of;

/// An object's type, owner and contents at one moment of a transaction; versions are the
/// network's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectState {
    /// Its Move type.
    pub object_type: StructTag,
    /// Whether commands may transfer it (its type has the `store` ability).
    pub has_public_transfer: bool,
    /// Who holds it. `None` until something that a command returned is given to somebody. An
    /// object shared in this transaction has [`Owner::Shared`] with version 0: the network puts
    /// the transaction's version there.
    pub owner: Option<Owner>,
    /// BCS bytes, the id first.
    pub contents: Vec<u8>,
}

impl ObjectState {
    /// Reads a stored object; packages are no such objects.
    pub fn of(object: &Object) -> Option<Self> {
        let data = object.as_struct()?;
        Some(Self {
            object_type: data.object_type().clone(),
            has_public_transfer: data.has_public_transfer(),
            owner: Some(*object.owner()),
            contents: data.contents().to_vec(),
        })
    }

    /// What the coin holds, in its smallest unit; `None` when the object is no coin.
    pub fn coin_value(&self) -> Option<u64> {
        self.object_type.is_coin()?;
        value_of(&self.contents)
    }
}
