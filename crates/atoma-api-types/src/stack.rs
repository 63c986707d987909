//! Stacks, nodes and recorded work.

use atoma_domain::{
    Address, ComputeUnits, Hash32, NodeSmallId, ObjectId, PricePerMillion, StackSmallId,
    TaskSmallId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::outcome::DryRun;
use crate::text;

/// A stack: compute units that a user has bought from one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Stack)]
pub struct StackView {
    /// The stack's small id.
    #[schema(example = 42)]
    pub stack_small_id: StackSmallId,
    /// The object id of the stack's badge; `null` if the daemon learned of the stack from the contract's table.
    #[schema(value_type = Option<text::ObjectId>)]
    #[serde(serialize_with = "atoma_domain::serialize_optional_id")]
    pub stack_id: Option<ObjectId>,
    /// The buyer's address.
    #[schema(value_type = text::Address)]
    #[serde(serialize_with = "atoma_domain::serialize_id")]
    pub owner_address: Address,
    /// The task that the stack was bought for.
    pub task_small_id: TaskSmallId,
    /// The node that serves the stack.
    pub selected_node_id: NodeSmallId,
    /// The compute units that were bought.
    #[schema(example = 1_000_000)]
    pub num_compute_units: ComputeUnits,
    /// The price, in micro-USDC for a million compute units.
    pub price_per_one_million_compute_units: PricePerMillion,
    /// The compute units that the selected node has recorded.
    pub already_computed_units: ComputeUnits,
    /// The compute units that open reservations hold.
    pub reserved_units: ComputeUnits,
    /// The compute units that are neither computed nor reserved.
    pub free_units: ComputeUnits,
    /// Whether the stack has entered settlement.
    pub in_settle_period: bool,
    /// The messages that the selected node has recorded.
    pub num_total_messages: u64,
    /// The root of the Merkle tree over the recorded messages; `null` while there is none.
    pub merkle_root: Option<Hash32>,
    /// Whether the funds were claimed.
    pub is_claimed: bool,
}

/// One of the operator's nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Node)]
pub struct NodeView {
    /// The node's small id.
    pub node_small_id: NodeSmallId,
    /// The object id of the node's badge.
    #[schema(value_type = text::ObjectId)]
    pub node_badge_id: ObjectId,
    /// The address that owns the badge.
    #[schema(value_type = text::Address)]
    pub address: Address,
}

/// A recorded message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RecordedMessage)]
pub struct WorkView {
    /// The messages of the record, this one included.
    pub num_total_messages: u64,
    /// The compute units of the record, this message's included.
    pub already_computed_units: ComputeUnits,
    /// The root of the Merkle tree over the record's messages.
    pub merkle_root: Hash32,
    /// The message's units that the stack no longer holds. Nobody pays them.
    pub num_uncovered_units: ComputeUnits,
    /// Whether the message was recorded before, under the same id.
    pub already_recorded: bool,
    /// What the caller should know. Absent if there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Present in the response to a dry run.
    #[serde(flatten)]
    pub dry_run: DryRun,
}
