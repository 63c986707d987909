//! The books at the end of a month, against the network's own state and what was served.

use std::collections::BTreeMap;

use atoma_domain::books::{BookLine, Grouping, Ledger, LineKind, Totals};
use atoma_domain::ports::{BookRecords as _, Page, Period, StateReader as _};
use atoma_domain::{NodeSmallId, StackSmallId};
use atoma_operator::{BookFilter, BookRow};
use serde_json::Value;

use super::market::Market;
use super::outcome::worth;
use crate::site::Site;
use crate::world::{HOUR_MS, World};

/// What the books tell of shares that were lost.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) slashed: usize,
    pub(super) forfeited: usize,
    /// In micro-USDC.
    pub(super) lost_shares: u64,
}

impl Books {
    /// Compares everything, and reads what was lost.
    pub(super) async fn of(
        world: &World,
        site: &Site,
        market: &Market,
        state: &Value,
        faults: &mut Vec<String>,
    ) -> Self {
        let operator = site.operator();
        let checked = operator.check_books().await.unwrap();
        for difference in &checked.differences {
            faults.push(format!("the books differ: {difference:?}"));
        }
        if checked.unchecked > 0 {
            faults.extend(not_compared(site).await);
        }
        let filter = BookFilter {
            nodes: site.nodes.iter().copied().collect(),
            period: Period::ALWAYS,
        };
        let groups = operator.earnings(Grouping::Node, &filter).await.unwrap();
        let mut sum = Totals::default();
        let expected = expected(site, market).await;
        for group in &groups {
            sum.fees += group.totals.fees;
            sum.withdrawn += group.totals.withdrawn;
            sum.gas_used += group.totals.gas_used;
            sum.gas_returned += group.totals.gas_returned;
            sum.unknown += group.totals.unknown;
            let Some(node) = group.group else { continue };
            let entry = &state["nodes"][node.to_string()];
            let owed = entry["available_fee_amount"].as_u64().map(u128::from);
            let totals = &group.totals;
            let found = (group.owed, totals.fees, totals.shares);
            let (fees, shares) = expected.get(&node).copied().unwrap_or_default();
            if found != (owed, fees, shares) || totals.shares - totals.withdrawn != owed.unwrap() {
                faults.push(format!(
                    "node {node}: {group:?}, but the network owes {owed:?}, and it earned {fees} and {shares}"
                ));
            }
        }
        let address = operator.ports().signer.address();
        let usdc = u128::from(world.usdc_of(address));
        if sum.received() != usdc || sum.unknown > 0 {
            faults.push(format!(
                "{sum:?} in the books, but {usdc} micro-USDC on chain"
            ));
        }
        let given = 100_000_000_000 * u64::try_from(site.nodes.len() + 2).unwrap();
        let gas = i128::from(given) - i128::from(world.balance_of(address, "::sui::SUI"));
        let booked =
            i128::try_from(sum.gas_used).unwrap() - i128::try_from(sum.gas_returned).unwrap();
        if booked != gas {
            faults.push(format!("{booked} MIST in the books, but {gas} on chain"));
        }
        Self::lost(site, market, &filter, faults).await
    }

    /// The shares that our nodes have lost, and whether they could have been earned.
    async fn lost(
        site: &Site,
        market: &Market,
        filter: &BookFilter,
        faults: &mut Vec<String>,
    ) -> Self {
        let mut lost = Self::default();
        let mut page = Page::first(10_000);
        loop {
            let lines = site.operator().book_lines(filter, page).await.unwrap();
            page.after = lines.last().map(|(place, _)| *place);
            if page.after.is_none() {
                return lost;
            }
            for (_, row) in lines {
                let BookRow::Amount(line) = row else { continue };
                if line.kind == LineKind::Forfeited {
                    lost.lost_shares += line.amount.map_or(0, |amount| amount.get());
                    if is_our_fault(market, &line) {
                        lost.slashed += 1;
                        faults.push(format!("a share was lost: {line:?}"));
                    } else {
                        lost.forfeited += 1;
                    }
                }
            }
        }
    }
}

/// The transactions that could not be compared with how the balances changed.
async fn not_compared(site: &Site) -> Vec<String> {
    let marks = site.state.book_marks().await.unwrap();
    let mut ledger = Ledger::new(site.nodes.iter().copied(), marks.charges, marks.gaps);
    let transactions = site.state.book_transactions(Page::first(100_000)).await;
    let mut found = Vec::new();
    for transaction in transactions.unwrap() {
        if let Some(why) = ledger.post(&transaction).unchecked {
            found.push(format!("not compared, because {why}: {transaction:?}"));
        }
    }
    found
}

/// Whether the node had the record to attest with a while before the claim.
fn is_our_fault(market: &Market, line: &BookLine) -> bool {
    let stack = line.stack.expect("a share is of a stack");
    if market.is_ours(stack) {
        return true;
    }
    if market.orders[&stack].is_false {
        return false;
    }
    let recorded = market.rerun_at.get(&(stack, line.node));
    recorded.is_some_and(|at| line.timestamp.get() > at.get() + HOUR_MS / 2)
}

/// What each node has earned by what was served and attested: fees and shares, in micro-USDC.
async fn expected(site: &Site, market: &Market) -> BTreeMap<u64, (u128, u128)> {
    let mut earned: BTreeMap<u64, (u128, u128)> = BTreeMap::new();
    let orders: Vec<StackSmallId> = market.orders.keys().copied().collect();
    for part in orders.chunks(1_000) {
        for stack in site.state.stacks_by_id(part).await.unwrap() {
            let id = stack.stack_small_id;
            if market.is_ours(id) && stack.is_claimed {
                let worth = worth(market, id, market.units_of(id).get());
                let node: NodeSmallId = stack.selected_node_id;
                earned.entry(node.get()).or_default().0 += u128::from(worth);
            }
        }
        for settlement in site.state.settlements_by_id(part).await.unwrap() {
            let id = settlement.stack_small_id;
            let worth = worth(market, id, settlement.num_claimed_compute_units.get());
            for node in &settlement.attested_nodes {
                if settlement.is_claimed && settlement.requested_attestation_nodes.contains(node) {
                    earned.entry(node.get()).or_default().1 += u128::from(worth);
                }
            }
        }
    }
    earned
}
