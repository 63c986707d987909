//! Sums over the database, for metrics.

use std::collections::BTreeMap;

use crate::journal::IntentStatus;
use crate::{
    ComputeUnits, Epoch, MicroUsdc, NodeSmallId, Permille, PricePerMillion, SecurityLevel,
};

/// Price units of a million compute units, times permille.
const SAMPLED_SCALE: u128 = 1_000_000_000;
const PLAIN_SCALE: u128 = 1_000_000;

/// What the database holds, in numbers that agree with each other: they are read at the same moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreFigures {
    /// How many intents the journal has, by status.
    pub intents: BTreeMap<IntentStatus, u64>,
    /// The sums of each node that was asked for.
    pub nodes: BTreeMap<NodeSmallId, NodeFigures>,
    /// How many differences between the mirror and the contract were ever repaired, by the name of their
    /// [kind](crate::reconciliation::DifferenceKind).
    pub differences: BTreeMap<String, u64>,
    /// The size of the database in bytes, without its write-ahead log.
    pub database_bytes: u64,
}

/// The sums of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeFigures {
    /// Its stacks: those for which it is the selected node.
    pub stacks: BTreeMap<StackPhase, StackSums>,
    /// Tickets whose attestation by this node is missing and safe to send: their epoch of settlement goes on.
    pub attestations_due: u64,
    /// Tickets whose attestation by this node is missing and can still arrive, but not surely before a claim.
    pub attestations_overdue: u64,
    /// Unresolved disputes about its stacks.
    pub disputes_against: u64,
    /// Unresolved disputes that it raised.
    pub disputes_raised: u64,
}

/// How far a stack is on its way to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StackPhase {
    /// It has no ticket.
    Open,
    /// It has a ticket that can't be claimed yet.
    Settled,
    /// Its ticket can be claimed, as far as the epoch and disputes tell.
    Claimable,
    /// A dispute freezes its funds.
    Disputed,
    /// It was claimed.
    Claimed,
}

impl StackPhase {
    /// All phases, in order.
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::Settled,
        Self::Claimable,
        Self::Disputed,
        Self::Claimed,
    ];

    /// The phase of an unclaimed stack in epoch `now`. `claimable_from` is its ticket's epoch, if it has a
    /// ticket.
    pub fn of_unclaimed(now: Epoch, claimable_from: Option<Epoch>, is_in_dispute: bool) -> Self {
        match claimable_from {
            None => Self::Open,
            Some(_) if is_in_dispute => Self::Disputed,
            Some(epoch) if epoch > now => Self::Settled,
            Some(_) => Self::Claimable,
        }
    }

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Settled => "settled",
            Self::Claimable => "claimable",
            Self::Disputed => "disputed",
            Self::Claimed => "claimed",
        }
    }
}

/// Sums over stacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StackSums {
    /// How many there are.
    pub stacks: u64,
    /// The units that their selected nodes recorded.
    pub served_units: u128,
    /// What the units to be paid are worth: those claimed by the ticket, or those recorded while there is
    /// none.
    pub worth: Worth,
}

impl StackSums {
    /// The sums of one stack.
    pub fn of(
        served: ComputeUnits,
        paid: ComputeUnits,
        price: PricePerMillion,
        security_level: Option<SecurityLevel>,
    ) -> Self {
        Self {
            stacks: 1,
            served_units: u128::from(served.get()),
            worth: Worth::of(paid, price, security_level),
        }
    }

    /// The sums of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            stacks: self.stacks.saturating_add(other.stacks),
            served_units: self.served_units.saturating_add(other.served_units),
            worth: Worth {
                plain: self.worth.plain.saturating_add(other.worth.plain),
                sampled: self.worth.sampled.saturating_add(other.worth.sampled),
            },
        }
    }
}

/// Units times their price per million, before the contract divides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worth {
    /// Of tasks without sampling consensus.
    pub plain: u128,
    /// Of tasks with sampling consensus, before the contract's charge.
    pub sampled: u128,
}

impl Worth {
    /// The worth of some units. A task that the mirror doesn't know counts as one without sampling consensus.
    pub fn of(
        units: ComputeUnits,
        price: PricePerMillion,
        security_level: Option<SecurityLevel>,
    ) -> Self {
        let worth = u128::from(units.get()) * u128::from(price.get());
        if security_level == Some(SecurityLevel::SAMPLING_CONSENSUS) {
            Self {
                plain: 0,
                sampled: worth,
            }
        } else {
            Self {
                plain: worth,
                sampled: 0,
            }
        }
    }

    /// The fee for it, to within one micro-USDC a stack: the contract divides for each stack, this divides the
    /// sum. `charge` is the contract's `permille_for_sampling_consensus_charge` today. Saturates at the
    /// largest amount.
    pub fn fee(self, charge: Permille) -> MicroUsdc {
        let plain = self.plain / PLAIN_SCALE;
        let charge = u128::from(charge.get());
        // What overflows as a product is large enough to be divided first.
        let sampled = self.sampled.checked_mul(charge).map_or_else(
            || (self.sampled / SAMPLED_SCALE).saturating_mul(charge),
            |product| product / SAMPLED_SCALE,
        );
        MicroUsdc::new(u64::try_from(plain.saturating_add(sampled)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_follow_the_contract() {
        let worth = |level| {
            let (units, price) = (ComputeUnits::new(1_500_000), PricePerMillion::new(7));
            Worth::of(units, price, level)
        };
        let charge = Permille::new(1_100);
        assert_eq!(worth(None).fee(charge), MicroUsdc::new(10));
        assert_eq!(
            worth(Some(SecurityLevel::CONFIDENTIAL_COMPUTE)).fee(charge),
            MicroUsdc::new(10)
        );
        assert_eq!(
            worth(Some(SecurityLevel::SAMPLING_CONSENSUS)).fee(charge),
            MicroUsdc::new(11)
        );
    }

    #[test]
    fn huge_fees_saturate() {
        let largest = Worth {
            plain: u128::MAX,
            sampled: u128::MAX,
        };
        assert_eq!(largest.fee(Permille::new(u64::MAX)).get(), u64::MAX);
        let sums = StackSums {
            stacks: u64::MAX,
            served_units: u128::MAX,
            worth: largest,
        };
        assert_eq!(sums.plus(sums), sums);
    }

    #[test]
    fn a_ticket_is_claimable_from_its_epoch_on() {
        let phase = |epoch, is_in_dispute| {
            StackPhase::of_unclaimed(Epoch::new(5), Some(Epoch::new(epoch)), is_in_dispute)
        };
        assert_eq!(phase(6, false), StackPhase::Settled);
        assert_eq!(phase(5, false), StackPhase::Claimable);
        assert_eq!(phase(4, false), StackPhase::Claimable);
        assert_eq!(phase(5, true), StackPhase::Disputed);
        let without_ticket = StackPhase::of_unclaimed(Epoch::new(5), None, false);
        assert_eq!(without_ticket, StackPhase::Open);
    }
}
