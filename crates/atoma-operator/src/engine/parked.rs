//! Claims that the contract's treasury is too small for. They wait, unsigned, until it has grown:
//! then one of them is tried, and where it succeeds all others are.

use std::collections::VecDeque;
use std::time::Duration;

use atoma_domain::journal::Intent;
use atoma_domain::{MicroUsdc, TransactionId};
use tokio::time::Instant;

/// A lane's claims that wait for the treasury.
#[derive(Debug)]
pub(super) struct Parked {
    /// Each with what the treasury held when it was too little for it.
    claims: VecDeque<(Intent, MicroUsdc)>,
    /// The claim that was tried last.
    tried: Option<TransactionId>,
    interval: Duration,
    next_look: Instant,
}

impl Parked {
    /// Nothing yet; the treasury is to be looked at every `interval` once there is.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            claims: VecDeque::new(),
            tried: None,
            interval,
            next_look: Instant::now(),
        }
    }

    /// Adds a claim that `treasury` was too little for. It is tried again after the others, so that
    /// a large one does not keep small ones waiting.
    pub(super) fn add(&mut self, claim: Intent, treasury: MicroUsdc) {
        if self.claims.is_empty() {
            self.next_look = Instant::now() + self.interval;
        }
        self.claims.push_back((claim, treasury));
    }

    /// Takes one out.
    pub(super) fn take(&mut self, id: TransactionId) -> Option<Intent> {
        let place = self.claims.iter().position(|(claim, _)| claim.id == id)?;
        self.claims.remove(place).map(|(claim, _)| claim)
    }

    /// Drops those that are final.
    pub(super) fn drop_those(&mut self, mut are_final: impl FnMut(TransactionId) -> bool) {
        self.claims.retain(|(claim, _)| !are_final(claim.id));
    }

    /// Takes all out if the claim that succeeded is the one that was tried.
    pub(super) fn succeeded(&mut self, id: TransactionId) -> Vec<Intent> {
        if self.tried != Some(id) {
            return Vec::new();
        }
        self.tried = None;
        self.claims.drain(..).map(|(claim, _)| claim).collect()
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

    /// The claim to be tried now that the treasury holds so much: the first that it was too little
    /// for when it held less.
    pub(super) fn look(&mut self, treasury: MicroUsdc) -> Option<Intent> {
        let place = self.claims.iter().position(|(_, held)| *held < treasury)?;
        let (claim, _) = self.claims.remove(place)?;
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

    fn parked() -> Parked {
        let mut parked = Parked::new(Duration::ZERO);
        for id in 1..=3 {
            parked.add(claim(id), MicroUsdc::new(HELD));
        }
        parked
    }

    fn tried(parked: &mut Parked, treasury: u64) -> Option<u64> {
        let claim = parked.look(MicroUsdc::new(treasury));
        claim.map(|claim| claim.id.get())
    }

    fn succeeded(parked: &mut Parked, id: u64) -> Vec<u64> {
        let freed = parked.succeeded(TransactionId::new(id));
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
            parked.add(claim(id), MicroUsdc::new(HELD + 1));
        }
        assert_eq!(tried(&mut parked, HELD + 1), None);
        assert_eq!(tried(&mut parked, HELD + 2), Some(1));
    }

    #[test]
    fn what_waits_since_there_was_less_is_tried_though_a_newer_one_saw_more() {
        let mut parked = parked();
        parked.add(claim(4), MicroUsdc::new(HELD + 5));
        assert_eq!(tried(&mut parked, HELD + 5), Some(1));
    }

    #[test]
    fn one_can_be_taken_out() {
        let mut parked = parked();
        assert!(parked.take(TransactionId::new(1)).is_some());
        assert!(parked.take(TransactionId::new(1)).is_none());
        assert_eq!(tried(&mut parked, HELD + 1), Some(2));
        parked.drop_those(|id| id == TransactionId::new(3));
        assert!(!parked.is_due());
    }
}
