//! Whether what is due is worth its gas, and whether gas may be spent on it.

use std::collections::BTreeMap;

use super::circumstances::Circumstances;
use super::duty::{Duty, DutyKind, Standing, WaitsFor, Why};
use super::policy::ClaimPolicy;
use crate::{MicroUsdc, NodeSmallId};

/// Puts off what is due and does not pay: settlements that earn less than their gas and that of their claim, and the claims
/// of a node that are worth too little, together with the shares that they collect. Shares are withdrawn by themselves if the
/// node claims nothing now. Puts off everything but attestations if the coins are needed for these.
pub fn weigh(duties: &mut [Duty], at: &Circumstances<'_>) {
    let is_short = at
        .balance
        .is_some_and(|balance| balance < at.policy.gas.reserve);
    for duty in duties.iter_mut().filter(|duty| is_due_or_drains(duty)) {
        if is_short && duty.kind != DutyKind::Attest {
            duty.standing = Standing::waiting(WaitsFor::GasReserve);
            continue;
        }
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
    weigh_claims(duties, at);
}

/// Weighs the claims of each node together.
fn weigh_claims(duties: &mut [Duty], at: &Circumstances<'_>) {
    let mut nodes: BTreeMap<NodeSmallId, Vec<&mut Duty>> = BTreeMap::new();
    for duty in duties.iter_mut() {
        if matches!(duty.kind, DutyKind::Claim | DutyKind::Withdraw) && is_due(duty) {
            nodes.entry(duty.node_small_id).or_default().push(duty);
        }
    }
    for duties in nodes.into_values() {
        let (claims, withdrawal): (Vec<_>, Vec<_>) = duties
            .into_iter()
            .partition(|duty| duty.kind == DutyKind::Claim);
        let shares = withdrawal.iter().map(|duty| proceeds(duty));
        let shares = shares.fold(MicroUsdc::ZERO, MicroUsdc::saturating_add);
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
        for duty in withdrawal {
            duty.standing = if urgent != Urgency::None {
                Standing::waiting(WaitsFor::NextClaim)
            } else if pays(
                shares,
                at.policy.gas.price_of(at.gas.withdraw()),
                at.policy.duties.claim,
            ) {
                Standing::Due(Why::Pays)
            } else {
                Standing::waiting(WaitsFor::MoreProceeds)
            };
        }
        for claim in claims {
            claim.standing = match (urgent, claim.standing) {
                (Urgency::None, _) => Standing::waiting(WaitsFor::MoreProceeds),
                (_, Standing::Due(Why::Pays)) if urgent == Urgency::Wait => {
                    Standing::Due(Why::WaitedLongEnough)
                }
                (_, standing) => standing,
            };
        }
    }
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
    let policies = at.policy.of_task(claim.task_small_id);
    let policy = policies.claim.unwrap_or_default();
    if pays(worth, gas, policies.claim) {
        return Urgency::Pays;
    }
    let is_last_chance = claim.standing == Standing::Due(Why::TaskDeprecated);
    let has_waited = claim
        .since
        .is_some_and(|since| at.moment.is_after(since, policy.longest_wait));
    match worth > gas && (is_last_chance || has_waited) {
        true => Urgency::Wait,
        false => Urgency::None,
    }
}

/// Whether something is worth its gas as many times as a policy wants.
fn pays(worth: MicroUsdc, gas: MicroUsdc, policy: Option<ClaimPolicy>) -> bool {
    let factor = policy.unwrap_or_default().gas_factor;
    u128::from(worth.get()) >= u128::from(gas.get()) * u128::from(factor)
}

/// Also what is due once its reservations have ended: no stack is closed to them for nothing.
const fn is_due_or_drains(duty: &Duty) -> bool {
    matches!(
        duty.standing,
        Standing::Due(_)
            | Standing::Waiting {
                waits_for: WaitsFor::Reservations,
                ..
            }
    )
}

const fn is_due(duty: &Duty) -> bool {
    matches!(duty.standing, Standing::Due(_))
}

fn proceeds(duty: &Duty) -> MicroUsdc {
    duty.proceeds.unwrap_or(MicroUsdc::ZERO)
}
