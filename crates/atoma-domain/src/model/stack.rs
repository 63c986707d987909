//! Stacks and the operator's own nodes.

use serde::{Deserialize, Serialize};

use crate::{
    Address, ComputeUnits, Hash32, NodeSmallId, ObjectId, PricePerMillion, StackSmallId,
    TaskSmallId,
};

/// A stack: prepaid compute units for one task, served by one selected node, together with that
/// node's record of the work done for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Its small id.
    pub stack_small_id: StackSmallId,
    /// Its badge's object id.
    pub stack_id: ObjectId,
    /// The buyer.
    pub owner_address: Address,
    /// Its task.
    pub task_small_id: TaskSmallId,
    /// The node that serves it.
    pub selected_node_id: NodeSmallId,
    /// The units bought.
    pub num_compute_units: ComputeUnits,
    /// Its price.
    pub price_per_one_million_compute_units: PricePerMillion,
    /// The units that its selected node has recorded.
    pub already_computed_units: ComputeUnits,
    /// The number of recorded messages.
    pub num_total_messages: u64,
    /// Their Merkle root; `None` without messages.
    pub merkle_root: Option<Hash32>,
    /// Whether a settlement ticket exists.
    pub in_settle_period: bool,
    /// Whether it was claimed.
    pub is_claimed: bool,
}

impl Stack {
    /// Whether more than `fraction` (0 to 1) of it is computed. The comparison is exact for all
    /// 64-bit sizes.
    pub fn is_filled_beyond(&self, fraction: f64) -> bool {
        beyond(
            self.already_computed_units.get(),
            self.num_compute_units.get(),
            fraction,
        )
    }
}

/// `computed / total > fraction`. Both sides are scaled by 2⁶⁴, which makes it a comparison of
/// integers.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the float is clamped to 0..=1 and scaled to at most 2^64, which fits in u128"
)]
fn beyond(computed: u64, total: u64, fraction: f64) -> bool {
    const SCALE: f64 = 18_446_744_073_709_551_616.0;
    let threshold = (fraction.clamp(0.0, 1.0) * SCALE) as u128;
    if threshold >> 64 == 1 {
        return computed > total;
    }
    // Below 2^64, so neither product overflows.
    (u128::from(computed) << 64) > threshold * u128::from(total)
}

/// A node of the daemon's operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorNode {
    /// Its small id.
    pub node_small_id: NodeSmallId,
    /// Its badge.
    pub node_badge_id: ObjectId,
    /// The address that owns the badge.
    pub address: Address,
}

#[cfg(test)]
mod tests {
    use super::beyond;

    #[test]
    fn fractions_compare_exactly() {
        assert!(beyond(1, 2, 0.25));
        assert!(!beyond(1, 2, 0.5));
        assert!(beyond(u64::MAX, u64::MAX, 0.999_999_999));
        assert!(!beyond(u64::MAX, u64::MAX, 1.0));
        assert!(beyond((1 << 63) + 1, u64::MAX, 0.5));
        assert!(!beyond((1 << 63) - 1, u64::MAX, 0.5));
        assert!(!beyond(0, 0, 0.0));
        assert!(beyond(1, u64::MAX, 0.0));
    }
}
