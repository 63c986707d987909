//! The address's SUI coins, each leased to one attempt at a time.
//!
//! Coins are learned from the chain when one is wanted and none is free that suffices; after a
//! transaction the paying coin's new version comes from the effects, so that the next attempt
//! needs no read. Where no single coin suffices several pay and become one; where a lane has to
//! wait for a coin, the next to hold a large one [splits](GasLease::to_split) one off in passing.

mod coins;
mod lease;
mod queue;

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoma_domain::ports::{Chain, ChainError, GasCoin};
use atoma_domain::{Address, Mist, ObjectId};
use tokio::sync::Notify;

use super::reads::ask;
use super::shared::Shared;
use coins::{Coins, ListId};
pub(super) use lease::GasLease;
use queue::{Number, Queue};

/// The most coins that may pay for one transaction.
const MOST_COINS: usize = 255;

/// Why no coin can pay.
#[derive(Debug)]
pub(super) enum GasError {
    /// The coins can't be read.
    Chain(ChainError),
    /// The coin named is not a SUI coin of the address.
    NotOwned(ObjectId),
    /// The coins hold less than the budget.
    Insufficient,
}

/// The coins of one address.
#[derive(Debug)]
pub(super) struct GasPool {
    owner: Address,
    state: Mutex<State>,
    freed: Notify,
    /// A lane had to wait for a coin, and none was split off for it since.
    wanted: AtomicBool,
    /// The coins were read at least once: before, only those of attempts from before are known.
    was_read: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    coins: Coins,
    queue: Queue,
}

/// A place in the queue; who drops it lets the next ones look.
#[derive(Debug)]
struct Place {
    pool: Arc<GasPool>,
    number: Number,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pool.lock().queue.leave(self.number);
        self.pool.freed.notify_waiters();
    }
}

/// A list of the coins that is being read, also when nobody waits for it any more.
#[derive(Debug)]
struct Listing<'a> {
    pool: &'a GasPool,
    list: ListId,
}

impl Drop for Listing<'_> {
    fn drop(&mut self) {
        self.pool.lock().coins.end_list(self.list);
    }
}

/// What a look through the coins found.
#[derive(Debug)]
enum Search {
    Found(GasLease),
    Busy,
    None,
}

impl GasPool {
    pub(super) fn new(owner: Address) -> Arc<Self> {
        Arc::new(Self {
            owner,
            state: Mutex::default(),
            freed: Notify::new(),
            wanted: AtomicBool::new(false),
            was_read: AtomicBool::new(false),
        })
    }

    /// Leases the named coin, or the smallest free one that holds `budget`, or several that do
    /// together. Waits while those that would do are leased; who came first has the first that
    /// will do.
    pub(super) async fn lease(
        self: &Arc<Self>,
        shared: &Shared,
        named: Option<ObjectId>,
        budget: Mist,
    ) -> Result<GasLease, GasError> {
        let mut refreshed = false;
        let mut place = None;
        loop {
            let mut freed = pin!(self.freed.notified());
            // Registered before looking, so that a coin freed in between wakes us.
            freed.as_mut().enable();
            match self.try_lease(named, budget, place.as_ref()) {
                Search::Found(lease) => return Ok(lease),
                Search::Busy if self.was_read.load(Ordering::Relaxed) => {
                    // For a coin that was named no other can stand in.
                    if named.is_none() {
                        self.wanted.store(true, Ordering::Relaxed);
                    }
                    place.get_or_insert_with(|| self.join(named, budget));
                    let waited = tokio::time::timeout(shared.config.backoff_limit, freed).await;
                    // Whoever gave it back may have had it forgotten; and where nobody does, there
                    // may be new coins.
                    refreshed = false;
                    if waited.is_err() {
                        self.reread(shared, place.as_ref()).await?;
                    }
                }
                Search::None if refreshed => {
                    return Err(named.map_or(GasError::Insufficient, |id| {
                        if self.lock().coins.contains(id) {
                            GasError::Insufficient
                        } else {
                            GasError::NotOwned(id)
                        }
                    }));
                }
                Search::None | Search::Busy => {
                    refreshed = self.reread(shared, place.as_ref()).await?;
                }
            }
        }
    }

    fn join(self: &Arc<Self>, named: Option<ObjectId>, budget: Mist) -> Place {
        Place {
            pool: Arc::clone(self),
            number: self.lock().queue.join(named, budget),
        }
    }

    /// Reads the coins, however long it takes; who has a place keeps it, and holds nobody up.
    async fn reread(&self, shared: &Shared, place: Option<&Place>) -> Result<bool, GasError> {
        self.note_away(place, true);
        let chain = shared.ports.chain.as_ref();
        let read = ask(&shared.config, || self.refresh(chain)).await;
        self.note_away(place, false);
        read.map_err(GasError::Chain)
    }

    fn note_away(&self, place: Option<&Place>, is_away: bool) {
        if let Some(place) = place {
            self.lock().queue.note_away(place.number, is_away);
            self.freed.notify_waiters();
        }
    }

    /// Leases coins by id for an attempt that was signed before this process began, beside other
    /// such attempts that use them too.
    pub(super) fn lease_known(self: &Arc<Self>, ids: impl Iterator<Item = ObjectId>) -> GasLease {
        let ids: Vec<ObjectId> = ids.collect();
        let mut state = self.lock();
        for id in &ids {
            state.coins.hold(*id);
        }
        drop(state);
        GasLease::unknown(Arc::clone(self), ids)
    }

    /// Reads the coins from the chain. What was leased or given back since then is newer than the
    /// list. Tells whether it tells all: false when such a coin has to be read again.
    pub(super) async fn refresh(&self, chain: &dyn Chain) -> Result<bool, ChainError> {
        let list = self.lock().coins.begin_list();
        let listing = Listing { pool: self, list };
        let coins = chain.gas_coins(self.owner).await?;
        let is_whole = self.lock().coins.adopt(list, coins);
        drop(listing);
        self.was_read.store(true, Ordering::Relaxed);
        self.freed.notify_waiters();
        Ok(is_whole)
    }

    /// What all coins hold together, as far as is known; `None` before they were read.
    pub(super) fn balance(&self) -> Option<Mist> {
        let was_read = self.was_read.load(Ordering::Relaxed);
        let state = self.lock();
        let none = was_read && state.coins.is_empty();
        state.coins.balance().or(none.then_some(Mist::ZERO))
    }

    fn try_lease(
        self: &Arc<Self>,
        named: Option<ObjectId>,
        budget: Mist,
        place: Option<&Place>,
    ) -> Search {
        let mut state = self.lock();
        let is_wanted = |coin: &GasCoin| named.is_none_or(|id| id == *coin.reference.object_id());
        let mut left = state
            .queue
            .left_for(place.map(|place| place.number), &state.coins);
        left.coins.retain(is_wanted);
        if let Some(chosen) = choose(left.coins, budget) {
            state.queue.pass(&left.passed);
            for coin in &chosen {
                state.coins.hold(*coin.reference.object_id());
            }
            return Search::Found(GasLease::of(Arc::clone(self), chosen));
        }
        let is_kept_for_others = choose(state.coins.free(named), budget).is_some();
        if is_kept_for_others || state.coins.might_do(named, budget) {
            Search::Busy
        } else {
            Search::None
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is one call, so the state is whole even if a holder panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The smallest coin that holds the budget; else the largest ones that do together. `free` ascends.
fn choose(mut free: Vec<GasCoin>, budget: Mist) -> Option<Vec<GasCoin>> {
    if let Some(place) = free.iter().position(|coin| coin.balance >= budget) {
        return Some(vec![free.swap_remove(place)]);
    }
    let mut chosen = Vec::new();
    let mut held = Mist::ZERO;
    for coin in free.into_iter().rev().take(MOST_COINS) {
        held = sum([held, coin.balance].into_iter());
        chosen.push(coin);
        if held >= budget {
            return Some(chosen);
        }
    }
    None
}

/// A sum that stops at the largest amount.
fn sum(amounts: impl Iterator<Item = Mist>) -> Mist {
    amounts.fold(Mist::ZERO, |sum, amount| {
        sum.checked_add(amount).unwrap_or(Mist::new(u64::MAX))
    })
}

#[cfg(test)]
mod tests;
