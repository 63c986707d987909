//! The exclusive right to pay with some gas coins.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use atoma_domain::ports::{Executed, GasCoin};
use atoma_domain::{Mist, ObjectId, ObjectReference};

use super::coins::sum;
use super::holdings::Holdings;

/// A coin smaller than this, in MIST, is not worth splitting off.
const SMALLEST_SPLIT: u64 = 500_000_000;
/// No larger coin is split off, in MIST: a simulation pays from a coin of limited size.
const LARGEST_SPLIT: u64 = 10_000_000_000;

/// The exclusive right to pay with some gas coins, given back when dropped.
#[derive(Debug)]
pub(in crate::engine) struct GasLease {
    holdings: Arc<Holdings>,
    ids: Vec<ObjectId>,
    /// The coins as leased; none for an attempt from before this process.
    coins: Vec<GasCoin>,
    /// What is known of them when the lease ends; the others are read again.
    after: Vec<GasCoin>,
    /// Those that were merged into the first.
    used_up: Vec<ObjectId>,
}

impl GasLease {
    /// A lease of coins whose balances are known.
    pub(super) fn of(holdings: Arc<Holdings>, coins: Vec<GasCoin>) -> Self {
        Self {
            holdings,
            ids: coins
                .iter()
                .map(|coin| *coin.reference.object_id())
                .collect(),
            after: coins.clone(),
            coins,
            used_up: Vec::new(),
        }
    }

    /// A lease of coins that are known by id only.
    pub(super) const fn unknown(holdings: Arc<Holdings>, ids: Vec<ObjectId>) -> Self {
        Self {
            holdings,
            ids,
            coins: Vec::new(),
            after: Vec::new(),
            used_up: Vec::new(),
        }
    }

    /// The coins as the attempt names them; none for an attempt from before this process.
    pub(in crate::engine) fn references(&self) -> Vec<ObjectReference> {
        self.coins
            .iter()
            .map(|coin| coin.reference.clone())
            .collect()
    }

    /// What the coins hold together.
    pub(in crate::engine) fn balance(&self) -> Mist {
        sum(self.coins.iter().map(|coin| coin.balance))
    }

    /// The amount to split off as a new coin while paying at most `budget`: half of what is left, if
    /// a lane had to wait for a coin and both halves are large enough.
    pub(in crate::engine) fn to_split(&self, budget: Mist) -> Vec<Mist> {
        let left = self.balance().get().saturating_sub(budget.get());
        let half = (left / 2).min(LARGEST_SPLIT);
        if half < SMALLEST_SPLIT || !self.holdings.wanted.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        vec![Mist::new(half)]
    }

    /// Takes the coins' new versions from the effects of the transaction that they paid for, which
    /// split `split` off: the first coin keeps the change, the others are gone.
    pub(in crate::engine) fn paid(&mut self, executed: &Executed, split: Mist) {
        self.after.clear();
        let others = self.ids.iter().skip(1);
        self.used_up = others
            .filter(|id| !executed.written.contains_key(id))
            .copied()
            .collect();
        let Some(first) = self.coins.first() else {
            return;
        };
        if let Some(reference) = executed.written.get(first.reference.object_id()) {
            let spent = sum([executed.gas_used, split].into_iter());
            self.after.push(GasCoin {
                reference: reference.clone(),
                balance: self
                    .balance()
                    .saturating_add(executed.gas_returned)
                    .checked_sub(spent)
                    .unwrap_or(Mist::ZERO),
            });
        }
    }

    /// Forgets the coins' versions, which are no longer what we knew; they are read again.
    pub(in crate::engine) fn forget(&mut self) {
        self.after.clear();
    }

    /// Keeps the coins leased until the next start, for an attempt that may still execute.
    pub(in crate::engine) fn keep(mut self) {
        self.ids.clear();
        self.after.clear();
    }
}

impl Drop for GasLease {
    fn drop(&mut self) {
        let after = std::mem::take(&mut self.after);
        let mut state = self.holdings.lock();
        state.coins.give_back(&self.ids, after, &self.used_up);
        drop(state);
        self.holdings.freed.notify_waiters();
    }
}
