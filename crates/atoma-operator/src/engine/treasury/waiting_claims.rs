//! Claims that the contract's treasury can't pay. They wait, unsigned, until the treasury has grown,
//! or until it is their turn to be tried at all. Then one of them is tried. If it
//! succeeds, the others are tried too.

use std::time::Duration;

use atoma_domain::journal::Intent;
use atoma_domain::ports::ViewQuery;
use atoma_domain::{IntentId, MicroUsdc, with_causes};
use tokio::time::Instant;
use tracing::{debug, info};

use super::shortage::costs;
use crate::engine::shared::{Context, without_abandoned};
use crate::engine::wait_reason::WaitReason;

/// A claim that waits.
#[derive(Debug)]
struct WaitingClaim {
    claim: Intent,
    /// What its stack cost, if known.
    cost: Option<u128>,
    /// What the treasury held when it could not pay; `None` if the claim was not tried, because a
    /// cheaper one could not be paid.
    held: Option<MicroUsdc>,
}

/// A lane's claims that wait for the treasury.
#[derive(Debug)]
pub(in crate::engine) struct WaitingClaims {
    claims: Vec<WaitingClaim>,
    /// The claim that was tried last.
    tried: Option<IntentId>,
    interval: Duration,
    next_look: Instant,
}

impl WaitingClaims {
    /// None yet. While there are some, the treasury is read every `interval`.
    pub(in crate::engine) fn new(interval: Duration) -> Self {
        Self {
            claims: Vec::new(),
            tried: None,
            interval,
            next_look: Instant::now(),
        }
    }

    /// Keeps claims until the treasury holds more than it `held` when they were tried, or to be tried
    /// one at a time if they were not. Callers are informed.
    pub(in crate::engine) async fn keep(
        &mut self,
        context: &Context,
        claims: Vec<Intent>,
        held: Option<MicroUsdc>,
    ) {
        let claims = without_abandoned(context, claims).await;
        if claims.is_empty() {
            return;
        }
        info!(
            claims = claims.len(),
            "the treasury can't pay claims; waiting for it to grow"
        );
        let ids = claims.iter().map(|claim| claim.id);
        context.registry.hold(ids, &WaitReason::Treasury);
        let costs = costs(context.ports.state.as_ref(), &claims).await;
        for claim in claims {
            let cost = costs.of(&claim);
            self.add(WaitingClaim { claim, cost, held });
        }
    }

    /// Reads what the treasury holds, and takes out the claim to try with that, if there is one.
    pub(in crate::engine) async fn look(
        &mut self,
        context: &Context,
    ) -> Option<(MicroUsdc, Option<Intent>)> {
        self.next_look = Instant::now() + self.interval;
        let treasury = match context.ports.chain.view(&ViewQuery::default()).await {
            Ok(view) => view.parameters.fee_treasury,
            Err(error) => {
                debug!(error = with_causes(&error), "can't read the treasury");
                return None;
            }
        };
        self.drop_those(|id| context.abandoned.take_failed(id));
        Some((treasury, self.candidate(treasury)))
    }

    /// Adds a claim.
    fn add(&mut self, waiting: WaitingClaim) {
        if self.claims.is_empty() {
            self.next_look = Instant::now() + self.interval;
        }
        self.claims.push(waiting);
    }

    /// Takes out one claim.
    pub(in crate::engine) fn take(&mut self, id: IntentId) -> Option<Intent> {
        let place = self.claims.iter().position(|w| w.claim.id == id)?;
        Some(self.claims.remove(place).claim)
    }

    /// Drops claims that are final.
    fn drop_those(&mut self, mut are_final: impl FnMut(IntentId) -> bool) {
        self.claims.retain(|w| !are_final(w.claim.id));
    }

    /// Takes out all claims if the one that succeeded is the one that was tried.
    pub(in crate::engine) fn succeeded(&mut self, id: IntentId) -> Vec<Intent> {
        if self.tried != Some(id) {
            return Vec::new();
        }
        self.tried = None;
        self.claims.drain(..).map(|w| w.claim).collect()
    }

    /// Whether it is time to read the treasury.
    pub(in crate::engine) fn is_due(&self) -> bool {
        !self.claims.is_empty() && self.next_look <= Instant::now()
    }

    /// Completes when it is time to read the treasury.
    pub(in crate::engine) async fn due(&self) {
        if self.claims.is_empty() {
            return std::future::pending().await;
        }
        tokio::time::sleep_until(self.next_look).await;
    }

    /// Takes out the claim to try now that the treasury holds this much: the cheapest of those that were
    /// not tried, or that failed when the treasury held less. A claim of unknown cost counts as the
    /// cheapest.
    fn candidate(&mut self, treasury: MicroUsdc) -> Option<Intent> {
        let waiting = self.claims.iter().enumerate();
        let (place, _) = waiting
            .filter(|(_, w)| w.held.is_none_or(|held| held < treasury))
            .min_by_key(|(_, w)| w.cost)?;
        let claim = self.claims.remove(place).claim;
        self.tried = Some(claim.id);
        Some(claim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::claim;

    const HELD: u64 = 10;

    fn waiting(id: u64, cost: u128, held: Option<u64>) -> WaitingClaim {
        WaitingClaim {
            claim: claim(id),
            cost: Some(cost),
            held: held.map(MicroUsdc::new),
        }
    }

    fn waiting_claims() -> WaitingClaims {
        let mut waiting_claims = WaitingClaims::new(Duration::ZERO);
        for id in 1..=3 {
            waiting_claims.add(waiting(id, u128::from(id), Some(HELD)));
        }
        waiting_claims
    }

    fn tried(waiting_claims: &mut WaitingClaims, treasury: u64) -> Option<u64> {
        let claim = waiting_claims.candidate(MicroUsdc::new(treasury));
        claim.map(|claim| claim.id.get())
    }

    fn succeeded(waiting_claims: &mut WaitingClaims, id: u64) -> Vec<u64> {
        let freed = waiting_claims.succeeded(IntentId::new(id));
        freed.iter().map(|claim| claim.id.get()).collect()
    }

    #[test]
    fn a_claim_is_tried_once_the_treasury_has_grown() {
        let mut waiting_claims = waiting_claims();
        assert!(waiting_claims.is_due());
        assert_eq!(tried(&mut waiting_claims, HELD), None);
        assert_eq!(tried(&mut waiting_claims, HELD + 1), Some(1));
        assert_eq!(succeeded(&mut waiting_claims, 9), [0; 0]);
        assert_eq!(succeeded(&mut waiting_claims, 1), [2, 3]);
        assert!(!waiting_claims.is_due());
    }

    #[test]
    fn each_claim_is_tried_once_per_growth() {
        let mut waiting_claims = waiting_claims();
        for id in 1..=3 {
            assert_eq!(tried(&mut waiting_claims, HELD + 1), Some(id));
            waiting_claims.add(waiting(id, u128::from(id), Some(HELD + 1)));
        }
        assert_eq!(tried(&mut waiting_claims, HELD + 1), None);
        assert_eq!(tried(&mut waiting_claims, HELD + 2), Some(1));
    }

    #[test]
    fn the_cheapest_claim_is_tried_first() {
        let mut waiting_claims = waiting_claims();
        waiting_claims.add(waiting(4, 0, Some(HELD)));
        waiting_claims.add(WaitingClaim {
            cost: None,
            ..waiting(5, 0, Some(HELD))
        });
        assert_eq!(tried(&mut waiting_claims, HELD + 1), Some(5));
        assert_eq!(tried(&mut waiting_claims, HELD + 1), Some(4));
    }

    #[test]
    fn a_claim_is_tried_by_what_the_treasury_held_when_it_failed() {
        let mut waiting_claims = waiting_claims();
        waiting_claims.add(waiting(4, 0, Some(HELD + 5)));
        assert_eq!(tried(&mut waiting_claims, HELD + 5), Some(1));
    }

    #[test]
    fn an_untried_claim_is_tried_even_if_the_treasury_does_not_grow() {
        let mut waiting_claims = waiting_claims();
        waiting_claims.add(waiting(4, 9, None));
        assert_eq!(tried(&mut waiting_claims, 0), Some(4));
        assert_eq!(tried(&mut waiting_claims, 0), None);
    }

    #[test]
    fn a_claim_can_be_taken_out() {
        let mut waiting_claims = waiting_claims();
        assert!(waiting_claims.take(IntentId::new(1)).is_some());
        assert!(waiting_claims.take(IntentId::new(1)).is_none());
        assert_eq!(tried(&mut waiting_claims, HELD + 1), Some(2));
        waiting_claims.drop_those(|id| id == IntentId::new(3));
        assert!(!waiting_claims.is_due());
    }
}
