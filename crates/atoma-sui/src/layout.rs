//! The BCS layouts of the contract's objects, fields in order.
//!
//! BCS has no field names, so fields that nobody reads must be declared to be skipped. Wrapper
//! structs such as `NodeSmallId {inner}` add no bytes.

use atoma_domain::contract::{ContractParameters, StackOnChain, TicketOnChain};
use atoma_domain::model::NodeKey;
use atoma_domain::{
    ComputeUnits, Epoch, HexBytes, MicroUsdc, NodeSmallId, ObjectId, Permille, PricePerMillion,
    SecurityLevel, StackSmallId, TaskRole, TaskSmallId,
};
use serde::Deserialize;

/// `0x2::dynamic_field::Field`: an entry of a table.
#[derive(Debug, Deserialize)]
pub(crate) struct Field<K, V> {
    #[expect(dead_code, reason = "part of the layout")]
    id: ObjectId,
    #[expect(dead_code, reason = "part of the layout")]
    name: K,
    /// The entry's value.
    pub(crate) value: V,
}

/// `0x2::table::Table` and `0x2::object_table::ObjectTable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Table {
    /// The parent of the entries' dynamic fields.
    pub(crate) id: ObjectId,
    /// The number of entries.
    pub(crate) size: u64,
}

/// `db::AtomaDb`.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "part of the layout")]
pub(crate) struct AtomaDb {
    id: ObjectId,
    tickets: ObjectId,
    pub(crate) next_node_small_id: NodeSmallId,
    pub(crate) next_task_small_id: TaskSmallId,
    pub(crate) next_stack_small_id: StackSmallId,
    pub(crate) nodes: Table,
    models: Table,
    pub(crate) tasks: Table,
    pub(crate) stacks: Table,
    pub(crate) stack_settlement_tickets: Table,
    fee_treasury: u64,
    communal_treasury: u64,
    cross_validation_probability_permille: u64,
    cross_validation_extra_nodes_count: u64,
    sampling_consensus_charge_permille: u64,
    cross_validation_extra_nodes_charge_permille: u64,
    key_rotation_counter: u64,
    nonce: u64,
    is_registration_disabled: bool,
    registration_collateral_in_protocol_token: u64,
    permille_to_slash_node_on_timeout: u64,
    permille_for_oracle_on_dispute: u64,
    permille_for_honest_nodes_on_dispute: u64,
}

impl AtomaDb {
    pub(crate) fn parameters(&self) -> ContractParameters {
        ContractParameters {
            cross_validation_probability: Permille::new(self.cross_validation_probability_permille),
            cross_validation_extra_nodes_count: self.cross_validation_extra_nodes_count,
            sampling_consensus_charge: Permille::new(self.sampling_consensus_charge_permille),
            cross_validation_extra_nodes_charge: Permille::new(
                self.cross_validation_extra_nodes_charge_permille,
            ),
            key_rotation_counter: self.key_rotation_counter,
            is_registration_disabled: self.is_registration_disabled,
            fee_treasury: MicroUsdc::new(self.fee_treasury),
        }
    }
}

/// `db::NodeBadge`.
#[derive(Debug, Deserialize)]
pub(crate) struct NodeBadge {
    #[expect(dead_code, reason = "part of the layout")]
    id: ObjectId,
    pub(crate) small_id: NodeSmallId,
}

/// `0x2::coin::Coin`.
#[derive(Debug, Deserialize)]
pub(crate) struct Coin {
    #[expect(dead_code, reason = "part of the layout")]
    id: ObjectId,
    pub(crate) balance: u64,
}

/// `db::Stack`.
#[derive(Debug, Deserialize)]
pub(crate) struct Stack {
    pub(crate) owner: ObjectId,
    price_per_one_million_compute_units: u64,
    num_compute_units: u64,
    selected_node_id: u64,
    task_small_id: u64,
    is_claimed: bool,
}

impl From<Stack> for StackOnChain {
    fn from(stack: Stack) -> Self {
        Self {
            price_per_one_million_compute_units: PricePerMillion::new(
                stack.price_per_one_million_compute_units,
            ),
            num_compute_units: ComputeUnits::new(stack.num_compute_units),
            selected_node_id: NodeSmallId::new(stack.selected_node_id),
            task_small_id: TaskSmallId::new(stack.task_small_id),
            is_claimed: stack.is_claimed,
        }
    }
}

/// `db::StackSettlementTicket`.
#[derive(Debug, Deserialize)]
pub(crate) struct StackSettlementTicket {
    #[expect(dead_code, reason = "part of the layout")]
    id: ObjectId,
    stack_small_id: StackSmallId,
    selected_node_id: NodeSmallId,
    num_claimed_compute_units: ComputeUnits,
    requested_attestation_nodes: Vec<NodeSmallId>,
    dispute_settled_at_epoch: Epoch,
    committed_stack_proof: HexBytes,
    stack_merkle_leaves_vector: HexBytes,
    already_attested_nodes: Vec<NodeSmallId>,
    is_in_dispute: bool,
}

impl From<StackSettlementTicket> for TicketOnChain {
    fn from(ticket: StackSettlementTicket) -> Self {
        Self {
            stack_small_id: ticket.stack_small_id,
            selected_node_id: ticket.selected_node_id,
            num_claimed_compute_units: ticket.num_claimed_compute_units,
            requested_attestation_nodes: ticket.requested_attestation_nodes,
            dispute_settled_at_epoch: ticket.dispute_settled_at_epoch,
            committed_stack_proof: ticket.committed_stack_proof,
            stack_merkle_leaves: ticket.stack_merkle_leaves_vector,
            already_attested_nodes: ticket.already_attested_nodes,
            is_in_dispute: ticket.is_in_dispute,
        }
    }
}

/// `db::Task`.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "part of the layout")]
pub(crate) struct Task {
    id: ObjectId,
    pub(crate) role: TaskRole,
    pub(crate) model_name: Option<String>,
    is_deprecated: bool,
    pub(crate) deprecated_at_epoch: Option<Epoch>,
    pub(crate) security_level: SecurityLevel,
    pub(crate) subscribed_nodes: Table,
    /// A `TableVec`: a table by index.
    pub(crate) subscribed_nodes_small_ids: Table,
    pub(crate) minimum_reputation_score: u8,
    is_public: bool,
    whitelisted_nodes: Vec<u64>,
}

/// `db::NodePriceData`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct NodePriceData {
    pub(crate) price_per_one_million_compute_units: PricePerMillion,
    pub(crate) max_num_compute_units: ComputeUnits,
}

/// `db::NodeEntry`.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "part of the layout")]
pub(crate) struct NodeEntry {
    pub(crate) was_disabled_in_epoch: Option<Epoch>,
    collateral: u64,
    last_fee_epoch: u64,
    last_fee_epoch_amount: u64,
    available_fee_amount: u64,
    reputation_score: u8,
    confidential_compute_last_rotation_counter: Option<u64>,
    confidential_compute_last_updated_epoch: Option<Epoch>,
    confidential_compute_public_key_commitment: Option<HexBytes>,
    confidential_compute_device_types: Vec<u16>,
}

impl NodeEntry {
    /// What `withdraw_fees` would pay. It first makes what was credited in an earlier epoch available; this revision of the
    /// contract credits shares as available at once, so what it holds back for an epoch is always 0.
    pub(crate) const fn shares(&self) -> MicroUsdc {
        MicroUsdc::new(
            self.available_fee_amount
                .saturating_add(self.last_fee_epoch_amount),
        )
    }

    /// The key that the node has committed to. The contract sets its parts together.
    pub(crate) fn key(self, node: NodeSmallId) -> Option<NodeKey> {
        Some(NodeKey {
            node_small_id: node,
            public_key_commitment: self.confidential_compute_public_key_commitment?,
            key_rotation_counter: self.confidential_compute_last_rotation_counter?,
            updated_at_epoch: self.confidential_compute_last_updated_epoch?,
            device_types: self.confidential_compute_device_types,
        })
    }
}
