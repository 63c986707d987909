//! The other operator: settles in its own time, and attests late, wrongly or never.

use std::collections::BTreeMap;

use atoma_domain::journal::GasOptions;
use atoma_domain::ports::{Page, StackFilter, StateReader as _};
use atoma_domain::{NodeSmallId, StackSmallId};
use atoma_operator::NodeChoice;

use super::market::{Market, attestations_due};
use super::plan::Attests;
use crate::site::Site;
use crate::world::World;

/// An operator with its own habits.
pub(super) struct Others {
    pub(super) site: Site,
    /// Since which step an attestation is due, and whether it is made.
    seen: BTreeMap<(StackSmallId, NodeSmallId), (usize, bool)>,
    pub(super) late: usize,
    pub(super) wrong: usize,
}

impl Others {
    pub(super) const fn new(site: Site) -> Self {
        Self {
            site,
            seen: BTreeMap::new(),
            late: 0,
            wrong: 0,
        }
    }

    /// What it does in a step of the day.
    pub(super) async fn act(&mut self, world: &World, market: &Market, step: usize) {
        self.site.mirrored(world).await;
        for (stack, nodes) in attestations_due(&self.site).await {
            for (node, _) in nodes {
                let order = &market.orders[&stack];
                let (since, is_done) = self
                    .seen
                    .entry((stack, node))
                    .or_insert((market.now, false));
                let waited = market.now - *since;
                // The epoch of settlement is over.
                let is_late = market.now / market.size.steps > *since / market.size.steps;
                let wants = match order.attests {
                    Attests::After(steps) => waited >= steps,
                    Attests::Late(after) => is_late && step >= after,
                    Attests::Wrongly => true,
                    Attests::Never => false,
                };
                if wants && !*is_done {
                    *is_done = true;
                    let is_wrong = order.attests == Attests::Wrongly;
                    self.late += usize::from(is_late);
                    self.wrong += usize::from(is_wrong);
                    self.attest(market, stack, node, is_wrong).await;
                }
            }
        }
        let quarter = market.size.steps.div_ceil(4);
        if step % quarter == quarter - 1 {
            self.settle_and_claim(world).await;
        }
    }

    async fn attest(
        &self,
        market: &Market,
        stack: StackSmallId,
        node: NodeSmallId,
        is_wrong: bool,
    ) {
        for (units, seed) in market.served.get(&stack).cloned().unwrap_or_default() {
            // The draw can name the node that has settled the stack.
            let _ = self.site.try_serve(stack, node, units, seed).await;
        }
        if is_wrong {
            let _ = self.site.try_serve(stack, node, 1, u64::MAX).await;
        }
        let operator = self.site.operator();
        let gas = GasOptions::default();
        let _ = operator.attest(&[stack], is_wrong, node.into(), gas).await;
    }

    async fn settle_and_claim(&mut self, world: &World) {
        let (choice, gas) = (NodeChoice::default(), GasOptions::default());
        let unpaid = unpaid_stacks(&self.site).await;
        for stacks in unpaid.chunks(1_000) {
            let _ = self.site.operator().settle(stacks, None, choice, gas).await;
            self.site.mirrored(world).await;
            let _ = self.site.operator().claim(stacks, choice, gas).await;
        }
    }
}

/// The stacks of an operator's nodes that were used and are not paid.
pub(super) async fn unpaid_stacks(site: &Site) -> Vec<StackSmallId> {
    let mut page = Page::first(10_000);
    let mut found = Vec::new();
    loop {
        let filter = StackFilter {
            nodes: &site.nodes,
            filled_beyond: None,
        };
        let stacks = site.state.stacks(filter, page).await.unwrap();
        page.after = stacks.last().map(|stack| stack.stack_small_id);
        if page.after.is_none() {
            return found;
        }
        let unpaid = stacks.iter();
        let unpaid = unpaid.filter(|stack| stack.num_total_messages > 0 && !stack.is_claimed);
        found.extend(unpaid.map(|stack| stack.stack_small_id));
    }
}
