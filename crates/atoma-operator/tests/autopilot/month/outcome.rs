//! What a month came to, by the network's own state.

use std::collections::BTreeMap;

use atoma_domain::StackSmallId;
use atoma_domain::ports::{DisputeSide, Page, StateReader as _};
use serde_json::Value;

use super::books::Books;
use super::calendar::Calendar;
use super::gas::Spent;
use super::market::Market;
use super::others::Others;
use super::pilot::Log;
use super::plan::LEVELS;
use crate::site::Site;
use crate::world::{PRICE, World};

/// What a month came to, for our nodes.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) bought: usize,
    pub(super) settled: usize,
    pub(super) attested: usize,
    /// Attestations in the epoch in which the stack could be claimed already.
    pub(super) late: usize,
    /// Shares of our nodes that others' claims took: by our fault, and because nothing could be attested.
    pub(super) slashed: usize,
    pub(super) forfeited: usize,
    /// Disputes that our nodes have opened, and that were opened against them.
    pub(super) disputes_by_us: usize,
    pub(super) disputes_against_us: usize,
    /// In micro-USDC.
    pub(super) paid: u64,
    /// What was served and the contract would pay, in micro-USDC.
    pub(super) unclaimed: u64,
    /// What was served and the contract doesn't pay.
    pub(super) frozen: u64,
    /// What requests would have paid that came when their stacks were closed.
    pub(super) refused: u64,
    /// The shares that were lost.
    pub(super) lost_shares: u64,
    /// What the duties cost by the journal, the least that they need, and the least if attestations waited for the end of their
    /// epochs; in MIST.
    pub(super) gas: u64,
    pub(super) least_gas: u64,
    pub(super) least_gas_of_waiting: u64,
    pub(super) transactions: usize,
    pub(super) crashes: usize,
    pub(super) pauses: usize,
    pub(super) treasury_short: usize,
    pub(super) others_late: usize,
    pub(super) others_wrong: usize,
    pub(super) spent: Spent,
    /// What must not happen.
    pub(super) faults: Vec<String>,
}

impl Outcome {
    pub(super) async fn of(
        world: &World,
        site: &mut Site,
        market: &Market,
        others: &Others,
        log: &Log,
        calendar: &Calendar,
    ) -> Self {
        site.mirrored(world).await;
        let state = world.network.state().unwrap();
        let mut faults = Vec::new();
        let spent = Spent::of(site).await;
        faults.extend(
            spent
                .unfinished
                .iter()
                .map(|left| format!("unfinished: {left}")),
        );
        let (unclaimed, frozen) = unpaid(&state, market, &mut faults);
        let books = Books::of(world, site, market, &state, &mut faults).await;
        let side = |side| site.state.disputes(&site.nodes, side, Page::first(10_000));
        let by_us = side(DisputeSide::Plaintiff).await.unwrap();
        for dispute in &by_us {
            faults.push(format!("a dispute of ours: {dispute:?}"));
        }
        let against_us = side(DisputeSide::Defendant).await.unwrap();
        let other = log.pauses.iter().filter(|pause| !pause.contains("dispute"));
        faults.extend(other.map(|pause| format!("a pause: {pause}")));
        let (gas, least_gas) = (spent.gas(), spent.least_gas(calendar, false));
        if gas * 100 > least_gas * (100 + market.size.gas_margin) {
            faults.push(format!("{gas} MIST of gas for what needs {least_gas}"));
        }
        Self {
            bought: market.orders.len(),
            settled: spent.settled.len(),
            attested: spent.attested.len(),
            late: late(site, &spent, calendar).await,
            slashed: books.slashed,
            forfeited: books.forfeited,
            disputes_by_us: by_us.len(),
            disputes_against_us: against_us.len(),
            paid: world.usdc_of(site.operator().ports().signer.address()),
            unclaimed,
            frozen,
            refused: market.refused * PRICE / 1_000_000,
            lost_shares: books.lost_shares,
            gas,
            least_gas,
            least_gas_of_waiting: spent.least_gas(calendar, true),
            transactions: spent.duties().count(),
            crashes: log.crashes,
            pauses: log.pauses.len(),
            treasury_short: log.treasury_short,
            others_late: others.late,
            others_wrong: others.wrong,
            spent,
            faults,
        }
    }
}

/// What so many units of a stack are worth, in micro-USDC.
pub(super) fn worth(market: &Market, stack: StackSmallId, units: u64) -> u64 {
    let order = &market.orders[&stack];
    match LEVELS[order.task] {
        2 => units * order.price * 12 / 10_000_000,
        _ => units * order.price / 1_000_000,
    }
}

/// What our nodes have served and was not paid by the network's state: what the contract would pay, and what it would not.
fn unpaid(state: &Value, market: &Market, faults: &mut Vec<String>) -> (u64, u64) {
    let (mut unclaimed, mut frozen) = (0, 0);
    for (stack, order) in market.orders.iter().filter(|(id, _)| market.is_ours(**id)) {
        let units = market.units_of(*stack).get();
        let entry = &state["stacks"][stack.to_string()];
        // A claim deletes a settled stack and marks a confidential one.
        if units == 0 || entry.is_null() || entry["is_claimed"] == true {
            continue;
        }
        let ticket = &state["tickets"][stack.to_string()];
        let task = &state["tasks"][market.tasks[order.task].to_string()];
        let worth = worth(market, *stack, units);
        if ticket["is_in_dispute"] == true {
            frozen += worth;
        } else {
            unclaimed += worth;
            let is_removed = task.is_null();
            faults.push(format!(
                "stack {stack} of {order:?} is not paid (task removed: {is_removed}): {ticket}"
            ));
        }
    }
    (unclaimed, frozen)
}

/// How many attestations came in the epoch in which the stack could be claimed already.
async fn late(site: &Site, spent: &Spent, calendar: &Calendar) -> usize {
    let stacks: Vec<_> = spent.attested.keys().map(|(stack, _)| *stack).collect();
    let mut claimable = BTreeMap::new();
    for part in stacks.chunks(1_000) {
        for settlement in site.state.settlements_by_id(part).await.unwrap() {
            let epoch = settlement.dispute_settled_at_epoch;
            claimable.insert(settlement.stack_small_id, epoch);
        }
    }
    let late = spent.attested.iter().filter(|((stack, _), at)| {
        let at = at.map(|at| calendar.epoch_of(at));
        at.zip(claimable.get(stack))
            .is_some_and(|(at, claimable)| at >= *claimable)
    });
    late.count()
}
