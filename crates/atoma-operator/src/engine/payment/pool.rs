//! The pool of the address's SUI coins.
//!
//! The pool reads the coins from the chain when no free one covers a budget. After a transaction
//! the paying coin's new version comes from the effects, so the next attempt needs no read. If no
//! single coin covers the budget, several pay and become one. If a lane has to wait for a coin,
//! the next to hold a large one [splits](GasLease::to_split) one off.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard};

use atoma_domain::ports::{Chain, ChainError, GasCoin};
use atoma_domain::{Address, Mist, ObjectId};
use tracing::warn;

use super::coins::{ListId, choose};
use super::holdings::{CoinsAndQueue, Holdings};
use super::lease::GasLease;
use super::queue::Number;
use crate::engine::EngineConfig;
use crate::engine::reads::ask;

/// Why no coin can pay.
#[derive(Debug)]
pub(in crate::engine) enum GasError {
    /// The coins can't be read.
    Chain(ChainError),
    /// The coin named is not a SUI coin of the address.
    NotOwned(ObjectId),
    /// The coins hold less than the budget.
    Insufficient,
    /// The node lists no coin of the address, or does not show one that the address has paid with. It may
    /// be behind.
    Incomplete,
}

/// The coins of one address.
#[derive(Debug)]
pub(in crate::engine) struct GasPool {
    owner: Address,
    holdings: Arc<Holdings>,
    /// The coins were read at least once. Until then only those of attempts from before this
    /// process are known.
    was_read: AtomicBool,
}

/// A place in the queue; dropping it lets the next ones look.
#[derive(Debug)]
struct Place {
    pool: Arc<GasPool>,
    number: Number,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pool.lock().queue.leave(self.number);
        self.pool.holdings.freed.notify_waiters();
    }
}

/// A list of the coins that is being read, even if its caller goes away.
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

/// What became of the coins that a list lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unlisted {
    /// None of them is the address's own any more.
    None,
    /// The node does not show one of them.
    Hidden,
    /// One is still the address's own.
    Found,
}

/// The result of looking through the coins.
#[derive(Debug)]
enum Search {
    Found(GasLease),
    Busy,
    None,
}

impl GasPool {
    pub(in crate::engine) fn new(owner: Address) -> Arc<Self> {
        Arc::new(Self {
            owner,
            holdings: Arc::default(),
            was_read: AtomicBool::new(false),
        })
    }

    /// Leases the named coin, or the smallest free one that holds `budget`, or several that do
    /// together. Waits while suitable coins are leased; waiters are served in order.
    pub(in crate::engine) async fn lease(
        self: &Arc<Self>,
        chain: &dyn Chain,
        config: &EngineConfig,
        named: Option<ObjectId>,
        budget: Mist,
    ) -> Result<GasLease, GasError> {
        let mut refreshed = false;
        let mut place = None;
        loop {
            let mut freed = pin!(self.holdings.freed.notified());
            // Registered before looking, so that a coin freed in between wakes us.
            freed.as_mut().enable();
            match self.try_lease(named, budget, place.as_ref()) {
                Search::Found(lease) => return Ok(lease),
                Search::Busy if self.was_read.load(Ordering::Relaxed) => {
                    // No other coin can replace one that the request named.
                    if named.is_none() {
                        self.holdings.wanted.store(true, Ordering::Relaxed);
                    }
                    place.get_or_insert_with(|| self.join(named, budget));
                    let waited = tokio::time::timeout(config.backoff_limit, freed).await;
                    // A returned coin may need to be read again; after a timeout there may be new coins.
                    refreshed = false;
                    if waited.is_err() {
                        self.reread(chain, config, place.as_ref()).await?;
                    }
                }
                Search::None if refreshed => match self.find_unlisted(chain, config).await? {
                    Unlisted::Found => {}
                    Unlisted::Hidden => return Err(GasError::Incomplete),
                    Unlisted::None => return Err(self.shortage(named)),
                },
                Search::None | Search::Busy => {
                    refreshed = self.reread(chain, config, place.as_ref()).await?;
                }
            }
        }
    }

    /// Reads the coins that earlier transactions have used and the node's list lacks, because an owner
    /// index can be behind.
    async fn find_unlisted(
        &self,
        chain: &dyn Chain,
        config: &EngineConfig,
    ) -> Result<Unlisted, GasError> {
        let ids = self.lock().coins.unlisted();
        let mut unlisted = Unlisted::None;
        for id in ids {
            let object = ask(config, || chain.object(id)).await;
            let Some(object) = object.map_err(GasError::Chain)? else {
                if unlisted == Unlisted::None {
                    unlisted = Unlisted::Hidden;
                }
                continue;
            };
            match object.balance {
                Some(balance) if object.owner == Some(self.owner) => {
                    warn!(coin = %id, "the Sui node does not list a coin of the operator: its owner index is incomplete");
                    let reference = object.reference;
                    self.lock().coins.adopt_one(GasCoin { reference, balance });
                    unlisted = Unlisted::Found;
                }
                _ => self.lock().coins.forget(id),
            }
        }
        Ok(unlisted)
    }

    /// Why there is no coin for a transaction.
    fn shortage(&self, named: Option<ObjectId>) -> GasError {
        let state = self.lock();
        match named {
            _ if state.coins.is_empty() => GasError::Incomplete,
            Some(id) if !state.coins.contains(id) => GasError::NotOwned(id),
            _ => GasError::Insufficient,
        }
    }

    /// Notes coins that earlier transactions of the address have used.
    pub(in crate::engine) fn note_known(&self, coins: Vec<ObjectId>) {
        self.lock().coins.note_known(coins);
    }

    fn join(self: &Arc<Self>, named: Option<ObjectId>, budget: Mist) -> Place {
        Place {
            pool: Arc::clone(self),
            number: self.lock().queue.join(named, budget),
        }
    }

    /// Reads the coins. Meanwhile the caller keeps its place in the queue without holding up others.
    async fn reread(
        &self,
        chain: &dyn Chain,
        config: &EngineConfig,
        place: Option<&Place>,
    ) -> Result<bool, GasError> {
        self.note_away(place, true);
        let read = ask(config, || self.refresh(chain)).await;
        self.note_away(place, false);
        read.map_err(GasError::Chain)
    }

    fn note_away(&self, place: Option<&Place>, is_away: bool) {
        if let Some(place) = place {
            self.lock().queue.note_away(place.number, is_away);
            self.holdings.freed.notify_waiters();
        }
    }

    /// Leases coins by id for an attempt that was signed before this process began. Several such
    /// attempts may lease the same coin.
    pub(in crate::engine) fn lease_known(
        self: &Arc<Self>,
        ids: impl Iterator<Item = ObjectId>,
    ) -> GasLease {
        let ids: Vec<ObjectId> = ids.collect();
        let mut state = self.lock();
        for id in &ids {
            state.coins.hold(*id);
        }
        drop(state);
        GasLease::unknown(Arc::clone(&self.holdings), ids)
    }

    /// Reads the coins from the chain. Coins that were leased or given back since the read began are
    /// newer than the list and stay as they are. Says whether the list was complete: false when such
    /// a coin has to be read again.
    pub(in crate::engine) async fn refresh(&self, chain: &dyn Chain) -> Result<bool, ChainError> {
        let list = self.lock().coins.begin_list();
        let listing = Listing { pool: self, list };
        let coins = chain.gas_coins(self.owner).await?;
        let is_whole = self.lock().coins.adopt(list, coins);
        drop(listing);
        self.was_read.store(true, Ordering::Relaxed);
        self.holdings.freed.notify_waiters();
        Ok(is_whole)
    }

    /// What all known coins hold together; `None` before the first read.
    pub(in crate::engine) fn balance(&self) -> Option<Mist> {
        let was_read = self.was_read.load(Ordering::Relaxed);
        self.lock().coins.balance().filter(|_| was_read)
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
            return Search::Found(GasLease::of(Arc::clone(&self.holdings), chosen));
        }
        let is_kept_for_others = choose(state.coins.free(named), budget).is_some();
        if is_kept_for_others || state.coins.might_do(named, budget) {
            Search::Busy
        } else {
            Search::None
        }
    }

    fn lock(&self) -> MutexGuard<'_, CoinsAndQueue> {
        self.holdings.lock()
    }
}

#[cfg(test)]
mod tests;
