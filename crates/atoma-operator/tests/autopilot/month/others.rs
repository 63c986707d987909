//! The other operator, and the script that an operator without an autopilot runs.

use atoma_domain::StackSmallId;
use atoma_domain::autopilot::DutyKind;
use atoma_domain::journal::GasOptions;
use atoma_domain::ports::{Page, StackFilter, StateReader as _};
use atoma_operator::NodeChoice;

use super::market::Market;
use crate::site::{Site, chosen};
use crate::world::World;

/// An operator that settles in its own time, and attests late, wrongly or never.
pub(super) struct Others {
    pub(super) site: Site,
    /// Attestations that it will not make.
    ignored: Vec<StackSmallId>,
}

impl Others {
    pub(super) const fn new(site: Site) -> Self {
        Self {
            site,
            ignored: Vec::new(),
        }
    }

    pub(super) async fn act(&mut self, world: &World, market: &mut Market, hour: u64) {
        let site = &mut self.site;
        site.mirrored(world).await;
        let Ok(survey) = site.autopilot.survey().await else {
            return;
        };
        let (choice, gas) = (NodeChoice::default(), GasOptions::default());
        for duty in survey.duties {
            let (Some(stack), node) = (duty.stack_small_id, duty.node_small_id) else {
                continue;
            };
            if duty.kind != DutyKind::Attest || self.ignored.contains(&stack) {
                continue;
            }
            if market.once_in(10) {
                self.ignored.push(stack);
            } else if market.once_in(60) {
                // It has another result, and says so.
                self.ignored.push(stack);
                let _ = site.try_serve(stack, node, 1, u64::MAX).await;
                let _ = site
                    .operator()
                    .attest(&[stack], true, chosen(node), gas)
                    .await;
            } else if !market.once_in(3) {
                for (units, seed) in market.served.get(&stack).cloned().unwrap_or_default() {
                    // The draw can name the node that has settled the stack.
                    let _ = site.try_serve(stack, node, units, seed).await;
                }
                self.ignored.push(stack);
                let _ = site
                    .operator()
                    .attest(&[stack], false, chosen(node), gas)
                    .await;
            }
        }
        if hour % 6 == 5 {
            let stacks = own_stacks(site, |stack| stack.num_total_messages > 0).await;
            for stacks in stacks.chunks(1_000) {
                let _ = site.operator().settle(stacks, None, choice, gas).await;
                site.mirrored(world).await;
                let _ = site.operator().claim(stacks, choice, gas).await;
            }
        }
    }
}

/// Settles, attests and claims whatever it can.
pub(super) async fn run_script(world: &World, site: &mut Site) {
    site.mirrored(world).await;
    let (choice, gas) = (NodeChoice::default(), GasOptions::default());
    let open = own_stacks(site, |stack| {
        stack.num_total_messages > 0 && !stack.is_claimed
    })
    .await;
    let operator = site.operator().clone();
    for stacks in open.chunks(1_000) {
        let _ = operator.settle(stacks, None, choice, gas).await;
        let _ = operator.claim(stacks, choice, gas).await;
    }
    site.mirrored(world).await;
    let Ok(survey) = site.autopilot.survey().await else {
        return;
    };
    for duty in survey.due().filter(|duty| duty.kind == DutyKind::Attest) {
        let choice = chosen(duty.node_small_id);
        let stacks: Vec<_> = duty.stack_small_id.into_iter().collect();
        let _ = operator.attest(&stacks, false, choice, gas).await;
    }
}

/// The stacks of an operator's nodes that are as wanted.
async fn own_stacks(
    site: &Site,
    is_wanted: impl Fn(&atoma_domain::model::Stack) -> bool,
) -> Vec<StackSmallId> {
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
        let wanted = stacks.iter().filter(|stack| is_wanted(stack));
        found.extend(wanted.map(|stack| stack.stack_small_id));
    }
}
