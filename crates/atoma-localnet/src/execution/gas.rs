//! The cost of a transaction.

use sui_sdk_types::{GasCostSummary, Object, ObjectData, StructTag};

use super::limits::{MIN_COMPUTATION_UNITS, STORAGE_MIST_PER_BYTE, STORAGE_REBATE_BASIS_POINTS};

/// The computation buckets: units are rounded up to the next one.
const BUCKETS: [u64; 8] = [
    MIN_COMPUTATION_UNITS,
    5_000,
    10_000,
    20_000,
    50_000,
    200_000,
    1_000_000,
    5_000_000,
];

/// Counts computation units. The weights are this network's own; the rounding is Sui's.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Meter {
    units: u64,
}

impl Meter {
    /// Counts a command and the bytes of its arguments.
    pub(crate) fn command(&mut self, argument_bytes: usize) {
        self.add(60, argument_bytes);
    }

    /// Counts objects that a command read or wrote.
    pub(crate) fn objects(&mut self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.units = self.units.saturating_add(count.saturating_mul(15));
    }

    fn add(&mut self, fixed: u64, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.units = self.units.saturating_add(fixed).saturating_add(bytes / 16);
    }

    /// The cost of the units so far in MIST, rounded up to a bucket.
    pub(crate) fn cost(self, price: u64) -> u64 {
        let units = BUCKETS
            .into_iter()
            .find(|bucket| self.units <= *bucket)
            .unwrap_or(self.units);
        units.saturating_mul(price)
    }
}

/// The storage fee of an object in MIST, by its size in Sui's gas metering.
fn storage_fee(object: &Object) -> u64 {
    // Owner, previous transaction and rebate, with their sizes in a validator's memory.
    const METADATA_BYTES: usize = 40 + 32 + 8;
    let data = match object.data() {
        ObjectData::Struct(value) => type_bytes(value.object_type()) + value.contents().len() + 9,
        ObjectData::Package(package) => package.modules.values().map(Vec::len).sum(),
    };
    u64::try_from(data + METADATA_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_mul(STORAGE_MIST_PER_BYTE)
}

/// The serialized size of an object's type. Coins and stakes have a short form.
fn type_bytes(object_type: &StructTag) -> usize {
    if *object_type == StructTag::gas_coin() || *object_type == StructTag::staked_sui() {
        return 1;
    }
    let size = match object_type.is_coin() {
        Some(coin_type) => bcs::serialized_size(coin_type),
        None => bcs::serialized_size(object_type),
    };
    1 + size.unwrap_or_default()
}

/// The storage fees of the objects that a transaction writes, and those returned for the versions
/// that it replaces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Storage {
    is_charged: bool,
    cost: u64,
    returned: u64,
}

impl Storage {
    /// Fees are charged for what is written, and returned for what is replaced or deleted.
    pub(crate) const CHARGED: Self = Self {
        is_charged: true,
        cost: 0,
        returned: 0,
    };
    /// The budget does not cover the fees: written objects keep those that they have, and fees are returned
    /// only for what is deleted.
    pub(crate) const UNCHARGED: Self = Self {
        is_charged: false,
        ..Self::CHARGED
    };

    /// Counts a written object and the version that it replaces, and stores in it the fee to return later.
    pub(crate) fn write(&mut self, object: Object, old: Option<&Object>) -> Object {
        let kept = old.map_or(0, Object::storage_rebate);
        if !self.is_charged {
            return with_rebate(object, kept);
        }
        let fee = storage_fee(&object);
        self.cost = self.cost.saturating_add(fee);
        self.returned = self.returned.saturating_add(kept);
        with_rebate(object, fee)
    }

    /// Counts a deleted object.
    pub(crate) fn delete(&mut self, old: &Object) {
        self.returned = self.returned.saturating_add(old.storage_rebate());
    }

    /// The summary. The network keeps 1 % of the returned fees.
    pub(crate) fn summary(self, computation_cost: u64) -> GasCostSummary {
        let returned = u128::from(self.returned) * u128::from(STORAGE_REBATE_BASIS_POINTS);
        let rebate = u64::try_from((returned + 5_000) / 10_000).unwrap_or(u64::MAX);
        GasCostSummary::new(
            computation_cost,
            self.cost,
            rebate,
            self.returned.saturating_sub(rebate),
        )
    }
}

/// Whether a budget covers a summary. Rebates offset storage but never computation.
pub(crate) fn affordable(gas: &GasCostSummary, budget: u64) -> bool {
    let storage = gas.storage_cost.saturating_sub(gas.storage_rebate);
    gas.computation_cost.saturating_add(storage) <= budget
}

fn with_rebate(object: Object, fee: u64) -> Object {
    Object::new(
        object.data().clone(),
        *object.owner(),
        object.previous_transaction(),
        fee,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use sui_sdk_types::{Address, Digest, MoveStruct, Owner};

    #[test]
    fn a_gas_coins_storage_fee_is_the_same_as_on_sui() {
        let coin = MoveStruct::new(StructTag::gas_coin(), true, 1, vec![1; 40]).unwrap();
        let object = Object::new(
            ObjectData::Struct(coin),
            Owner::Address(Address::TWO),
            Digest::ZERO,
            0,
        );
        assert_eq!(storage_fee(&object), 988_000);
    }

    #[test]
    fn the_network_keeps_one_percent() {
        let storage = Storage {
            returned: 988_000,
            ..Storage::CHARGED
        };
        let gas = storage.summary(1);
        assert_eq!(gas.storage_rebate, 978_120);
        assert_eq!(gas.non_refundable_storage_fee, 9_880);
    }
}
