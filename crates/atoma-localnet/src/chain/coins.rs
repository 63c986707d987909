//! Reading coins.

use sui_sdk_types::{Object, ObjectData, TypeTag};

/// The coin type and balance of a `0x2::coin::Coin<T>` object.
pub(crate) fn coin_balance(object: &Object) -> Option<(TypeTag, u64)> {
    let ObjectData::Struct(value) = object.data() else {
        return None;
    };
    let coin_type = value.object_type().is_coin()?.clone();
    let balance = value.contents().get(32..40)?.try_into().ok()?;
    Some((coin_type, u64::from_le_bytes(balance)))
}
