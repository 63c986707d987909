//! Claims that the contract's treasury is too small for together. Which of them it can pay is found
//! out from the cheapest on, by halves: where one can't be paid, no dearer one can, and hundreds of
//! claims take no more simulations than it takes to halve them down to one.

use std::collections::HashMap;

use atoma_domain::journal::{Failure, Intent};
use atoma_domain::{MicroUsdc, StackSmallId};
use tracing::{debug, info};

use super::lane::Lane;
use super::turns::Turn;
use crate::causes::with_causes;

impl Lane {
    /// Splits claims that were too much for the treasury into the cheaper half, to be tried first,
    /// and the rest; one alone waits, and what is known to be dearer waits with it.
    pub(super) async fn face_shortage(
        &mut self,
        turns: &mut Vec<Turn>,
        claims: Vec<Intent>,
        is_dearer: bool,
    ) {
        if claims.len() == 1 {
            self.park(claims, self.treasury);
            while let Some(dearer) = turns.pop_if(|turn| turn.is_dearer) {
                // Not tried, so that each is, one at a time, even if the treasury does not grow: what
                // a claim takes is known to the contract alone.
                self.park(dearer.batch, MicroUsdc::ZERO);
            }
            return;
        }
        let mut cheap = self.by_cost(claims).await;
        let dear = cheap.split_off(cheap.len() / 2);
        turns.push(Turn::dearer(dear, true));
        turns.push(Turn::dearer(cheap, is_dearer));
    }

    /// The claims by what their stacks cost, the cheapest first: the best guess of what they take out
    /// of the treasury. Those of unknown cost come last.
    async fn by_cost(&self, mut claims: Vec<Intent>) -> Vec<Intent> {
        let stacks: Vec<StackSmallId> = claims.iter().filter_map(|c| c.action.stack()).collect();
        let known = match self.shared.ports.state.stacks_by_id(&stacks).await {
            Ok(known) => known,
            Err(error) => {
                debug!(
                    error = with_causes(&error),
                    "the stacks' costs can't be read"
                );
                return claims;
            }
        };
        let costs: HashMap<StackSmallId, u128> = known
            .into_iter()
            .map(|stack| {
                let units = u128::from(stack.num_compute_units.get());
                let price = stack.price_per_one_million_compute_units.get();
                (stack.stack_small_id, units * u128::from(price))
            })
            .collect();
        claims.sort_by_key(|claim| {
            let cost = claim.action.stack().and_then(|stack| costs.get(&stack));
            cost.copied().unwrap_or(u128::MAX)
        });
        claims
    }

    /// Keeps claims until the treasury holds more than `held`; who waits is told.
    fn park(&mut self, claims: Vec<Intent>, held: MicroUsdc) {
        info!(claims = claims.len(), treasury = %self.treasury, "the treasury is short; waiting for it to grow");
        let ids = claims.iter().map(|claim| claim.id);
        self.shared.outcomes.hold(ids, &Failure::TreasuryShort {});
        for claim in claims {
            self.parked.add(claim, held);
        }
    }
}
