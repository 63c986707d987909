//! A stack that is not paid yet, with all that decides what to do about it.

use crate::{
    ComputeUnits, Epoch, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId, TimestampMs,
};

/// A stack that one of the operator's nodes serves and that is not claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpaidStack {
    /// Its small id.
    pub stack_small_id: StackSmallId,
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
    /// When the last message was recorded; `None` without messages.
    pub last_recorded_at: Option<TimestampMs>,
    /// When the last lease on its units ends; `None` without reservations.
    pub reserved_until: Option<TimestampMs>,
    /// Whether no more units can be reserved, because it is to be settled once its reservations have ended.
    pub is_draining: bool,
    /// Whether an intent of this daemon has closed the record: a settlement, or a claim without one.
    pub is_frozen: bool,
    /// Its settlement ticket, if it has one.
    pub ticket: Option<UnpaidTicket>,
}

/// The settlement ticket of an unclaimed stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpaidTicket {
    /// The units that it claims.
    pub num_claimed_compute_units: ComputeUnits,
    /// The last epoch to attest in, and the first to claim in.
    pub dispute_settled_at_epoch: Epoch,
    /// The time of the settlement.
    pub settled_at: TimestampMs,
    /// The nodes that were drawn and have not attested, each once, ascending.
    pub missing_attesters: Vec<NodeSmallId>,
    /// Whether its funds are frozen.
    pub is_in_dispute: bool,
}

impl UnpaidStack {
    /// The units that a claim is paid for: the ticket's, or those recorded while there is none.
    pub fn payable_units(&self) -> ComputeUnits {
        let recorded = self.already_computed_units;
        self.ticket
            .as_ref()
            .map_or(recorded, |ticket| ticket.num_claimed_compute_units)
    }

    /// Whether units are on lease at this time.
    pub fn is_reserved(&self, now: TimestampMs) -> bool {
        self.reserved_until.is_some_and(|until| until > now)
    }
}
