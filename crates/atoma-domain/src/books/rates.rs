//! The charges of a transaction, as far as they are known or can be derived from what it paid.

use std::collections::BTreeSet;

use super::record::{BookEntry, BookedTransaction};
use crate::contract::{KnownCharges, stack_fee};
use crate::{Permille, SecurityLevel, StackSmallId};

/// The least and the largest that a charge can have been, in permille.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: u64,
    pub(super) most: u64,
}

impl Bounds {
    const ANY: Self = Self {
        least: 0,
        most: u64::MAX,
    };

    const fn exactly(charge: u64) -> Self {
        Self {
            least: charge,
            most: charge,
        }
    }

    fn of(charge: Option<u64>) -> Self {
        charge.map_or(Self::ANY, Self::exactly)
    }

    pub(super) const fn is_exact(&self) -> bool {
        self.least == self.most
    }

    /// The amount, if it is the same at every charge within the bounds. `amount` grows with the charge.
    pub(super) fn sure<T: PartialEq>(&self, amount: impl Fn(u64) -> Option<T>) -> Option<T> {
        let least = amount(self.least)?;
        (self.is_exact() || amount(self.most).as_ref() == Some(&least)).then_some(least)
    }

    /// The charges within the bounds at which the amount is the recorded one; `None` if there are none, or if there is
    /// no amount even at the least. `amount` grows with the charge, until it is none because it is too large.
    pub(super) fn narrow(
        &self,
        recorded: i128,
        amount: impl Fn(u64) -> Option<i128>,
    ) -> Option<Self> {
        amount(self.least)?;
        let is_less = |charge| amount(charge).is_some_and(|amount| amount < recorded);
        let is_at_most = |charge| amount(charge).is_some_and(|amount| amount <= recorded);
        let least = self.first(|charge| !is_less(charge))?;
        let most = match self.first(|charge| !is_at_most(charge)) {
            Some(above) => above.checked_sub(1)?,
            None => self.most,
        };
        (least <= most).then_some(Self { least, most })
    }

    /// The first charge for which it holds. Once it holds, it holds for all larger ones.
    fn first(&self, holds: impl Fn(u64) -> bool) -> Option<u64> {
        if !holds(self.most) {
            return None;
        }
        let (mut from, mut to) = (self.least, self.most);
        while from < to {
            let middle = from.midpoint(to);
            match holds(middle) {
                true => to = middle,
                // It is less than `to`, so one more fits.
                false => from = middle.saturating_add(1),
            }
        }
        Some(to)
    }
}

/// The charges of a transaction.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    /// What claims are paid at.
    pub(super) claim: Bounds,
    /// What purchases pay: the charge and the surcharge together.
    pub(super) purchase: Bounds,
    /// The number by which fees are divided into shares, if it is known.
    pub(super) count: Option<u64>,
    /// The stacks whose refund no charge explains.
    pub(super) conflicts: BTreeSet<StackSmallId>,
    /// Whether a charge was derived from balances, which then can't be compared with it.
    pub(super) is_by_balance: bool,
}

impl Rates {
    pub(super) fn of(known: &KnownCharges) -> Self {
        let charge = known.sampling_consensus.map(Permille::get);
        let surcharge = known.extra_nodes.map(Permille::get);
        let both = charge.zip(surcharge);
        Self {
            claim: Bounds::of(charge),
            // A sum that doesn't fit aborts the purchase, as the largest charge does.
            purchase: Bounds::of(both.map(|(charge, extra)| charge.saturating_add(extra))),
            count: known.extra_nodes_count,
            conflicts: BTreeSet::new(),
            is_by_balance: false,
        }
    }

    pub(super) fn with_claim(&self, charge: u64) -> Self {
        Self {
            claim: Bounds::exactly(charge),
            ..self.clone()
        }
    }

    pub(super) fn with_purchase(&self, charge: u64) -> Self {
        Self {
            purchase: Bounds::exactly(charge),
            ..self.clone()
        }
    }

    /// Takes what balances tell of the charge of claims.
    pub(super) fn take_claim(&mut self, found: Option<Bounds>) {
        if let Some(found) = found.filter(|found| *found != self.claim) {
            self.claim = found;
            self.is_by_balance = true;
        }
    }

    /// Takes what balances tell of the charge of purchases.
    pub(super) fn take_purchase(&mut self, found: Option<Bounds>) {
        if let Some(found) = found.filter(|found| *found != self.purchase) {
            self.purchase = found;
            self.is_by_balance = true;
        }
    }

    /// What the charge of claims can have been, by the refunds that the events name. All claims of a transaction are paid
    /// at the same.
    pub(super) fn narrow_by_refunds(&mut self, transaction: &BookedTransaction) {
        if self.claim.is_exact() {
            return;
        }
        for entry in &transaction.entries {
            let BookEntry::Claimed(claim) = entry else {
                continue;
            };
            let Some(terms) = claim.terms else { continue };
            if terms.security_level != SecurityLevel::SAMPLING_CONSENSUS {
                continue;
            }
            let Ok(unused) = terms.num_compute_units.checked_sub(claim.claimed) else {
                continue;
            };
            let (level, price) = (
                terms.security_level,
                terms.price_per_one_million_compute_units,
            );
            let refund = |charge| {
                let refund = stack_fee(level, unused, price, Permille::new(charge))?;
                Some(i128::from(refund.get()))
            };
            match self.claim.narrow(i128::from(claim.refund.get()), refund) {
                Some(found) => self.claim = found,
                None => {
                    self.conflicts.insert(claim.stack);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_found_from_an_amount_or_is_left_open() {
        let amount = |charge: u64| {
            charge
                .checked_mul(793)
                .map(|product| i128::from(product / 1_000))
        };
        let found = Bounds::ANY.narrow(872, amount).unwrap();
        assert_eq!(
            found,
            Bounds {
                least: 1_100,
                most: 1_100
            }
        );
        assert_eq!(found.sure(|charge| Some(charge * 2)), Some(2_200));
        // Of several charges with one amount none is chosen.
        let coarse = |charge: u64| Some(i128::from(charge / 100));
        let found = Bounds::ANY.narrow(12, coarse).unwrap();
        assert_eq!(
            found,
            Bounds {
                least: 1_200,
                most: 1_299
            }
        );
        assert_eq!(found.sure(Some), None);
        assert_eq!(found.sure(|charge| Some(charge / 100)), Some(12));
        // An amount that no charge gives, one that every charge gives, and one that can't be computed.
        let even = |charge: u64| charge.checked_mul(2).map(i128::from);
        assert_eq!(Bounds::ANY.narrow(3, even), None);
        assert_eq!(Bounds::ANY.narrow(0, |_| Some(0)), Some(Bounds::ANY));
        assert_eq!(Bounds::ANY.narrow(0, |_| None), None);
    }
}
