//! The exclusive right to pay with some coins.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use atoma_domain::ports::{Executed, GasCoin};
use atoma_domain::{Mist, ObjectId, ObjectReference};

use super::{GasPool, sum};

/// A coin smaller than this, in MIST, is not worth splitting off.
const SMALLEST_SPLIT: u64 = 500_000_000;
/// No larger coin is split off, in MIST: a simulation pays from a coin of limited size.
const LARGEST_SPLIT: u64 = 10_000_000_000;

/// The exclusive right to pay with some coins, given back when dropped.
#[derive(Debug)]
pub(in crate::engine) struct GasLease {
    pool: Arc<GasPool>,
    ids: Vec<ObjectId>,
    /// As they were when they were leased; none for an attempt from before.
    coins: Vec<GasCoin>,
    /// What is known of them when the lease ends; the others are to be read again.
    after: Vec<GasCoin>,
    /// Those that became part of the first.
    used_up: Vec<ObjectId>,
}

impl GasLease {
    pub(super) fn of(pool: Arc<GasPool>, coins: Vec<GasCoin>) -> Self {
        Self {
            pool,
            ids: coins
                .iter()
                .map(|coin| *coin.reference.object_id())
                .collect(),
            after: coins.clone(),
            coins,
            used_up: Vec::new(),
        }
    }

    pub(super) const fn unknown(pool: Arc<GasPool>, ids: Vec<ObjectId>) -> Self {
        Self {
            pool,
            ids,
            coins: Vec::new(),
            after: Vec::new(),
            used_up: Vec::new(),
        }
    }

    /// The coins as the attempt names them; none for an attempt of before.
    pub(in crate::engine) fn references(&self) -> Vec<ObjectReference> {
        self.coins
            .iter()
            .map(|coin| coin.reference.clone())
            .collect()
    }

    /// What they hold together.
    pub(in crate::engine) fn balance(&self) -> Mist {
        sum(self.coins.iter().map(|coin| coin.balance))
    }

    /// The coin to be split off while paying at most `budget`: half of what is left, if a lane had
    /// to wait for a coin and both halves are worth it.
    pub(in crate::engine) fn to_split(&self, budget: Mist) -> Vec<Mist> {
        let left = self.balance().get().saturating_sub(budget.get());
        let half = (left / 2).min(LARGEST_SPLIT);
        if half < SMALLEST_SPLIT || !self.pool.wanted.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        vec![Mist::new(half)]
    }

    /// Takes the coins' state from the effects of the transaction that they paid for, of which
    /// `split` was split off: the first keeps the change, the others are gone.
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
                balance: self.balance().checked_sub(spent).unwrap_or(Mist::ZERO),
            });
        }
    }

    /// The coins' versions are no longer what we knew: have them read again.
    pub(in crate::engine) fn forget(&mut self) {
        self.after.clear();
    }

    /// Leaves the coins leased until the next start, for an attempt that may execute yet.
    pub(in crate::engine) fn keep(mut self) {
        self.ids.clear();
        self.after.clear();
    }
}

impl Drop for GasLease {
    fn drop(&mut self) {
        let after = std::mem::take(&mut self.after);
        let mut state = self.pool.lock();
        state.coins.give_back(&self.ids, after, &self.used_up);
        drop(state);
        self.pool.freed.notify_waiters();
    }
}
