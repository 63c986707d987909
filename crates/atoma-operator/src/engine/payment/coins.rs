//! What is known about an address's coins, and which are leased.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use atoma_domain::ports::GasCoin;
use atoma_domain::{Mist, ObjectId};
use tokio::time::Instant;

/// A lease that lasts longer may last much longer: its attempt is stuck.
const LONG_LEASE: Duration = Duration::from_secs(10);

/// The most coins that may pay for one transaction.
const MOST_COINS: usize = 255;

/// The coins of one address.
#[derive(Debug)]
pub(super) struct Coins {
    slots: HashMap<ObjectId, Slot>,
    /// Coins that our own payments used up. A lagging node may still show them.
    used_up: HashSet<ObjectId>,
    /// Coins of the address that its transactions have used. A node's list may lack some of them.
    known: HashSet<ObjectId>,
    /// A coin came back without its version or balance, and no list has been read since.
    is_incomplete: bool,
    /// For each list that is being read: the coins leased or given back since the read began, about
    /// which the list is out of date.
    touched: HashMap<ListId, HashSet<ObjectId>>,
    next_list: u64,
    /// After how long a leased coin is no longer counted on.
    pub(super) long_lease: Duration,
}

#[derive(Debug, Default)]
struct Slot {
    /// `None` while only the id is known: leased by an attempt from before this process.
    coin: Option<GasCoin>,
    /// How many attempts use it. Several from before this process can; at most one of them will
    /// execute.
    holders: usize,
    /// When it was last leased.
    since: Option<Instant>,
}

/// A list of the coins that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ListId(u64);

impl Slot {
    const fn is_free(&self) -> bool {
        self.holders == 0
    }
}

impl Default for Coins {
    fn default() -> Self {
        Self {
            slots: HashMap::new(),
            used_up: HashSet::new(),
            known: HashSet::new(),
            is_incomplete: false,
            touched: HashMap::new(),
            next_list: 0,
            long_lease: LONG_LEASE,
        }
    }
}

impl Coins {
    /// Notes that a list is about to be read.
    pub(super) fn begin_list(&mut self) -> ListId {
        let list = ListId(self.next_list);
        self.next_list += 1;
        self.touched.insert(list, HashSet::new());
        list
    }

    /// Forgets a list that is adopted or given up.
    pub(super) fn end_list(&mut self, list: ListId) {
        self.touched.remove(&list);
    }

    /// Takes over a list, except for coins touched since the read began. A leased coin stays as its
    /// holder knows it, and a lagging node does not set back a version that came from effects. Says
    /// whether every unknown coin of the list could be taken.
    pub(super) fn adopt(&mut self, list: ListId, coins: Vec<GasCoin>) -> bool {
        let touched = self.touched.remove(&list).unwrap_or_default();
        let on_chain: HashSet<ObjectId> = coins
            .iter()
            .map(|coin| *coin.reference.object_id())
            .collect();
        self.slots
            .retain(|id, slot| !slot.is_free() || touched.contains(id) || on_chain.contains(id));
        let mut is_whole = true;
        for coin in coins {
            let id = *coin.reference.object_id();
            if self.used_up.contains(&id) {
                continue;
            }
            if touched.contains(&id) {
                is_whole &= self.slots.contains_key(&id);
                continue;
            }
            let slot = self.slots.entry(id).or_default();
            let is_newer = slot
                .coin
                .as_ref()
                .is_none_or(|known| known.reference.version() <= coin.reference.version());
            if slot.is_free() && is_newer {
                slot.coin = Some(coin);
            }
        }
        self.is_incomplete &= !is_whole;
        is_whole
    }

    /// Leases a coin, known or not, even if others hold it too.
    pub(super) fn hold(&mut self, id: ObjectId) {
        self.touch(id);
        self.known.insert(id);
        let slot = self.slots.entry(id).or_default();
        slot.holders += 1;
        slot.since = Some(Instant::now());
    }

    /// Ends a lease of these coins. `after` is what is known about them now; the rest is read again,
    /// except coins that are used up.
    pub(super) fn give_back(
        &mut self,
        ids: &[ObjectId],
        after: Vec<GasCoin>,
        used_up: &[ObjectId],
    ) {
        for id in ids {
            self.touch(*id);
            let Some(slot) = self.slots.get_mut(id) else {
                continue;
            };
            slot.holders = slot.holders.saturating_sub(1);
            slot.coin = None;
            if slot.is_free() {
                self.slots.remove(id);
            }
        }
        let is_known = |id: &ObjectId| {
            used_up.contains(id) || after.iter().any(|coin| coin.reference.object_id() == id)
        };
        self.is_incomplete |= !ids.iter().all(is_known);
        for coin in after {
            // With another holder the coin's state is unknown.
            let slot = self.slots.entry(*coin.reference.object_id()).or_default();
            if slot.is_free() {
                slot.coin = Some(coin);
            }
        }
        self.used_up.extend(used_up);
    }

    /// Notes coins that earlier transactions of the address have used.
    pub(super) fn note_known(&mut self, ids: impl IntoIterator<Item = ObjectId>) {
        self.known.extend(ids);
    }

    /// The coins that earlier transactions have used and the last list lacks.
    pub(super) fn unlisted(&self) -> Vec<ObjectId> {
        let unlisted = self
            .known
            .iter()
            .filter(|id| !self.slots.contains_key(id) && !self.used_up.contains(id));
        unlisted.copied().collect()
    }

    /// Takes over a coin that was read by itself, unless it is known by now.
    pub(super) fn adopt_one(&mut self, coin: GasCoin) {
        let slot = self.slots.entry(*coin.reference.object_id()).or_default();
        if slot.is_free() && slot.coin.is_none() {
            slot.coin = Some(coin);
        }
    }

    /// Forgets a coin that belongs to somebody else now.
    pub(super) fn forget(&mut self, id: ObjectId) {
        self.known.remove(&id);
    }

    fn touch(&mut self, id: ObjectId) {
        for touched in self.touched.values_mut() {
            touched.insert(id);
        }
    }

    /// The free coins, or the named one if it is free, smallest first.
    pub(super) fn free(&self, named: Option<ObjectId>) -> Vec<GasCoin> {
        let mut free: Vec<GasCoin> = self
            .of(named)
            .filter(|slot| slot.is_free())
            .filter_map(|slot| slot.coin.clone())
            .collect();
        free.sort_by_key(|coin| (coin.balance, *coin.reference.object_id()));
        free
    }

    /// Whether the coins, or the named one, might cover the budget once leased ones are back.
    pub(super) fn might_do(&self, named: Option<ObjectId>, budget: Mist) -> bool {
        let is_any_leased = self.of(named).any(|slot| !slot.is_free());
        let is_any_unknown = self
            .of(named)
            .any(|slot| !slot.is_free() && slot.coin.is_none());
        let balances = self.of(named).filter_map(|slot| slot.coin.as_ref());
        is_any_unknown || is_any_leased && sum(balances.map(|coin| coin.balance)) >= budget
    }

    /// Whether the coins will cover the budget together once those with a lease of usual length are
    /// back.
    pub(super) fn will_do(&self, budget: Mist) -> bool {
        let near = self.slots.values().filter(|slot| {
            let leased_for = slot.since.map(|since| since.elapsed());
            slot.is_free() || leased_for.is_some_and(|long| long < self.long_lease)
        });
        sum(near
            .filter_map(|slot| slot.coin.as_ref())
            .map(|coin| coin.balance))
            >= budget
    }

    fn of(&self, named: Option<ObjectId>) -> impl Iterator<Item = &Slot> {
        self.slots
            .iter()
            .filter(move |(id, _)| named.is_none_or(|named| named == **id))
            .map(|(_, slot)| slot)
    }

    /// Whether such a coin is known.
    pub(super) fn contains(&self, id: ObjectId) -> bool {
        self.slots.contains_key(&id)
    }

    /// Whether no coin is known.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// What all coins hold together; `None` while a coin has to be read.
    pub(super) fn balance(&self) -> Option<Mist> {
        if self.is_incomplete {
            return None;
        }
        let coins = self.slots.values().map(|slot| slot.coin.as_ref());
        let balances: Option<Vec<Mist>> = coins.map(|coin| Some(coin?.balance)).collect();
        Some(sum(balances?.into_iter()))
    }
}

/// The smallest coin that covers the budget, else the largest ones that do together. `free` is
/// sorted from the smallest on.
pub(in crate::engine) fn choose(mut free: Vec<GasCoin>, budget: Mist) -> Option<Vec<GasCoin>> {
    if let Some(place) = free.iter().position(|coin| coin.balance >= budget) {
        return Some(vec![free.swap_remove(place)]);
    }
    let mut chosen = Vec::new();
    let mut held = Mist::ZERO;
    for coin in free.into_iter().rev().take(MOST_COINS) {
        held = held.saturating_add(coin.balance);
        chosen.push(coin);
        if held >= budget {
            return Some(chosen);
        }
    }
    None
}

/// A sum that saturates at the largest amount.
pub(in crate::engine) fn sum(amounts: impl Iterator<Item = Mist>) -> Mist {
    amounts.fold(Mist::ZERO, Mist::saturating_add)
}
