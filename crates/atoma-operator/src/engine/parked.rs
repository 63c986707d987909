//! Claims that the contract's treasury is too small for. They wait, unsigned, until it has grown, or
//! until it is their turn to be tried at all: then one of them is, and where it succeeds all others
//! are.

use std::time::Duration;

use atoma_domain::journal::Intent;
use atoma_domain::{IntentId, MicroUsdc};
use tokio::time::Instant;

/// A claim that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) claim: Intent,
    /// What its stack cost, if that is known.
    pub(super) cost: Option<u128>,
    /// What the treasury held when it was too little for it; `None` when it was not tried, because
    /// a cheaper one could not be paid.
    pub(super) held: Option<MicroUsdc>,
}

/// A lane's claims that wait for the treasury.
#[derive(Debug)]
pub(super) struct Parked {
    claims: Vec<Waiting>,
    /// The claim that was tried last.
    tried: Option<IntentId>,
    interval: Duration,
    next_look: Instant,
}

impl Parked {
    /// Nothing yet; the treasury is to be looked at every `interval` once there is.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            claims: Vec::new(),
            tried: None,
            interval,
            next_look: Instant::now(),
        }
    }

    /// Adds a claim.
    pub(super) fn add(&mut self, waiting: Waiting) {
        if self.claims.is_empty() {
            self.next_look = Instant::now() + self.interval;
        }
        self.claims.push(waiting);
    }

    /// Takes one out.
    pub(super) fn take(&mut self, id: IntentId) -> Option<Intent> {
        let place = self.claims.iter().position(|w| w.claim.id == id)?;
        Some(self.claims.remove(place).claim)
    }

    /// Drops those that are final.
    pub(super) fn drop_those(&mut self, mut are_final: impl FnMut(IntentId) -> bool) {
        self.claims.retain(|w| !are_final(w.claim.id));
    }

    /// Takes all out if the claim that succeeded is the one that was tried.
    pub(super) fn succeeded(&mut self, id: IntentId) -> Vec<Intent> {
        if self.tried != Some(id) {
            return Vec::new();
        }
        self.tried = None;
        self.claims.drain(..).map(|w| w.claim).collect()
    }

    /// Whether it is time to look at the treasury.
    pub(super) fn is_due(&self) -> bool {
        !self.claims.is_empty() && self.next_look <= Instant::now()
    }

    /// Ends when it is time to look at the treasury.
    pub(super) async fn due(&self) {
        if self.claims.is_empty() {
            return std::future::pending().await;
        }
        tokio::time::sleep_until(self.next_look).await;
    }

    /// The claim to be tried now that the treasury holds so much: the cheapest that was not tried or
    /// that it was too little for when it held less. Where the cost is not known it may be the cheapest.
    pub(super) fn look(&mut self, treasury: MicroUsdc) -> Option<Intent> {
        let waiting = self.claims.iter().enumerate();
        let (place, _) = waiting
            .filter(|(_, w)| w.held.is_none_or(|held| held < treasury))
            .min_by_key(|(_, w)| w.cost)?;
        let claim = self.claims.remove(place).claim;
        self.tried = Some(claim.id);
        Some(claim)
    }

    /// Puts the next look off by the interval.
    pub(super) fn looked(&mut self) {
        self.next_look = Instant::now() + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::claim;

    const HELD: u64 = 10;

    fn waiting(id: u64, cost: u128, held: Option<u64>) -> Waiting {
        Waiting {
            claim: claim(id),
            cost: Some(cost),
            held: held.map(MicroUsdc::new),
        }
    }

    fn parked() -> Parked {
        let mut parked = Parked::new(Duration::ZERO);
        for id in 1..=3 {
            parked.add(waiting(id, u128::from(id), Some(HELD)));
        }
        parked
    }

    fn tried(parked: &mut Parked, treasury: u64) -> Option<u64> {
        let claim = parked.look(MicroUsdc::new(treasury));
        claim.map(|claim| claim.id.get())
    }

    fn succeeded(parked: &mut Parked, id: u64) -> Vec<u64> {
        let freed = parked.succeeded(IntentId::new(id));
        freed.iter().map(|claim| claim.id.get()).collect()
    }

    #[test]
    fn one_is_tried_when_the_treasury_has_grown_and_not_before() {
        let mut parked = parked();
        assert!(parked.is_due());
        assert_eq!(tried(&mut parked, HELD), None);
        assert_eq!(tried(&mut parked, HELD + 1), Some(1));
        assert_eq!(succeeded(&mut parked, 9), [0; 0]);
        assert_eq!(succeeded(&mut parked, 1), [2, 3]);
        assert!(!parked.is_due());
    }

    #[test]
    fn after_a_failure_the_next_is_tried_and_each_once_per_growth() {
        let mut parked = parked();
        for id in 1..=3 {
            assert_eq!(tried(&mut parked, HELD + 1), Some(id));
            parked.add(waiting(id, u128::from(id), Some(HELD + 1)));
        }
        assert_eq!(tried(&mut parked, HELD + 1), None);
        assert_eq!(tried(&mut parked, HELD + 2), Some(1));
    }

    #[test]
    fn the_cheapest_is_tried_first_whenever_it_came() {
        let mut parked = parked();
        parked.add(waiting(4, 0, Some(HELD)));
        parked.add(Waiting {
            cost: None,
            ..waiting(5, 0, Some(HELD))
        });
        assert_eq!(tried(&mut parked, HELD + 1), Some(5));
        assert_eq!(tried(&mut parked, HELD + 1), Some(4));
    }

    #[test]
    fn what_waits_since_there_was_less_is_tried_though_a_newer_one_saw_more() {
        let mut parked = parked();
        parked.add(waiting(4, 0, Some(HELD + 5)));
        assert_eq!(tried(&mut parked, HELD + 5), Some(1));
    }

    #[test]
    fn what_was_not_tried_is_though_the_treasury_does_not_grow_or_is_empty() {
        let mut parked = parked();
        parked.add(waiting(4, 9, None));
        assert_eq!(tried(&mut parked, 0), Some(4));
        assert_eq!(tried(&mut parked, 0), None);
    }

    #[test]
    fn one_can_be_taken_out() {
        let mut parked = parked();
        assert!(parked.take(IntentId::new(1)).is_some());
        assert!(parked.take(IntentId::new(1)).is_none());
        assert_eq!(tried(&mut parked, HELD + 1), Some(2));
        parked.drop_those(|id| id == IntentId::new(3));
        assert!(!parked.is_due());
    }
}
