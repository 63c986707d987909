//! The queue for gas coins.
//!
//! The first in the queue has first choice. Coins that don't cover its budget serve those behind it
//! meanwhile, so a lane that waits for a lot, or for a coin of a stuck attempt, holds up nobody. A
//! waiter can only be passed a limited number of times; after that, coins that come free are kept
//! for it if they will suffice. So small budgets don't overtake a large one endlessly.

use std::collections::BTreeMap;

use atoma_domain::ports::GasCoin;
use atoma_domain::{Mist, ObjectId};

use super::coins::{Coins, choose};

/// How often a waiter can be passed.
const MOST_PASSES: u32 = 16;

/// Who waits for a coin, in order of arrival.
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
    /// It is busy with something else, and nothing is kept for it.
    is_away: bool,
}

/// The free coins left for a place in the queue.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) coins: Vec<GasCoin>,
    /// Who is passed when they are taken.
    pub(super) passed: Vec<Number>,
}

impl Queue {
    /// Takes a place behind all others, for a budget from the named coin or from any.
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

    /// Gives up a place.
    pub(super) fn leave(&mut self, place: Number) {
        self.waiting.remove(&place);
    }

    /// Notes whether the holder of a place is looking for coins. Nothing is kept for it while it is
    /// away.
    pub(super) fn note_away(&mut self, place: Number, is_away: bool) {
        if let Some(waiter) = self.waiting.get_mut(&place) {
            waiter.is_away = is_away;
        }
    }

    /// The free coins left for a place, or for a newcomer, smallest first.
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
                // It can't use any other coin.
                None if waiter.named.is_some() => {}
                None if waiter.passed >= MOST_PASSES && coins.will_do(waiter.budget) => {
                    left.coins.clear();
                }
                None => left.passed.push(*number),
            }
        }
        left
    }

    /// Notes that these waiters were passed.
    pub(super) fn pass(&mut self, passed: &[Number]) {
        for number in passed {
            if let Some(waiter) = self.waiting.get_mut(number) {
                waiter.passed = waiter.passed.saturating_add(1);
            }
        }
    }
}
