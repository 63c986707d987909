//! What is known of an address's coins, and who holds them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use atoma_domain::ports::GasCoin;
use atoma_domain::{Mist, ObjectId};
use tokio::time::Instant;

use super::sum;

/// A coin that is leased for longer may be so for long yet: its attempt comes to no end.
const LONG_LEASE: Duration = Duration::from_secs(10);

/// The coins of one address.
#[derive(Debug)]
pub(super) struct Coins {
    slots: HashMap<ObjectId, Slot>,
    /// Those that payments of our own used up. A node that lags may still show them.
    used_up: HashSet<ObjectId>,
    /// By list that is being read: the coins that were leased or given back since it was asked for,
    /// of which it tells nothing.
    touched: HashMap<ListId, HashSet<ObjectId>>,
    next_list: u64,
    /// After how long a leased coin is not counted on any more.
    pub(super) long_lease: Duration,
}

#[derive(Debug, Default)]
struct Slot {
    /// `None` while only the id is known: leased by an attempt from before this process.
    coin: Option<GasCoin>,
    /// How many attempts use it: several from before this process can, of which one at most will
    /// execute.
    holders: usize,
    /// When it was leased last.
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
            touched: HashMap::new(),
            next_list: 0,
            long_lease: LONG_LEASE,
        }
    }
}

impl Coins {
    /// A list is about to be asked for.
    pub(super) fn begin_list(&mut self) -> ListId {
        let list = ListId(self.next_list);
        self.next_list += 1;
        self.touched.insert(list, HashSet::new());
        list
    }

    /// A list will not be adopted (any more).
    pub(super) fn end_list(&mut self, list: ListId) {
        self.touched.remove(&list);
    }

    /// Takes a list over, for what was not touched since it was asked for. A leased coin stays as
    /// its holder knows it, and one whose version came from effects is not set back by a node that
    /// lags. Tells whether nothing that is unknown had to be left out.
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
        is_whole
    }

    /// Leases a coin, whether it is known or not, and whoever else holds it.
    pub(super) fn hold(&mut self, id: ObjectId) {
        self.touch(id);
        let slot = self.slots.entry(id).or_default();
        slot.holders += 1;
        slot.since = Some(Instant::now());
    }

    /// Ends a lease of these coins. `after` is what is known of them now; those that it lacks are to
    /// be read again, but for the used up ones.
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
        for coin in after {
            // What another holder makes of it is not known.
            let slot = self.slots.entry(*coin.reference.object_id()).or_default();
            if slot.is_free() {
                slot.coin = Some(coin);
            }
        }
        self.used_up.extend(used_up);
    }

    fn touch(&mut self, id: ObjectId) {
        for touched in self.touched.values_mut() {
            touched.insert(id);
        }
    }

    /// The free coins, all or the one of that id, smallest first.
    pub(super) fn free(&self, named: Option<ObjectId>) -> Vec<GasCoin> {
        let mut free: Vec<GasCoin> = self
            .of(named)
            .filter(|slot| slot.is_free())
            .filter_map(|slot| slot.coin.clone())
            .collect();
        free.sort_by_key(|coin| (coin.balance, *coin.reference.object_id()));
        free
    }

    /// Whether the coins, or the one of that id, might hold the budget once the leased ones are
    /// back.
    pub(super) fn might_do(&self, named: Option<ObjectId>, budget: Mist) -> bool {
        let is_any_leased = self.of(named).any(|slot| !slot.is_free());
        let is_any_unknown = self
            .of(named)
            .any(|slot| !slot.is_free() && slot.coin.is_none());
        let balances = self.of(named).filter_map(|slot| slot.coin.as_ref());
        is_any_unknown || is_any_leased && sum(balances.map(|coin| coin.balance)) >= budget
    }

    /// Whether the coins will hold the budget together once those are back that are leased for a
    /// usual time.
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

    /// Whether there is such a coin, as far as is known.
    pub(super) fn contains(&self, id: ObjectId) -> bool {
        self.slots.contains_key(&id)
    }

    /// Whether not a single coin is known.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// What all hold together, as far as is known; `None` while nothing is.
    pub(super) fn balance(&self) -> Option<Mist> {
        let mut known = self
            .slots
            .values()
            .filter_map(|slot| slot.coin.as_ref().map(|coin| coin.balance))
            .peekable();
        known.peek()?;
        Some(sum(known))
    }
}
