//! The address's SUI coins, each leased to one attempt at a time.
//!
//! Coins are learned from the chain when one is wanted and none is free that suffices; after a
//! transaction the paying coin's new version comes from the effects, so that the next attempt
//! needs no read. Where no single coin suffices several pay and become one; where a lane has to
//! wait for a coin, the next to hold a large one [splits](GasLease::to_split) one off in passing.

mod lease;
mod queue;

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoma_domain::ports::{Chain, ChainError, GasCoin};
use atoma_domain::{Address, Mist, ObjectId};
use tokio::sync::Notify;

use super::reads::ask;
use super::shared::Shared;
pub(super) use lease::GasLease;
use queue::{Place, Queue};

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
    slots: Mutex<HashMap<ObjectId, Slot>>,
    freed: Arc<Notify>,
    /// A lane had to wait for a coin, and none was split off for it since.
    wanted: AtomicBool,
    /// The coins were read at least once: before, only those of attempts from before are known.
    was_read: AtomicBool,
    queue: Queue,
}

#[derive(Debug)]
struct Slot {
    /// `None` while only the id is known: leased by an attempt from before this process.
    coin: Option<GasCoin>,
    leased: bool,
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
        let freed = Arc::<Notify>::default();
        Arc::new(Self {
            owner,
            slots: Mutex::default(),
            queue: Queue::new(Arc::clone(&freed)),
            freed,
            wanted: AtomicBool::new(false),
            was_read: AtomicBool::new(false),
        })
    }

    /// Leases the named coin, or the smallest free one that holds `budget`, or several that do
    /// together. Waits while those that would do are leased; who came first has the first that
    /// comes free.
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
                        place.get_or_insert_with(|| self.queue.join());
                    }
                    let waited = tokio::time::timeout(shared.config.backoff_limit, freed).await;
                    // Whoever gave it back may have had it forgotten; and where nobody does, there
                    // may be new coins.
                    refreshed = false;
                    if waited.is_err() {
                        self.reread(shared).await?;
                    }
                }
                Search::None if refreshed => {
                    return Err(named.map_or(GasError::Insufficient, |id| {
                        if self.lock().contains_key(&id) {
                            GasError::Insufficient
                        } else {
                            GasError::NotOwned(id)
                        }
                    }));
                }
                Search::None | Search::Busy => {
                    self.reread(shared).await?;
                    refreshed = true;
                }
            }
        }
    }

    async fn reread(&self, shared: &Shared) -> Result<(), GasError> {
        let chain = shared.ports.chain.as_ref();
        ask(&shared.config, || self.refresh(chain))
            .await
            .map_err(GasError::Chain)
    }

    /// Leases coins by id for an attempt that was signed before this process began; those that
    /// another such attempt holds are left out.
    pub(super) fn lease_known(self: &Arc<Self>, ids: impl Iterator<Item = ObjectId>) -> GasLease {
        let mut slots = self.lock();
        let leased = ids
            .filter(|id| {
                let slot = slots.entry(*id).or_insert(Slot {
                    coin: None,
                    leased: false,
                });
                !std::mem::replace(&mut slot.leased, true)
            })
            .collect();
        GasLease::unknown(Arc::clone(self), leased)
    }

    /// Reads the coins from the chain. A leased one stays as its holder knows it, and one whose
    /// version came from effects is not set back by a node that lags.
    pub(super) async fn refresh(&self, chain: &dyn Chain) -> Result<(), ChainError> {
        let coins = chain.gas_coins(self.owner).await?;
        let on_chain: HashSet<ObjectId> = coins
            .iter()
            .map(|coin| *coin.reference.object_id())
            .collect();
        {
            let mut slots = self.lock();
            slots.retain(|id, slot| slot.leased || on_chain.contains(id));
            for coin in coins {
                let slot = slots.entry(*coin.reference.object_id()).or_insert(Slot {
                    coin: None,
                    leased: false,
                });
                let is_newer = slot
                    .coin
                    .as_ref()
                    .is_none_or(|known| known.reference.version() <= coin.reference.version());
                if !slot.leased && is_newer {
                    slot.coin = Some(coin);
                }
            }
        }
        self.was_read.store(true, Ordering::Relaxed);
        self.freed.notify_waiters();
        Ok(())
    }

    /// What all coins hold together, as far as is known; `None` before they were read.
    pub(super) fn balance(&self) -> Option<Mist> {
        let slots = self.lock();
        let known: Vec<Mist> = slots
            .values()
            .filter_map(|slot| slot.coin.as_ref().map(|coin| coin.balance))
            .collect();
        (!known.is_empty()).then(|| sum(known.into_iter()))
    }

    fn try_lease(
        self: &Arc<Self>,
        named: Option<ObjectId>,
        budget: Mist,
        place: Option<&Place>,
    ) -> Search {
        if named.is_none() && !self.queue.is_next(place) {
            return Search::Busy;
        }
        let mut slots = self.lock();
        let mut free: Vec<GasCoin> = slots
            .iter()
            .filter(|(id, slot)| !slot.leased && named.is_none_or(|named| named == **id))
            .filter_map(|(_, slot)| slot.coin.clone())
            .collect();
        free.sort_by_key(|coin| (coin.balance, *coin.reference.object_id()));
        if let Some(chosen) = choose(free, budget) {
            for coin in &chosen {
                if let Some(slot) = slots.get_mut(coin.reference.object_id()) {
                    slot.leased = true;
                }
            }
            return Search::Found(GasLease::of(Arc::clone(self), chosen));
        }
        // With the leased ones back it might do.
        let all = slots
            .iter()
            .filter(|(id, _)| named.is_none_or(|named| named == **id))
            .map(|(_, slot)| slot);
        let (mut together, mut leased, mut unknown) = (Vec::new(), false, false);
        for slot in all {
            leased |= slot.leased;
            match &slot.coin {
                Some(coin) => together.push(coin.balance),
                None => unknown |= slot.leased,
            }
        }
        if unknown || (leased && sum(together.into_iter()) >= budget) {
            Search::Busy
        } else {
            Search::None
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectId, Slot>> {
        // Every change is one call, so the map is whole even if a holder panicked.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
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
