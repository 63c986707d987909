//! The contract's objects that a node reads before it acts.

use serde::{Deserialize, Serialize};

use super::Charges;
use crate::{
    ComputeUnits, Epoch, HexBytes, MicroUsdc, NodeSmallId, Permille, PricePerMillion,
    SecurityLevel, StackSmallId, TaskSmallId,
};

/// The parameters of the `AtomaDb` that a node depends on. The manager can change them at any time,
/// so they are read before each use and never assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractParameters {
    /// The probability that a sampling-consensus settlement draws attesters.
    pub cross_validation_probability: Permille,
    /// The number of attesters that it draws (`n` of the commitment).
    pub cross_validation_extra_nodes_count: u64,
    /// The price of a sampling-consensus stack relative to the plain price (1,200 = 120 %).
    pub sampling_consensus_charge: Permille,
    /// The surcharge for its extra nodes.
    pub cross_validation_extra_nodes_charge: Permille,
    /// The number of the network's current key rotation.
    pub key_rotation_counter: u64,
    /// Whether registration is closed.
    pub is_registration_disabled: bool,
    /// The treasury, which pays the claims.
    pub fee_treasury: MicroUsdc,
}

impl From<&ContractParameters> for Charges {
    fn from(parameters: &ContractParameters) -> Self {
        Self {
            sampling_consensus: parameters.sampling_consensus_charge,
            extra_nodes: parameters.cross_validation_extra_nodes_charge,
            extra_nodes_count: parameters.cross_validation_extra_nodes_count,
        }
    }
}

/// A stack in the contract's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackOnChain {
    /// The price.
    pub price_per_one_million_compute_units: PricePerMillion,
    /// The size.
    pub num_compute_units: ComputeUnits,
    /// The node that serves it.
    pub selected_node_id: NodeSmallId,
    /// The task.
    pub task_small_id: TaskSmallId,
    /// Whether it was paid by a confidential claim.
    pub is_claimed: bool,
}

/// A settlement ticket on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketOnChain {
    /// The stack that it settles.
    pub stack_small_id: StackSmallId,
    /// The node that settled it.
    pub selected_node_id: NodeSmallId,
    /// The units that it claims.
    pub num_claimed_compute_units: ComputeUnits,
    /// The nodes that were drawn, in order. A node can occur twice.
    pub requested_attestation_nodes: Vec<NodeSmallId>,
    /// The last epoch to attest in, and the first to claim in.
    pub dispute_settled_at_epoch: Epoch,
    /// The commitment.
    pub committed_stack_proof: HexBytes,
    /// The leaves received so far, 32 bytes each; a missing one is zero.
    pub stack_merkle_leaves: HexBytes,
    /// The nodes that have attested, in order of arrival.
    pub already_attested_nodes: Vec<NodeSmallId>,
    /// Whether its funds are frozen.
    pub is_in_dispute: bool,
}

/// An entry of a task's `subscribed_nodes_small_ids`, with everything that decides whether the
/// contract can draw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriberOnChain {
    /// The node.
    pub node_small_id: NodeSmallId,
    /// The node's price and the largest stack that it accepts. `None` after it has unsubscribed, until
    /// the next purchase removes the entry; a draw that hits such an entry aborts.
    pub offer: Option<(PricePerMillion, ComputeUnits)>,
    /// Whether the node is registered and not disabled.
    pub is_active: bool,
}

/// The number of entries in a task's subscriber list that the contract could draw as attesters for a
/// stack of this price and size (`sample_attestation_nodes`). A node that occurs twice counts twice.
pub fn drawable_attesters(
    subscribers: &[SubscriberOnChain],
    price: PricePerMillion,
    units: ComputeUnits,
) -> u64 {
    let drawable = subscribers.iter().filter(|subscriber| {
        subscriber.is_active
            && subscriber
                .offer
                .is_some_and(|(offered, largest)| offered <= price && largest >= units)
    });
    u64::try_from(drawable.count()).unwrap_or(u64::MAX)
}

/// The fee that the contract pays for `units` of a stack (`calculate_stack_fee_amount`): units × price
/// / 1,000,000, for sampling consensus also times the charge. Each division rounds down. `None` if
/// the contract's 64-bit product would overflow and abort the call.
pub fn stack_fee(
    level: SecurityLevel,
    units: ComputeUnits,
    price: PricePerMillion,
    sampling_charge: Permille,
) -> Option<MicroUsdc> {
    let product = units.get().checked_mul(price.get())?;
    let fee = if level == SecurityLevel::SAMPLING_CONSENSUS {
        product.checked_mul(sampling_charge.get())? / 1_000_000_000
    } else {
        product / 1_000_000
    };
    Some(MicroUsdc::new(fee))
}

/// The price of a stack at the contract's present [charges](Charges); see [`purchase_price`].
pub fn stack_price(
    level: SecurityLevel,
    units: ComputeUnits,
    price: PricePerMillion,
    parameters: &ContractParameters,
) -> Option<MicroUsdc> {
    purchase_price(level, units, price, &Charges::from(parameters))
}

/// The price of a stack: units × price / 1,000,000, and for sampling consensus that times
/// both charges. Each division rounds down. `None` if the contract's 64-bit numbers would overflow and abort the
/// call.
pub fn purchase_price(
    level: SecurityLevel,
    units: ComputeUnits,
    price: PricePerMillion,
    charges: &Charges,
) -> Option<MicroUsdc> {
    let plain = units.get().checked_mul(price.get())? / 1_000_000;
    if level != SecurityLevel::SAMPLING_CONSENSUS {
        return Some(MicroUsdc::new(plain));
    }
    let charge = charges
        .sampling_consensus
        .get()
        .checked_add(charges.extra_nodes.get())?;
    Some(MicroUsdc::new(plain.checked_mul(charge)? / 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber(node: u64, price: Option<u64>, is_active: bool) -> SubscriberOnChain {
        SubscriberOnChain {
            node_small_id: NodeSmallId::new(node),
            offer: price.map(|p| (PricePerMillion::new(p), ComputeUnits::new(1_000_000))),
            is_active,
        }
    }

    #[test]
    fn only_fitting_active_entries_can_be_drawn_and_duplicates_count() {
        let list = [
            subscriber(1, Some(10), true),
            subscriber(2, Some(11), true),
            subscriber(2, Some(10), true),
            subscriber(2, Some(10), true),
            subscriber(3, None, true),
            subscriber(4, Some(1), false),
        ];
        let drawable =
            |units| drawable_attesters(&list, PricePerMillion::new(10), ComputeUnits::new(units));
        assert_eq!(drawable(1_000_000), 3);
        assert_eq!(drawable(1_000_001), 0);
    }

    #[test]
    fn fees_round_down_once_and_refuse_overflow() {
        let fee = |level, units, price| {
            stack_fee(
                level,
                ComputeUnits::new(units),
                PricePerMillion::new(price),
                Permille::new(1200),
            )
            .map(MicroUsdc::get)
        };
        assert_eq!(fee(SecurityLevel::NONE, 654_321, 7919), Some(5181));
        assert_eq!(
            fee(SecurityLevel::SAMPLING_CONSENSUS, 499_979, 31_337),
            Some(18_801)
        );
        assert_eq!(fee(SecurityLevel::NONE, u64::MAX, 2), None);
    }
}
