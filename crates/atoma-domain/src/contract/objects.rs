//! What a node reads from the contract's objects before it acts.

use serde::{Deserialize, Serialize};

use crate::{
    ComputeUnits, Epoch, HexBytes, MicroUsdc, NodeSmallId, Permille, PricePerMillion,
    SecurityLevel, StackSmallId, TaskSmallId,
};

/// The `AtomaDb`'s parameters that a node depends on. The manager can change them at any time:
/// read them, never assume them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractParameters {
    /// How often a sampling-consensus settlement draws attesters.
    pub cross_validation_probability: Permille,
    /// How many attesters it draws (`n` of the commitment).
    pub cross_validation_extra_nodes_count: u64,
    /// What a sampling-consensus stack costs over the plain price (1,200 = 120 %).
    pub sampling_consensus_charge: Permille,
    /// What its extra nodes add to that.
    pub cross_validation_extra_nodes_charge: Permille,
    /// The network's key rotation.
    pub key_rotation_counter: u64,
    /// Whether registration is closed.
    pub is_registration_disabled: bool,
    /// What the treasury holds to pay claims from.
    pub fee_treasury: MicroUsdc,
}

/// A stack as it stands in the contract's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackOnChain {
    /// Its price.
    pub price_per_one_million_compute_units: PricePerMillion,
    /// Its size.
    pub num_compute_units: ComputeUnits,
    /// Who serves it.
    pub selected_node_id: NodeSmallId,
    /// Its task.
    pub task_small_id: TaskSmallId,
    /// Whether a confidential claim has paid it out.
    pub is_claimed: bool,
}

/// A settlement ticket as it stands on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketOnChain {
    /// The stack it settles.
    pub stack_small_id: StackSmallId,
    /// Who settled it.
    pub selected_node_id: NodeSmallId,
    /// How much it claims.
    pub num_claimed_compute_units: ComputeUnits,
    /// Who was drawn, in order; a node can stand here twice.
    pub requested_attestation_nodes: Vec<NodeSmallId>,
    /// The last epoch to attest in, and the first to claim in.
    pub dispute_settled_at_epoch: Epoch,
    /// The commitment.
    pub committed_stack_proof: HexBytes,
    /// The leaves received, 32 bytes each, zero where none has come.
    pub stack_merkle_leaves: HexBytes,
    /// Who has attested, in order of arrival.
    pub already_attested_nodes: Vec<NodeSmallId>,
    /// Whether its funds are frozen.
    pub is_in_dispute: bool,
}

/// One entry of a task's `subscribed_nodes_small_ids` with what decides whether it can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriberOnChain {
    /// The node.
    pub node_small_id: NodeSmallId,
    /// Its price and the largest stack it takes; `None` when it has unsubscribed and no purchase
    /// has swept it from the list since. A draw that meets such an entry aborts.
    pub offer: Option<(PricePerMillion, ComputeUnits)>,
    /// Whether the node is registered and not disabled.
    pub is_active: bool,
}

/// How many entries of the task's subscriber list the contract could draw attesters from, for a
/// stack of that price and size (`sample_attestation_nodes`). A node that stands in the list twice
/// counts twice.
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

/// What the contract pays for `units` of a stack (`calculate_stack_fee_amount`): units × price
/// / 1,000,000, for sampling consensus times the charge, each division rounded down. `None` where
/// the contract's 64-bit product overflows and the call would abort.
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
