//! Rows of the mirror as the domain's models.

use atoma_domain::model::{
    Dispute, NodeKey, OperatorNode, Settlement, Stack, Subscription, Task, UnitsOnLease,
};
use atoma_domain::ports::StoreError;
use atoma_domain::{
    Address, ComputeUnits, Epoch, Hash32, HexBytes, MicroUsdc, NodeSmallId, ObjectId,
    PricePerMillion, SecurityLevel, StackSmallId, TaskRole, TaskSmallId, TimestampMs,
};
use sqlx::sqlite::SqliteRow;

use crate::columns::Cells;
use crate::packed::Fields;

pub(crate) fn operator_node(row: &SqliteRow) -> Result<OperatorNode, StoreError> {
    let cells = Cells::new(row, "operator_nodes", "node_small_id");
    Ok(OperatorNode {
        node_small_id: NodeSmallId::new(cells.number("node_small_id")?),
        node_badge_id: cells.object_id("node_badge_id")?,
        address: cells.object_id("address")?,
    })
}

pub(crate) fn task(row: &SqliteRow) -> Result<Task, StoreError> {
    let cells = Cells::new(row, "tasks", "task_small_id");
    Ok(Task {
        task_small_id: TaskSmallId::new(cells.number("task_small_id")?),
        task_id: cells.optional_object_id("task_id")?,
        role: TaskRole::new(cells.small("role")?),
        model_name: cells.optional_text("model_name")?.map(str::to_owned),
        security_level: SecurityLevel::new(cells.small("security_level")?),
        minimum_reputation_score: cells.optional_small("minimum_reputation_score")?,
        deprecated_at_epoch: cells
            .optional_number("deprecated_at_epoch")?
            .map(Epoch::new),
        removed_at_epoch: cells.optional_number("removed_at_epoch")?.map(Epoch::new),
    })
}

pub(crate) fn subscription(row: &SqliteRow) -> Result<Subscription, StoreError> {
    let cells = Cells::new(row, "subscriptions", "sequence");
    Ok(Subscription {
        node_small_id: NodeSmallId::new(cells.number("node_small_id")?),
        task_small_id: TaskSmallId::new(cells.number("task_small_id")?),
        price_per_one_million_compute_units: PricePerMillion::new(
            cells.number("price_per_one_million_compute_units")?,
        ),
        max_num_compute_units: ComputeUnits::new(cells.number("max_num_compute_units")?),
        valid: cells.flag("valid")?,
    })
}

/// A row of `node_keys`.
pub(crate) fn node_key(row: &SqliteRow) -> Result<NodeKey, StoreError> {
    let cells = Cells::new(row, "node_keys", "node_small_id");
    let device_types = cells.numbers("device_types")?.into_iter().map(|number| {
        u16::try_from(number).map_err(|source| cells.corrupt("device_types", source))
    });
    Ok(NodeKey {
        node_small_id: NodeSmallId::new(cells.number("node_small_id")?),
        public_key_commitment: HexBytes(cells.bytes("public_key_commitment")?),
        key_rotation_counter: cells.number("key_rotation_counter")?,
        updated_at_epoch: Epoch::new(cells.number("updated_at_epoch")?),
        device_types: device_types.collect::<Result<_, _>>()?,
    })
}

/// A packed row of stacks joined with its selected node's work record and its settlement.
pub(crate) fn stack(line: &str) -> Result<Stack, StoreError> {
    let mut fields = Fields::new(line, "stacks");
    let mut stack = fields.columns::<104>("stacks")?;
    let mut record = fields.columns::<48>("work_records")?;
    let reservations = reservations(&fields.numbers("reservations")?);
    let [is_frozen, in_settle_period, is_claimed] =
        fields.flags(["is_frozen", "in_settle_period", "is_claimed"])?;
    let (mut computed, mut messages, mut merkle_root) = (0, 0, None);
    if !record.is_at_end() {
        (computed, messages) = (record.number("computed_units")?, record.number("messages")?);
    }
    if !record.is_at_end() {
        merkle_root = Some(Hash32::new(record.bytes("merkle_root")?));
    }
    record.end("merkle_root")?;
    let read = Stack {
        stack_small_id: StackSmallId::new(stack.number("stack_small_id")?),
        owner_address: Address::new(stack.bytes("owner_address")?),
        task_small_id: TaskSmallId::new(stack.number("task_small_id")?),
        selected_node_id: NodeSmallId::new(stack.number("selected_node_id")?),
        num_compute_units: ComputeUnits::new(stack.number("num_compute_units")?),
        price_per_one_million_compute_units: PricePerMillion::new(
            stack.number("price_per_one_million_compute_units")?,
        ),
        stack_id: match stack.is_at_end() {
            true => None,
            false => Some(ObjectId::new(stack.bytes("stack_id")?)),
        },
        already_computed_units: ComputeUnits::new(computed),
        reservations,
        is_frozen,
        num_total_messages: messages,
        merkle_root,
        in_settle_period,
        is_claimed,
    };
    stack.end("stack_id")?;
    Ok(read)
}

/// Reads what a packed row puts together column by column, so that an error names the column. `row` is a row of
/// stacks with `computed_units`, `messages` and `merkle_root` of its record.
pub(crate) fn check_stack(row: &SqliteRow) -> Result<(), StoreError> {
    let stack = Cells::new(row, "stacks", "stack_small_id");
    stack.optional_object_id("stack_id")?;
    stack.object_id("owner_address")?;
    stack.number("task_small_id")?;
    stack.number("selected_node_id")?;
    stack.number("num_compute_units")?;
    stack.number("price_per_one_million_compute_units")?;
    let record = Cells::new(row, "work_records", "stack_small_id");
    record.optional_number("computed_units")?;
    record.optional_number("messages")?;
    record.optional_object_id("merkle_root")?;
    Ok(())
}

/// Reservations from their units and expiries, alternating.
fn reservations(numbers: &[u64]) -> Vec<UnitsOnLease> {
    let pairs = numbers.chunks_exact(2);
    pairs
        .filter_map(|pair| {
            let [units, expires_at] = pair else {
                return None;
            };
            Some(UnitsOnLease {
                num_compute_units: ComputeUnits::new(*units),
                expires_at: TimestampMs::new(*expires_at),
            })
        })
        .collect()
}

/// A row of settlements joined with its stack, its attestations and its dispute.
pub(crate) fn settlement(row: &SqliteRow) -> Result<Settlement, StoreError> {
    let cells = Cells::new(row, "settlements", "stack_small_id");
    let nodes = |column| -> Result<Vec<NodeSmallId>, StoreError> {
        Ok(cells
            .numbers(column)?
            .into_iter()
            .map(NodeSmallId::new)
            .collect())
    };
    Ok(Settlement {
        stack_small_id: StackSmallId::new(cells.number("stack_small_id")?),
        stack_id: cells.optional_object_id("stack_id")?,
        selected_node_id: NodeSmallId::new(cells.number("selected_node_id")?),
        num_claimed_compute_units: ComputeUnits::new(cells.number("num_claimed_compute_units")?),
        settled_at: TimestampMs::new(cells.number("settled_at")?),
        dispute_settled_at_epoch: Epoch::new(cells.number("dispute_settled_at_epoch")?),
        requested_attestation_nodes: nodes("requested_attestation_nodes")?,
        attested_nodes: nodes("attested_nodes")?,
        committed_stack_proof: HexBytes(cells.bytes("committed_stack_proof")?),
        stack_merkle_leaf: HexBytes(cells.bytes("stack_merkle_leaf")?),
        is_in_dispute: cells.flag("is_in_dispute")?,
        is_claimed: cells.flag("is_claimed")?,
        user_refund_amount: MicroUsdc::new(cells.number("user_refund_amount")?),
    })
}

pub(crate) fn dispute(row: &SqliteRow) -> Result<Dispute, StoreError> {
    let cells = Cells::new(row, "disputes", "stack_small_id");
    Ok(Dispute {
        stack_small_id: StackSmallId::new(cells.number("stack_small_id")?),
        plaintiff_node_id: NodeSmallId::new(cells.number("plaintiff_node_id")?),
        defendant_node_id: NodeSmallId::new(cells.number("defendant_node_id")?),
        disputed_attestation_index: cells.optional_number("disputed_attestation_index")?,
        disputed_hash: HexBytes(cells.bytes("disputed_hash")?),
        original_hash: HexBytes(cells.bytes("original_hash")?),
        created_at_epoch: Epoch::new(cells.number("created_at_epoch")?),
        resolved_at_epoch: cells.optional_number("resolved_at_epoch")?.map(Epoch::new),
    })
}
