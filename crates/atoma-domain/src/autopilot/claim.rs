//! When a settled stack can be claimed. Whether it pays is weighed with the node's other claims.

use super::circumstances::Circumstances;
use super::duty::{Obstacle, Standing, WaitsFor, Why};
use super::policy::DutyPolicies;
use super::unpaid_stack::UnpaidTicket;
use crate::model::Task;

/// How the claim of a settled stack stands, by itself.
pub(super) fn claim_standing(
    ticket: &UnpaidTicket,
    task: &Task,
    policies: &DutyPolicies,
    at: &Circumstances<'_>,
) -> Standing {
    let claimable_from = ticket.dispute_settled_at_epoch;
    if ticket.is_in_dispute {
        return Standing::Blocked(Obstacle::InDispute);
    }
    if !policies.claim.is_on {
        return Standing::waiting(WaitsFor::TurnedOff);
    }
    if at.moment.epoch() < claimable_from {
        return Standing::Waiting {
            waits_for: WaitsFor::ClaimableEpoch {
                epoch: claimable_from,
            },
            until: at.moment.beginning_of(claimable_from),
        };
    }
    if task.deprecated_at_epoch.is_some() {
        return Standing::Due(Why::TaskDeprecated);
    }
    let is_last_epoch_to_attest = at.moment.epoch() == claimable_from;
    let own = ticket
        .missing_attesters
        .iter()
        .find(|missing| at.own_nodes.contains(missing));
    if let Some(node) = own
        && is_last_epoch_to_attest
        && policies.attest.is_on
    {
        // The claim takes the share of an attester that is missing, and pays nobody for it.
        return Standing::Waiting {
            waits_for: WaitsFor::OwnAttestation { node: *node },
            until: at.moment.epoch_ends_at(),
        };
    }
    Standing::Due(Why::Pays)
}
