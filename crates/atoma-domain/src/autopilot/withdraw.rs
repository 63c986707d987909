//! When the shares that the contract owes a node are collected. Whether that pays is weighed with the node's claims.

use std::collections::BTreeMap;

use super::circumstances::Circumstances;
use super::duty::{Duty, DutyKind, Standing, WaitsFor, Why};
use crate::{MicroUsdc, NodeSmallId};

/// The withdrawals of what the contract owes the nodes, before they are [weighed](super::weigh).
pub fn withdrawal_duties(
    shares: &BTreeMap<NodeSmallId, MicroUsdc>,
    at: &Circumstances<'_>,
) -> impl Iterator<Item = Duty> {
    let standing = match at.policy.duties.claim.is_on {
        true => Standing::Due(Why::Pays),
        false => Standing::waiting(WaitsFor::TurnedOff),
    };
    let owed = shares.iter().filter(|(_, owed)| **owed > MicroUsdc::ZERO);
    owed.map(move |(node, owed)| Duty {
        kind: DutyKind::Withdraw,
        stack_small_id: None,
        task_small_id: None,
        node_small_id: *node,
        standing,
        deadline: None,
        proceeds: Some(*owed),
        since: None,
    })
}
