//! Stored objects, and the gas coin before and after the commands.

use std::sync::Arc;

use sui_sdk_types::{Digest, GasCostSummary, MoveStruct, Object, ObjectData, Owner};

use super::inputs::InputObjects;
use crate::vm::ObjectState;

/// The stored object with the given version. An object shared in this transaction also has that
/// version in its owner.
pub(crate) fn object_of(state: &ObjectState, version: u64, previous: Digest) -> Option<Object> {
    let data = MoveStruct::new(
        state.object_type.clone(),
        state.has_public_transfer,
        version,
        state.contents.clone(),
    )?;
    let owner = match state.owner {
        Some(Owner::Shared(0)) => Owner::Shared(version),
        Some(owner) => owner,
        None => Owner::Immutable,
    };
    Some(Object::new(ObjectData::Struct(data), owner, previous, 0))
}

/// The gas coin with the unspent part of the budget added back.
pub(super) fn settle(coin: &Object, budget: u64, gas: &GasCostSummary) -> Object {
    let spent = gas.computation_cost.saturating_add(gas.storage_cost);
    let ObjectData::Struct(value) = coin.data() else {
        return coin.clone();
    };
    let mut contents = value.contents().to_vec();
    let held = contents
        .get(32..40)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes);
    let balance = u128::from(held) + u128::from(budget) + u128::from(gas.storage_rebate)
        - u128::from(spent).min(u128::from(budget) + u128::from(gas.storage_rebate));
    set_value(&mut contents, u64::try_from(balance).unwrap_or(u64::MAX));
    let data = MoveStruct::new(
        value.object_type().clone(),
        value.has_public_transfer(),
        value.version(),
        contents,
    );
    match data {
        Some(data) => Object::new(
            ObjectData::Struct(data),
            *coin.owner(),
            coin.previous_transaction(),
            coin.storage_rebate(),
        ),
        None => coin.clone(),
    }
}

pub(super) fn set_value(contents: &mut [u8], value: u64) {
    if let Some(bytes) = contents.get_mut(32..40) {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
}

/// The gas coin as commands see it: with the total balance of all gas coins, less the budget.
pub(super) fn gas_coin_for_commands(inputs: &InputObjects, budget: u64) -> Option<Arc<Object>> {
    let first = inputs.gas.first()?;
    let mut state = ObjectState::of(first)?;
    set_value(&mut state.contents, inputs.gas_balance - budget);
    object_of(&state, first.version(), first.previous_transaction()).map(Arc::new)
}
