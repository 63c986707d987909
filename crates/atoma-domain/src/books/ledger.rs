//! Applying the contract's rules to recorded transactions, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use super::posting::{Owed, Posted, Posting};
use super::rates::Rates;
use super::record::{BookEntry, BookedTransaction};
use crate::contract::ChargesHistory;
use crate::{Address, NodeSmallId};

/// The books of the operator's nodes, as far as transactions were posted.
#[derive(Clone, Debug)]
pub struct Ledger {
    own: BTreeSet<NodeSmallId>,
    charges: ChargesHistory,
    /// The numbers of the transactions before which the mirror was rebuilt, so that earlier ones may be missing.
    gaps: BTreeSet<u64>,
    owed: BTreeMap<NodeSmallId, Owed>,
}

impl Ledger {
    /// The empty books of these nodes. `gaps` are the numbers of the last transactions before the mirror was rebuilt.
    pub fn new(
        own: impl IntoIterator<Item = NodeSmallId>,
        charges: ChargesHistory,
        gaps: impl IntoIterator<Item = u64>,
    ) -> Self {
        Self {
            own: own.into_iter().collect(),
            charges,
            gaps: gaps.into_iter().collect(),
            owed: BTreeMap::new(),
        }
    }

    /// Takes the charges that were read since. What they tell of posted transactions must be what was known of them.
    pub fn learn(&mut self, charges: ChargesHistory) {
        self.charges = charges;
    }

    /// What the contract owes the node: shares that it was credited and has not withdrawn. `None` if the books don't
    /// reach back far enough to know, or if a share is unknown.
    pub fn owed(&self, node: NodeSmallId) -> Option<u128> {
        self.owed.get(&node).copied().flatten()
    }

    /// Posts the next transaction.
    pub fn post(&mut self, transaction: &BookedTransaction) -> Posted {
        let later = self.gaps.split_off(&transaction.sequence);
        if !std::mem::replace(&mut self.gaps, later).is_empty() {
            self.owed.clear();
        }
        let version = transaction.contract_version;
        let known = version.map(|version| self.charges.at(version));
        let mut rates = Rates::of(&known.unwrap_or_default());
        rates.narrow_by_refunds(transaction);
        self.narrow_by_balances(transaction, &mut rates);
        let mut posting = self.posting(transaction, &rates);
        posting.run();
        posting.check_balances();
        let (owed, posted) = posting.finish();
        self.owed = owed;
        posted
    }

    fn posting<'a>(&'a self, transaction: &'a BookedTransaction, rates: &'a Rates) -> Posting<'a> {
        Posting::new(&self.own, transaction, rates, self.owed.clone())
    }

    /// What a charge can have been, by what the transaction paid: claims to its sender, and purchases from their buyer.
    fn narrow_by_balances(&self, transaction: &BookedTransaction, rates: &mut Rates) {
        let Some(changes) = &transaction.balance_changes else {
            return;
        };
        let change = |address: &Address| changes.get(address).copied().unwrap_or_default();
        let claims = |entry: &BookEntry| matches!(entry, BookEntry::Claimed(_));
        if !rates.claim.is_exact() && transaction.entries.iter().any(claims) {
            let found = rates.claim.narrow(change(&transaction.sender), |charge| {
                let rates = rates.with_claim(charge);
                let mut posting = self.posting(transaction, &rates);
                posting.run();
                posting.expected(&transaction.sender)
            });
            rates.take_claim(found);
        }
        let buyer = transaction.entries.iter().find_map(|entry| match entry {
            BookEntry::Bought { terms, .. } => terms.map(|terms| terms.owner),
            _ => None,
        });
        if let Some(buyer) = buyer.filter(|_| !rates.purchase.is_exact()) {
            let found = rates
                .purchase
                .narrow(change(&buyer).saturating_neg(), |charge| {
                    let rates = rates.with_purchase(charge);
                    let mut posting = self.posting(transaction, &rates);
                    posting.run();
                    posting.expected(&buyer)?.checked_neg()
                });
            rates.take_purchase(found);
        }
    }
}
