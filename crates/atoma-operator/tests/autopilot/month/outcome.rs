//! What a month came to, by the network's own state.

use std::collections::BTreeMap;
use std::fmt;

use atoma_domain::autopilot::{DutyKind, Obstacle, Standing};
use atoma_domain::journal::{AttemptStatus, IntentStatus};
use atoma_domain::ports::{
    DisputeSide, Journal as _, JournalFilter, Page, StackFilter, StateReader as _,
};
use atoma_domain::{Digest, StackSmallId};

use super::market::Market;
use crate::site::Site;
use crate::world::World;

/// What a month came to.
#[derive(Debug)]
pub(super) struct Outcome {
    bought: u64,
    claimed: u64,
    /// In micro-USDC, what the operator's address holds.
    earned: u64,
    gas: u64,
    transactions: usize,
    disputed: usize,
    /// What must not happen.
    pub(super) faults: Vec<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} stacks bought, {} claimed, {} disputed by others, {} micro-USDC earned, {} MIST of gas in {} transactions",
            self.bought, self.claimed, self.disputed, self.earned, self.gas, self.transactions
        )
    }
}

impl Outcome {
    pub(super) async fn of(world: &World, site: &mut Site, market: &Market) -> Self {
        site.mirrored(world).await;
        let mut faults = Vec::new();
        let survey = site.autopilot.survey().await.unwrap();
        for duty in &survey.duties {
            let is_beyond_help = match duty.standing {
                Standing::Blocked(Obstacle::InDispute | Obstacle::TaskRemoved) => true,
                // Nobody ran the requests again.
                Standing::Blocked(Obstacle::NoRecord) => duty.kind == DutyKind::Attest,
                Standing::Waiting { waits_for, .. } => waits_for.code() == "first_message",
                _ => false,
            };
            if !is_beyond_help {
                faults.push(format!("left undone: {duty:?}"));
            }
        }
        let raised = site
            .state
            .disputes(&site.nodes, DisputeSide::Plaintiff, Page::first(100))
            .await;
        for dispute in raised.unwrap() {
            faults.push(format!("a dispute of ours: {dispute:?}"));
        }
        let against = site
            .state
            .disputes(&site.nodes, DisputeSide::Defendant, Page::first(1_000))
            .await;
        let against = against.unwrap();
        faults.extend(missed_attestations(site).await);
        let (gas, transactions) = gas(site, &mut faults).await;
        Self {
            bought: market.bought,
            claimed: claimed(site).await,
            earned: world.usdc_of(site.operator().ports().signer.address()),
            gas,
            transactions,
            disputed: against.len(),
            faults,
        }
    }
}

/// Tickets that asked for a node which had a record of the work, and that have no attestation by it.
async fn missed_attestations(site: &Site) -> Vec<String> {
    let mut missed = Vec::new();
    for settlement in site.all_settlements().await {
        for node in &settlement.requested_attestation_nodes {
            if !site.nodes.contains(node)
                || settlement.attested_nodes.contains(node)
                || settlement.is_in_dispute
            {
                continue;
            }
            let stack = settlement.stack_small_id;
            let own = site.nodes.contains(&settlement.selected_node_id);
            if own || site.has_agreeing_record(&settlement, *node).await {
                missed.push(format!("node {node} did not attest stack {stack}"));
            }
        }
    }
    missed
}

async fn claimed(site: &Site) -> u64 {
    let mut page: Page<StackSmallId> = Page::first(10_000);
    let mut claimed = 0;
    loop {
        let filter = StackFilter {
            nodes: &site.nodes,
            filled_beyond: None,
        };
        let stacks = site.state.stacks(filter, page).await.unwrap();
        page.after = stacks.last().map(|stack| stack.stack_small_id);
        if page.after.is_none() {
            return claimed;
        }
        let paid = stacks.iter().filter(|stack| stack.is_claimed).count();
        claimed += u64::try_from(paid).unwrap();
    }
}

/// The gas of all transactions, and how many there were. Unfinished intents are faults.
async fn gas(site: &Site, faults: &mut Vec<String>) -> (u64, usize) {
    let mut paid: BTreeMap<Digest, u64> = BTreeMap::new();
    let mut page = Page::first(10_000);
    loop {
        let listed = site
            .state
            .list(&JournalFilter::default(), page)
            .await
            .unwrap();
        page.after = listed.last().map(|record| record.intent.id);
        if page.after.is_none() {
            return (paid.values().sum(), paid.len());
        }
        for record in listed {
            if !matches!(
                record.status,
                IntentStatus::Succeeded | IntentStatus::Failed
            ) {
                faults.push(format!("unfinished: {record:?}"));
            }
            for attempt in site.state.attempts_of(record.intent.id).await.unwrap() {
                if attempt.status != AttemptStatus::Dead {
                    let gas = attempt.gas_used.map_or(0, |gas| gas.get());
                    paid.insert(attempt.digest, gas);
                }
            }
        }
    }
}
