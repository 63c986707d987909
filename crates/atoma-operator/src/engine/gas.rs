//! The address's SUI coins, each leased to one attempt at a time.
//!
//! Coins are learned from the chain when one is wanted and none is free that suffices; after a
//! transaction the paying coin's new version comes from the effects, so that the next attempt
//! needs no read.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoma_domain::ports::{Chain, ChainError, Executed, GasCoin};
use atoma_domain::{Address, Mist, ObjectId, ObjectReference};
use tokio::sync::Notify;

/// Why no coin can pay.
#[derive(Debug)]
pub(super) enum GasError {
    /// The coins can't be read.
    Chain(ChainError),
    /// The coin named is not a SUI coin of the address.
    NotOwned(ObjectId),
    /// No coin holds as much as the budget.
    Insufficient,
}

/// The coins of one address.
#[derive(Debug)]
pub(super) struct GasPool {
    owner: Address,
    slots: Mutex<HashMap<ObjectId, Slot>>,
    freed: Notify,
}

#[derive(Debug)]
struct Slot {
    /// `None` while only the id is known: leased by an attempt from before this process.
    coin: Option<GasCoin>,
    leased: bool,
}

/// The exclusive right to pay with a coin, given back when dropped.
#[derive(Debug)]
pub(super) struct GasLease {
    pool: Arc<GasPool>,
    id: ObjectId,
    pub(super) coin: Option<GasCoin>,
    /// What is known of the coin when the lease ends; `None`: to be read again.
    after: Option<GasCoin>,
}

impl GasPool {
    pub(super) fn new(owner: Address) -> Arc<Self> {
        Arc::new(Self {
            owner,
            slots: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// Leases the named coin, or the smallest free one that holds `budget`; waits while those
    /// that would do are leased.
    pub(super) async fn lease(
        self: &Arc<Self>,
        chain: &dyn Chain,
        named: Option<ObjectId>,
        budget: Mist,
    ) -> Result<GasLease, GasError> {
        let mut refreshed = false;
        loop {
            // Registered before looking, so that a coin freed in between wakes us.
            let freed = self.freed.notified();
            match self.try_lease(named, budget) {
                Search::Found(lease) => return Ok(lease),
                Search::Busy => freed.await,
                Search::None if refreshed => {
                    return Err(named.map_or(GasError::Insufficient, |id| {
                        if self.lock().contains_key(&id) {
                            GasError::Insufficient
                        } else {
                            GasError::NotOwned(id)
                        }
                    }));
                }
                Search::None => {
                    self.refresh(chain).await.map_err(GasError::Chain)?;
                    refreshed = true;
                }
            }
        }
    }

    /// Leases a coin by id for an attempt that was signed before this process began.
    pub(super) fn lease_known(self: &Arc<Self>, id: ObjectId) -> Option<GasLease> {
        let mut slots = self.lock();
        let slot = slots.entry(id).or_insert(Slot {
            coin: None,
            leased: false,
        });
        if std::mem::replace(&mut slot.leased, true) {
            return None;
        }
        Some(GasLease {
            pool: Arc::clone(self),
            id,
            coin: slot.coin.clone(),
            after: None,
        })
    }

    fn try_lease(self: &Arc<Self>, named: Option<ObjectId>, budget: Mist) -> Search {
        let mut slots = self.lock();
        let suits = |coin: &GasCoin| coin.balance >= budget;
        let free = slots
            .iter()
            .filter(|(id, slot)| named.is_none_or(|named| named == **id) && !slot.leased)
            .filter_map(|(id, slot)| slot.coin.as_ref().map(|coin| (*id, coin)))
            .filter(|(_, coin)| suits(coin))
            .min_by_key(|(id, coin)| (coin.balance, *id))
            .map(|(id, coin)| (id, coin.clone()));
        if let Some((id, coin)) = free {
            if let Some(slot) = slots.get_mut(&id) {
                slot.leased = true;
            }
            return Search::Found(GasLease {
                pool: Arc::clone(self),
                id,
                coin: Some(coin.clone()),
                after: Some(coin),
            });
        }
        let busy = slots
            .iter()
            .filter(|(id, slot)| named.is_none_or(|named| named == **id) && slot.leased)
            .any(|(_, slot)| slot.coin.as_ref().is_none_or(suits));
        if busy { Search::Busy } else { Search::None }
    }

    /// Reads the coins from the chain. A leased one stays as its holder knows it, and one whose
    /// version came from effects is not set back by a node that lags.
    async fn refresh(&self, chain: &dyn Chain) -> Result<(), ChainError> {
        let coins = chain.gas_coins(self.owner).await?;
        let on_chain: HashSet<ObjectId> = coins
            .iter()
            .map(|coin| *coin.reference.object_id())
            .collect();
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
                .is_none_or(|known| known.reference.version() < coin.reference.version());
            if !slot.leased && is_newer {
                slot.coin = Some(coin);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectId, Slot>> {
        // Every change is one call, so the map is whole even if a holder panicked.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a look through the coins found.
#[expect(
    clippy::large_enum_variant,
    reason = "a value lives for one match only"
)]
enum Search {
    Found(GasLease),
    Busy,
    None,
}

impl GasLease {
    /// The coin as the attempt names it; empty for an attempt of before.
    pub(super) fn references(&self) -> Vec<ObjectReference> {
        self.coin
            .iter()
            .map(|coin| coin.reference.clone())
            .collect()
    }

    /// Takes the coin's new version and balance from the effects of the transaction it paid for.
    pub(super) fn paid(&mut self, executed: &Executed) {
        self.after = match (&self.coin, executed.written.get(&self.id)) {
            (Some(before), Some(reference)) => Some(GasCoin {
                reference: reference.clone(),
                balance: before
                    .balance
                    .checked_sub(executed.gas_used)
                    .unwrap_or(Mist::ZERO),
            }),
            _ => None,
        };
    }

    /// The coin's version is no longer what we knew: have it read again.
    pub(super) fn forget(&mut self) {
        self.after = None;
    }
}

impl Drop for GasLease {
    fn drop(&mut self) {
        {
            let mut slots = self.pool.lock();
            match self.after.take() {
                Some(coin) => {
                    slots.insert(
                        self.id,
                        Slot {
                            coin: Some(coin),
                            leased: false,
                        },
                    );
                }
                None => {
                    slots.remove(&self.id);
                }
            }
        }
        self.pool.freed.notify_waiters();
    }
}
