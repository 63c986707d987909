//! The changes of balances that a transaction makes.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::ObjectId;
use sui_sdk_types::{
    Address, BalanceChange, Object, ObjectIn, ObjectOut, Owner, TransactionEffectsV2, TypeTag,
};

use crate::chain::coin_balance;

/// The balance changes by address and coin type, without those of 0.
pub(crate) fn balance_changes(
    effects: &TransactionEffectsV2,
    lookup: &dyn Fn(&ObjectId, u64) -> Option<Arc<Object>>,
) -> Vec<BalanceChange> {
    let mut amounts: BTreeMap<(Address, String), (TypeTag, i128)> = BTreeMap::new();
    let mut count = |object: Option<Arc<Object>>, sign: i128| {
        let Some(object) = object else { return };
        let Some((coin_type, balance)) = coin_balance(&object) else {
            return;
        };
        let owner = match object.owner() {
            Owner::Address(owner) | Owner::ConsensusAddress { owner, .. } => *owner,
            _ => return,
        };
        let entry = amounts
            .entry((owner, coin_type.to_string()))
            .or_insert((coin_type, 0));
        entry.1 += sign * i128::from(balance);
    };
    for change in &effects.changed_objects {
        if let ObjectIn::Exist { version, .. } = change.input_state {
            count(lookup(&change.object_id, version), -1);
        }
        if matches!(change.output_state, ObjectOut::ObjectWrite { .. }) {
            count(lookup(&change.object_id, effects.lamport_version), 1);
        }
    }
    amounts
        .into_iter()
        .filter(|(_, (_, amount))| *amount != 0)
        .map(|((address, _), (coin_type, amount))| BalanceChange {
            address,
            coin_type,
            amount,
        })
        .collect()
}
