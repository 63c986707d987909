//! Claims of one transaction that the contract's treasury is too small for together. Which of them it
//! can pay is found out from the cheapest on, by halves: where one can't be paid, no dearer one can,
//! and a hundred claims take no more simulations than it takes to halve them down to one.

use std::collections::HashMap;

use atoma_domain::journal::{Failure, Intent};
use atoma_domain::{MicroUsdc, StackSmallId};
use tracing::{debug, info};

use super::lane::Lane;
use super::parked::Waiting;
use super::turns::Turn;
use crate::causes::with_causes;

/// What stacks cost, as far as is known: the best guess of what their claims take out of the treasury,
/// which the contract alone knows.
struct Costs(HashMap<StackSmallId, u128>);

impl Costs {
    fn of(&self, claim: &Intent) -> Option<u128> {
        self.0.get(&claim.action.stack()?).copied()
    }
}

impl Lane {
    /// Splits claims that were too much for the treasury into the cheaper half, to be tried first,
    /// and the rest; one alone waits, and what is known to be dearer waits with it.
    pub(super) async fn face_shortage(
        &mut self,
        turns: &mut Vec<Turn>,
        mut claims: Vec<Intent>,
        is_dearer: bool,
    ) {
        let treasury = self.treasury;
        if claims.len() == 1 {
            self.park(claims, Some(treasury)).await;
            let mut dearer = Vec::new();
            while let Some(turn) = turns.pop_if(|turn| turn.is_dearer) {
                dearer.extend(turn.batch);
            }
            self.park(dearer, None).await;
            return;
        }
        let costs = self.costs(&claims).await;
        claims.sort_by_key(|claim| costs.of(claim));
        // Those of unknown cost come first. They are tried for themselves, neither dearer than others
        // nor cheaper.
        let unknown = claims.partition_point(|claim| costs.of(claim).is_none());
        let (at, rest_is_dearer) = match unknown {
            0 => (claims.len() / 2, true),
            all if all == claims.len() => (all / 2, false),
            some => (some, false),
        };
        let rest = claims.split_off(at);
        turns.push(Turn::dearer(rest, is_dearer || rest_is_dearer));
        turns.push(Turn::dearer(claims, is_dearer));
    }

    /// What the claims' stacks cost.
    async fn costs(&self, claims: &[Intent]) -> Costs {
        let stacks: Vec<StackSmallId> = claims.iter().filter_map(|c| c.action.stack()).collect();
        let known = self.shared.ports.state.stacks_by_id(&stacks).await;
        let known = known.unwrap_or_else(|error| {
            debug!(error = with_causes(&error), "the stacks can't be read");
            Vec::new()
        });
        let costs = known.into_iter().map(|stack| {
            let units = u128::from(stack.num_compute_units.get());
            let price = u128::from(stack.price_per_one_million_compute_units.get());
            (stack.stack_small_id, units * price)
        });
        Costs(costs.collect())
    }

    /// Keeps claims for when the treasury holds more than it `held` when they were tried, or for being
    /// tried one at a time where they were not; who waits is told.
    async fn park(&mut self, claims: Vec<Intent>, held: Option<MicroUsdc>) {
        let claims = self.without_abandoned(claims).await;
        if claims.is_empty() {
            return;
        }
        info!(claims = claims.len(), treasury = %self.treasury, "the treasury is short; waiting for it to grow");
        let ids = claims.iter().map(|claim| claim.id);
        self.shared.outcomes.hold(ids, &Failure::TreasuryShort {});
        let costs = self.costs(&claims).await;
        for claim in claims {
            let cost = costs.of(&claim);
            self.parked.add(Waiting { claim, cost, held });
        }
    }
}
