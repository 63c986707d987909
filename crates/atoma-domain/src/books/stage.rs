//! How far a stack is, and why it stands still.

use crate::model::{Settlement, Stack, Task};
use crate::{Epoch, NodeSmallId, TimestampMs};

/// How far a stack is on its way from purchase to payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// It was bought.
    Bought,
    /// Work for it was recorded.
    Served,
    /// It was settled, and attestations are missing.
    Settled,
    /// All requested attestations have arrived.
    Attested,
    /// Its epoch has come: it can be claimed.
    Claimable,
    /// It was claimed.
    Claimed,
    /// It was claimed, and the payment arrived to the last unit.
    Paid,
}

impl Stage {
    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bought => "bought",
            Self::Served => "served",
            Self::Settled => "settled",
            Self::Attested => "attested",
            Self::Claimable => "claimable",
            Self::Claimed => "claimed",
            Self::Paid => "paid",
        }
    }
}

/// Why a stack stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standstill {
    /// Nothing was served for it yet.
    NotServed,
    /// Units are reserved, so it can't be settled.
    Reserved,
    /// It was served and not settled.
    NotSettled,
    /// It waits for these nodes to attest, until it can be claimed without them.
    MissingAttestations {
        /// The drawn nodes that have not attested.
        missing: Vec<NodeSmallId>,
        /// From this epoch on it can be claimed without them.
        until: Epoch,
    },
    /// It can be claimed from this epoch on.
    Epoch {
        /// The epoch.
        from: Epoch,
    },
    /// It can be claimed, and nobody has.
    NotClaimed,
    /// It is in dispute, which this revision of the contract can't resolve: its funds are frozen.
    Disputed,
    /// Its task was removed: it can neither be settled nor claimed.
    TaskRemoved,
}

impl Standstill {
    /// Its name in the API.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotServed => "not_served",
            Self::Reserved => "reserved",
            Self::NotSettled => "not_settled",
            Self::MissingAttestations { .. } => "missing_attestations",
            Self::Epoch { .. } => "epoch",
            Self::NotClaimed => "not_claimed",
            Self::Disputed => "disputed",
            Self::TaskRemoved => "task_removed",
        }
    }
}

/// What is known of a stack at one moment.
#[derive(Clone, Copy, Debug)]
pub struct StackFacts<'a> {
    /// The stack; `None` if it was bought before the mirror begins.
    pub stack: Option<&'a Stack>,
    /// Its settlement, if it was settled.
    pub settlement: Option<&'a Settlement>,
    /// Its task, if it is known.
    pub task: Option<&'a Task>,
    /// The epoch.
    pub epoch: Epoch,
    /// The time.
    pub now: TimestampMs,
    /// Whether the books found that the payment of its claim arrived to the last unit.
    pub is_paid: bool,
}

/// How far a stack is, and why it stands still; `None` once it was claimed.
pub fn standing(facts: &StackFacts<'_>) -> (Stage, Option<Standstill>) {
    let is_claimed = facts.stack.is_some_and(|stack| stack.is_claimed)
        || facts
            .settlement
            .is_some_and(|settlement| settlement.is_claimed);
    if is_claimed {
        let stage = match facts.is_paid {
            true => Stage::Paid,
            false => Stage::Claimed,
        };
        return (stage, None);
    }
    let (stage, why) = match facts.settlement {
        Some(settlement) => of_settled(settlement, facts.epoch),
        None => of_unsettled(facts),
    };
    let is_removed = facts
        .task
        .is_some_and(|task| task.removed_at_epoch.is_some());
    (
        stage,
        Some(if is_removed {
            Standstill::TaskRemoved
        } else {
            why
        }),
    )
}

fn of_settled(settlement: &Settlement, now: Epoch) -> (Stage, Standstill) {
    let is_due = now >= settlement.dispute_settled_at_epoch;
    let complete = match settlement.is_complete() {
        true => Stage::Attested,
        false => Stage::Settled,
    };
    if settlement.is_in_dispute {
        return (complete, Standstill::Disputed);
    }
    if is_due {
        return (Stage::Claimable, Standstill::NotClaimed);
    }
    let from = settlement.dispute_settled_at_epoch;
    let requested = &settlement.requested_attestation_nodes;
    let mut missing: Vec<_> = requested
        .iter()
        .copied()
        .filter(|node| !settlement.attested_nodes.contains(node))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    let why = match missing.is_empty() {
        true => Standstill::Epoch { from },
        false => Standstill::MissingAttestations {
            missing,
            until: from,
        },
    };
    (complete, why)
}

fn of_unsettled(facts: &StackFacts<'_>) -> (Stage, Standstill) {
    let Some(stack) = facts.stack else {
        return (Stage::Bought, Standstill::NotServed);
    };
    let is_reserved = stack.reserved_units(facts.now).get() > 0;
    match (stack.num_total_messages, is_reserved) {
        (0, false) => (Stage::Bought, Standstill::NotServed),
        (0, true) => (Stage::Bought, Standstill::Reserved),
        (_, true) => (Stage::Served, Standstill::Reserved),
        (_, false) => (Stage::Served, Standstill::NotSettled),
    }
}
