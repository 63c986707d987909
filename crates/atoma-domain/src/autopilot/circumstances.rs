//! What decisions about an operator's stacks have in common.

use super::moment::Moment;
use super::policy::AutopilotPolicy;
use crate::{Mist, NodeSmallId, Permille};

/// What decisions about an operator's stacks have in common.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The operator's rules.
    pub policy: &'a AutopilotPolicy,
    /// The time.
    pub moment: &'a Moment,
    /// The operator's nodes.
    pub own_nodes: &'a [NodeSmallId],
    /// The contract's charge for sampling consensus (`sampling_consensus_charge_permille`).
    pub charge: Permille,
    /// What transactions cost.
    pub gas: GasEstimates,
    /// What the operator's coins hold; `None` if that is not known.
    pub balance: Option<Mist>,
    /// The daily cap on gas, and what was spent or reserved under it; `None` without a cap.
    pub daily_cap: Option<DailyCap>,
}

/// A daily cap on gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyCap {
    /// The most gas of 24 hours.
    pub cap: Mist,
    /// What was spent in the last 24 hours, or may be spent by what is under way.
    pub used: Mist,
}

impl DailyCap {
    /// The part of the cap that is kept for attestations: one in this many.
    const KEPT: u64 = 4;
}

impl Circumstances<'_> {
    /// What may be spent on anything but attestations; `None` if nothing limits it.
    pub(super) fn spendable(&self) -> Option<Mist> {
        let reserve = self.policy.gas.reserve;
        let of_coins = self.balance.map(|held| held.saturating_sub(reserve));
        let of_cap = self.daily_cap.map(|DailyCap { cap, used }| {
            let kept = Mist::new(cap.get() / DailyCap::KEPT);
            cap.saturating_sub(kept).saturating_sub(used)
        });
        of_coins.into_iter().chain(of_cap).min()
    }
}

/// What transactions cost, from those that were made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasEstimates {
    /// A settlement.
    pub settle: Mist,
    /// A transaction that claims, without the stacks in it.
    pub claim_transaction: Mist,
    /// Each stack in it.
    pub claim_stack: Mist,
}

impl GasEstimates {
    /// Claims of so many stacks in one transaction.
    pub(super) fn claims(&self, stacks: u64) -> Mist {
        let stacks = self.claim_stack.get().saturating_mul(stacks);
        self.claim_transaction.saturating_add(Mist::new(stacks))
    }

    /// A withdrawal of shares: not more than a claim of one stack, which does the same and more.
    pub(super) fn withdraw(&self) -> Mist {
        self.claims(1)
    }
}
