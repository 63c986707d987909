//! Dividing a transaction's gas among what it did.

use crate::{Digest, Epoch, Mist, NodeSmallId, StackSmallId, TaskSmallId, TimestampMs};

/// An action's part of its transaction's gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasLine {
    /// The transaction.
    pub digest: Digest,
    /// When the journal learnt its outcome.
    pub concluded_at: TimestampMs,
    /// Its epoch; `None` if the books don't have the transaction: one that failed, or without an effect on money.
    pub epoch: Option<Epoch>,
    /// The node that acted, if one did.
    pub node: Option<NodeSmallId>,
    /// The stack that it was about, if it was about one.
    pub stack: Option<StackSmallId>,
    /// The stack's task, if it is known.
    pub task: Option<TaskSmallId>,
    /// What was paid.
    pub used: Mist,
    /// What came back, because the transaction's storage rebate was larger than its gas.
    pub returned: Mist,
}

impl GasLine {
    /// What it cost; negative if something came back.
    pub fn cost(&self) -> i128 {
        i128::from(self.used.get()).saturating_sub(i128::from(self.returned.get()))
    }
}

/// Divides a transaction's gas among that many actions: equal parts, and the MIST that remain one each to the first. The
/// parts add up to the whole.
pub fn divide_gas(gas: Mist, actions: u64) -> impl Iterator<Item = Mist> {
    let part = gas.get().checked_div(actions).unwrap_or_default();
    let rest = gas.get().checked_rem(actions).unwrap_or_default();
    (0..actions).map(move |place| Mist::new(part.saturating_add(u64::from(place < rest))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_add_up_and_differ_by_one_at_most(gas: u64, actions in 1..200_u64) {
            let parts: Vec<u64> = divide_gas(Mist::new(gas), actions).map(Mist::get).collect();
            prop_assert_eq!(parts.iter().map(|part| u128::from(*part)).sum::<u128>(), u128::from(gas));
            prop_assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
        }
    }
}
