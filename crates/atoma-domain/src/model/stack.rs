//! Stacks and the operator's own nodes.

use serde::{Deserialize, Serialize};

use crate::{
    Address, ComputeUnits, Hash32, NodeSmallId, ObjectId, PricePerMillion, StackSmallId,
    TaskSmallId, TimestampMs,
};

/// A stack: prepaid compute units for one task, served by one selected node, together with that
/// node's record of the work done for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Its small id.
    pub stack_small_id: StackSmallId,
    /// Its badge's object id; `None` if the mirror learned of the stack from the contract's table.
    pub stack_id: Option<ObjectId>,
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
    /// The reservations on it, also those that have expired but have not been ended yet.
    pub reservations: Vec<UnitsOnLease>,
    /// The number of recorded messages.
    pub num_total_messages: u64,
    /// Their Merkle root; `None` without messages.
    pub merkle_root: Option<Hash32>,
    /// Whether an intent of this daemon has closed the record: a settlement, or a claim without one.
    pub is_frozen: bool,
    /// Whether a settlement ticket exists.
    pub in_settle_period: bool,
    /// Whether it was claimed.
    pub is_claimed: bool,
}

/// The units of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsOnLease {
    /// The units set aside.
    pub num_compute_units: ComputeUnits,
    /// From this time on they are free again.
    pub expires_at: TimestampMs,
}

impl Stack {
    /// The units that are reserved at this time.
    pub fn reserved_units(&self, now: TimestampMs) -> ComputeUnits {
        let open = self.reservations.iter().filter(|r| r.expires_at > now);
        // Reservations never exceed the stack, so the sum is exact.
        let sum = open.fold(0_u64, |sum, r| {
            sum.saturating_add(r.num_compute_units.get())
        });
        ComputeUnits::new(sum)
    }

    /// The units that are neither computed nor reserved at this time. Zero once the record is closed or
    /// the stack is claimed.
    pub fn free_units(&self, now: TimestampMs) -> ComputeUnits {
        if self.is_frozen || self.in_settle_period || self.is_claimed {
            return ComputeUnits::ZERO;
        }
        let size = self.num_compute_units.get();
        let rest = size.saturating_sub(self.already_computed_units.get());
        ComputeUnits::new(rest.saturating_sub(self.reserved_units(now).get()))
    }
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
    use super::*;

    #[test]
    fn expired_reservations_leave_their_units_free() {
        let lease = |units, expires_at| UnitsOnLease {
            num_compute_units: ComputeUnits::new(units),
            expires_at: TimestampMs::new(expires_at),
        };
        let mut stack = Stack {
            stack_small_id: StackSmallId::new(1),
            stack_id: Some(ObjectId::ZERO),
            owner_address: Address::ZERO,
            task_small_id: TaskSmallId::new(1),
            selected_node_id: NodeSmallId::new(1),
            num_compute_units: ComputeUnits::new(100),
            price_per_one_million_compute_units: PricePerMillion::new(1),
            already_computed_units: ComputeUnits::new(30),
            reservations: vec![lease(10, 5), lease(20, 6)],
            num_total_messages: 1,
            merkle_root: None,
            is_frozen: false,
            in_settle_period: false,
            is_claimed: false,
        };
        let units = |stack: &Stack, now| {
            let now = TimestampMs::new(now);
            (stack.reserved_units(now).get(), stack.free_units(now).get())
        };
        assert_eq!(units(&stack, 4), (30, 40));
        assert_eq!(units(&stack, 5), (20, 50));
        assert_eq!(units(&stack, 6), (0, 70));
        stack.is_frozen = true;
        assert_eq!(units(&stack, 6), (0, 0));
    }
}
