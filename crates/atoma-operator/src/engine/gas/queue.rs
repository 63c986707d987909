//! Who waits for a coin, in the order in which they came.
//!
//! Who came first has the first coins that will do. Coins that don't do for those before serve those
//! behind meanwhile, so that one who waits for a lot, or for a coin whose holder comes to no end,
//! holds nobody up. So that small ones don't take turns for ever before a large one, each is passed a
//! number of times only; then what comes free is kept for it, if that will be enough.

use std::collections::BTreeMap;

use atoma_domain::ports::GasCoin;
use atoma_domain::{Mist, ObjectId};

use super::choose;
use super::coins::Coins;

/// How often one who waits is passed.
const MOST_PASSES: u32 = 16;

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    next: u64,
    waiting: BTreeMap<Number, Waiter>,
}

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(u64);

#[derive(Debug)]
struct Waiter {
    named: Option<ObjectId>,
    budget: Mist,
    /// How often others took coins that it could have used.
    passed: u32,
    /// It does something else than to look for coins.
    is_away: bool,
}

/// The free coins that are left for a place.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) coins: Vec<GasCoin>,
    /// Who is passed by who takes of them.
    pub(super) passed: Vec<Number>,
}

impl Queue {
    /// A place behind all others, for who wants the budget of the coin named, or of any.
    pub(super) fn join(&mut self, named: Option<ObjectId>, budget: Mist) -> Number {
        let number = Number(self.next);
        self.next += 1;
        let waiter = Waiter {
            named,
            budget,
            passed: 0,
            is_away: false,
        };
        self.waiting.insert(number, waiter);
        number
    }

    /// Gives a place up.
    pub(super) fn leave(&mut self, place: Number) {
        self.waiting.remove(&place);
    }

    /// Notes that who has the place does not look for coins for now, or does again. Nothing is kept
    /// for it meanwhile.
    pub(super) fn note_away(&mut self, place: Number, is_away: bool) {
        if let Some(waiter) = self.waiting.get_mut(&place) {
            waiter.is_away = is_away;
        }
    }

    /// The free coins that are left for a place, or for one who came just now, smallest first.
    pub(super) fn left_for(&self, place: Option<Number>, coins: &Coins) -> Left {
        let mut left = Left {
            coins: coins.free(None),
            passed: Vec::new(),
        };
        let before = self
            .waiting
            .iter()
            .take_while(|(number, _)| place.is_none_or(|place| **number < place));
        for (number, waiter) in before.filter(|(_, waiter)| !waiter.is_away) {
            let own = left.coins.iter();
            let own = own.filter(|coin| {
                waiter
                    .named
                    .is_none_or(|id| id == *coin.reference.object_id())
            });
            match choose(own.cloned().collect(), waiter.budget) {
                Some(chosen) => left.coins.retain(|coin| !chosen.contains(coin)),
                // What is free is no use to it.
                None if waiter.named.is_some() => {}
                None if waiter.passed >= MOST_PASSES && coins.will_do(waiter.budget) => {
                    left.coins.clear();
                }
                None => left.passed.push(*number),
            }
        }
        left
    }

    /// Notes that these were passed.
    pub(super) fn pass(&mut self, passed: &[Number]) {
        for number in passed {
            if let Some(waiter) = self.waiting.get_mut(number) {
                waiter.passed = waiter.passed.saturating_add(1);
            }
        }
    }
}
