//! Whether what is due is worth its gas, and whether gas may be spent on it.

use std::collections::BTreeMap;

use super::circumstances::Circumstances;
use super::duty::{Duty, DutyKind, Standing, WaitsFor, Why};
use super::policy::ClaimPolicy;
use crate::{MicroUsdc, Mist, NodeSmallId, TimestampMs};

/// Puts off what is due and does not pay: settlements that earn less than their gas and that of their claim, and the claims
/// of a node that are worth too little, together with the shares that they collect. Shares are withdrawn by themselves if the
/// node claims nothing. What the contract would pay at any time waits for claims that the node makes in the next epoch anyway.
/// Puts off what would take the gas that attestations may need.
///
/// What is under way, or waits for something else than reservations, is neither changed nor counted among the claims.
pub fn weigh(duties: &mut [Duty], at: &Circumstances<'_>) {
    for duty in wanted(duties) {
        let least = match duty.kind {
            DutyKind::Attest => continue,
            DutyKind::Settle => at.gas.settle.saturating_add(at.gas.claim_stack),
            DutyKind::Claim => at.gas.claim_stack,
            DutyKind::Withdraw => at.gas.withdraw(),
        };
        if proceeds(duty) <= at.policy.gas.price_of(least) {
            duty.standing = Standing::waiting(WaitsFor::CheaperGas);
        }
    }
    weigh_payments(duties, at);
    ration(duties, at);
}

/// What is due, now or once its reservations have ended: no stack is closed to them for nothing.
fn wanted(duties: &mut [Duty]) -> impl Iterator<Item = &mut Duty> {
    let duties = duties.iter_mut();
    duties.filter(|duty| duty.standing.is_due_or_drains())
}

/// What the contract may pay a node.
#[derive(Default)]
struct Payments<'d> {
    claims: Vec<&'d mut Duty>,
    withdrawal: Option<&'d mut Duty>,
    is_claiming: bool,
    /// When the next epoch is expected to begin, if the contract pays claims of the node from then on.
    next: Option<Option<TimestampMs>>,
}

/// Weighs the claims and the shares of each node together.
fn weigh_payments(duties: &mut [Duty], at: &Circumstances<'_>) {
    let mut nodes: BTreeMap<NodeSmallId, Payments<'_>> = BTreeMap::new();
    for duty in duties.iter_mut() {
        let is_wanted = duty.standing.is_due_or_drains();
        match duty.kind {
            DutyKind::Claim if is_wanted => {
                let node = nodes.entry(duty.node_small_id).or_default();
                node.claims.push(duty);
            }
            DutyKind::Claim if duty.standing == Standing::waiting(WaitsFor::UnderWay) => {
                nodes.entry(duty.node_small_id).or_default().is_claiming = true;
            }
            DutyKind::Claim => {
                if let Standing::Waiting {
                    waits_for: WaitsFor::ClaimableEpoch { .. },
                    until,
                } = duty.standing
                {
                    nodes.entry(duty.node_small_id).or_default().next = Some(until);
                }
            }
            DutyKind::Withdraw if is_wanted => {
                let node = nodes.entry(duty.node_small_id).or_default();
                node.withdrawal = Some(duty);
            }
            _ => {}
        }
    }
    for payments in nodes.into_values() {
        payments.weigh(at);
    }
}

impl Payments<'_> {
    fn weigh(self, at: &Circumstances<'_>) {
        let Self {
            claims,
            withdrawal,
            is_claiming,
            next,
        } = self;
        if let Some(until) = next
            && !is_claiming
            && claims.iter().all(|claim| is_patient(claim, at))
        {
            for duty in claims.into_iter().chain(withdrawal) {
                let waits_for = WaitsFor::NextClaim;
                duty.standing = Standing::Waiting { waits_for, until };
            }
            return;
        }
        let shares = withdrawal.as_deref().map_or(MicroUsdc::ZERO, proceeds);
        let count = u64::try_from(claims.len()).unwrap_or(u64::MAX);
        let gas = at.policy.gas.price_of(at.gas.claims(count));
        // A claim pays the node's shares too.
        let worth = claims
            .iter()
            .fold(shares, |sum, claim| sum.saturating_add(proceeds(claim)));
        // A claim that is made anyway takes all others of the node along.
        let urgent = claims
            .iter()
            .map(|claim| urgency(claim, worth, gas, at))
            .max()
            .unwrap_or(Urgency::None);
        if let Some(duty) = withdrawal {
            let gas = at.policy.gas.price_of(at.gas.withdraw());
            if is_claiming || urgent != Urgency::None {
                duty.standing = Standing::waiting(WaitsFor::NextClaim);
            } else if !pays(shares, gas, &at.policy.duties.claim) {
                duty.standing = Standing::waiting(WaitsFor::MoreProceeds);
            }
        }
        for claim in claims {
            claim.standing = match (urgent, claim.standing) {
                (Urgency::None, _) => Standing::waiting(WaitsFor::MoreProceeds),
                (Urgency::Wait, Standing::Due(Why::Pays)) => Standing::Due(Why::WaitedLongEnough),
                (_, standing) => standing,
            };
        }
    }
}

/// Whether a claim loses nothing by waiting for those of the next epoch: it has no ticket, its task does not end, and it has not
/// waited for long.
fn is_patient(claim: &Duty, at: &Circumstances<'_>) -> bool {
    let is_urgent = matches!(
        claim.standing,
        Standing::Due(Why::Pays | Why::TaskDeprecated)
    );
    !is_urgent && !has_waited(claim, at)
}

fn has_waited(claim: &Duty, at: &Circumstances<'_>) -> bool {
    let longest = at.policy.of_task(claim.task_small_id).claim.longest_wait;
    claim
        .since
        .is_some_and(|since| at.moment.is_after(since, longest))
}

/// Why the claims of a node are made, the weakest reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    None,
    Wait,
    Pays,
}

/// What one of a node's claims says about all of them. `worth` and `gas` are those of all.
fn urgency(claim: &Duty, worth: MicroUsdc, gas: MicroUsdc, at: &Circumstances<'_>) -> Urgency {
    let policy = &at.policy.of_task(claim.task_small_id).claim;
    if pays(worth, gas, policy) {
        return Urgency::Pays;
    }
    let is_last_chance = claim.standing == Standing::Due(Why::TaskDeprecated);
    match worth > gas && (is_last_chance || has_waited(claim, at)) {
        true => Urgency::Wait,
        false => Urgency::None,
    }
}

/// Whether something is worth its gas as many times as a policy wants.
fn pays(worth: MicroUsdc, gas: MicroUsdc, policy: &ClaimPolicy) -> bool {
    let wanted = u128::from(gas.get()) * u128::from(policy.gas_factor);
    u128::from(worth.get()) >= wanted
}

/// Puts off what would take the gas that is kept for attestations. Payments come first.
fn ration(duties: &mut [Duty], at: &Circumstances<'_>) {
    let Some(mut left) = at.spendable() else {
        return;
    };
    let gas_of = |kind| match kind {
        DutyKind::Attest => Mist::ZERO,
        DutyKind::Settle => at.gas.settle,
        DutyKind::Claim => at.gas.claim_stack,
        DutyKind::Withdraw => at.gas.withdraw(),
    };
    for duty in duties.iter() {
        if duty.standing == Standing::waiting(WaitsFor::UnderWay) {
            left = left.saturating_sub(gas_of(duty.kind));
        }
    }
    for kind in [DutyKind::Claim, DutyKind::Withdraw, DutyKind::Settle] {
        let gas = gas_of(kind);
        for duty in wanted(duties).filter(|duty| duty.kind == kind) {
            match left.checked_sub(gas) {
                Ok(rest) => left = rest,
                Err(_) => duty.standing = Standing::waiting(WaitsFor::GasReserve),
            }
        }
    }
}

fn proceeds(duty: &Duty) -> MicroUsdc {
    duty.proceeds.unwrap_or(MicroUsdc::ZERO)
}
