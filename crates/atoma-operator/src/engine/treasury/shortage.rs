//! Claims of one transaction that the contract's treasury can't pay together. Halving them from the
//! cheapest on finds those that it can pay: if one can't be paid, no dearer one can. So a hundred
//! claims take no more simulations than halving them down to one.

use std::collections::HashMap;

use atoma_domain::journal::Intent;
use atoma_domain::ports::StateReader;
use atoma_domain::{StackSmallId, with_causes};
use tracing::debug;

/// What stacks cost, as far as is known: the best guess of what their claims take out of the
/// treasury, which only the contract knows.
#[derive(Debug)]
pub(in crate::engine) struct Costs(HashMap<StackSmallId, u128>);

impl Costs {
    /// What the claim's stack cost, in units times price.
    pub(in crate::engine) fn of(&self, claim: &Intent) -> Option<u128> {
        self.0.get(&claim.action.stack()?).copied()
    }
}

/// Claims in two parts.
#[derive(Debug)]
pub(in crate::engine) struct Division {
    /// To be tried first.
    pub(in crate::engine) first: Vec<Intent>,
    pub(in crate::engine) rest: Vec<Intent>,
    /// None of the rest costs less than any of the first.
    pub(in crate::engine) rest_is_dearer: bool,
}

/// Divides claims into the cheaper half, to be tried first, and the rest.
pub(in crate::engine) fn divide(mut claims: Vec<Intent>, costs: &Costs) -> Division {
    claims.sort_by_key(|claim| costs.of(claim));
    // Claims of unknown cost come first. They are tried by themselves, being neither cheaper nor
    // dearer than others.
    let unknown = claims.partition_point(|claim| costs.of(claim).is_none());
    let (at, rest_is_dearer) = match unknown {
        0 => (claims.len() / 2, true),
        all if all == claims.len() => (all / 2, false),
        some => (some, false),
    };
    let rest = claims.split_off(at);
    Division {
        first: claims,
        rest,
        rest_is_dearer,
    }
}

/// What the claims' stacks cost.
pub(in crate::engine) async fn costs(state: &dyn StateReader, claims: &[Intent]) -> Costs {
    let stacks: Vec<StackSmallId> = claims
        .iter()
        .filter_map(|claim| claim.action.stack())
        .collect();
    let known = state.stacks_by_id(&stacks).await;
    let known = known.unwrap_or_else(|error| {
        debug!(error = with_causes(&error), "can't read the stacks' costs");
        Vec::new()
    });
    let costs = known.into_iter().map(|stack| {
        let units = u128::from(stack.num_compute_units.get());
        let price = u128::from(stack.price_per_one_million_compute_units.get());
        (stack.stack_small_id, units * price)
    });
    Costs(costs.collect())
}
