//! The module's structs. The fields are in BCS order.

use atoma_domain::{EchelonId, NodeSmallId, ObjectId, StackSmallId, TaskSmallId};
use serde::{Deserialize, Serialize};
use sui_sdk_types::{Address, StructTag, TypeTag};

use crate::vm::{
    AsciiString, Balance, MoveType, ObjectTable, ObjectType, Table, TableVec, package_struct,
};

/// Implements `ObjectType` for structs of the module. `store` is whether the struct has the
/// `store` ability, with which commands can transfer it.
macro_rules! objects {
    ($($name:ident, store: $store:literal;)*) => {
        $(
            impl ObjectType for $name {
                const HAS_STORE: bool = $store;

                fn object_type(package: Address) -> StructTag {
                    package_struct(package, stringify!($name))
                }

                fn id(&self) -> ObjectId {
                    self.id
                }
            }
        )*
    };
}

macro_rules! values {
    ($($name:ident,)*) => {
        $(
            impl MoveType for $name {
                fn tag(package: Address) -> TypeTag {
                    package_struct(package, stringify!($name)).into()
                }
            }
        )*
    };
}

objects! {
    AtomaDb, store: false;
    NodeBadge, store: true;
    TaskBadge, store: true;
    StackBadge, store: true;
    AtomaManagerBadge, store: true;
    Task, store: true;
    StackSettlementTicket, store: true;
    ModelEntry, store: true;
}

values! {
    NodeSmallId,
    TaskSmallId,
    StackSmallId,
    EchelonId,
    NodeEntry,
    NodePriceData,
    Stack,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AtomaDb {
    pub(super) id: ObjectId,
    pub(super) tickets: ObjectId,
    pub(super) next_node_small_id: NodeSmallId,
    pub(super) next_task_small_id: TaskSmallId,
    pub(super) next_stack_small_id: StackSmallId,
    pub(super) nodes: Table<NodeSmallId, NodeEntry>,
    pub(super) models: ObjectTable<AsciiString, ModelEntry>,
    pub(super) tasks: ObjectTable<TaskSmallId, Task>,
    pub(super) stacks: Table<StackSmallId, Stack>,
    pub(super) stack_settlement_tickets: ObjectTable<StackSmallId, StackSettlementTicket>,
    pub(super) fee_treasury: Balance,
    pub(super) communal_treasury: Balance,
    pub(super) cross_validation_probability_permille: u64,
    pub(super) cross_validation_extra_nodes_count: u64,
    pub(super) sampling_consensus_charge_permille: u64,
    pub(super) cross_validation_extra_nodes_charge_permille: u64,
    pub(super) key_rotation_counter: u64,
    pub(super) nonce: u64,
    pub(super) is_registration_disabled: bool,
    pub(super) registration_collateral_in_protocol_token: u64,
    pub(super) permille_to_slash_node_on_timeout: u64,
    pub(super) permille_for_oracle_on_dispute: u64,
    pub(super) permille_for_honest_nodes_on_dispute: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct NodeBadge {
    pub(super) id: ObjectId,
    pub(super) small_id: NodeSmallId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TaskBadge {
    pub(super) id: ObjectId,
    pub(super) small_id: TaskSmallId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StackBadge {
    pub(super) id: ObjectId,
    pub(super) small_id: StackSmallId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AtomaManagerBadge {
    pub(super) id: ObjectId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct NodeEntry {
    pub(super) was_disabled_in_epoch: Option<u64>,
    pub(super) collateral: Balance,
    pub(super) last_fee_epoch: u64,
    pub(super) last_fee_epoch_amount: u64,
    pub(super) available_fee_amount: u64,
    pub(super) reputation_score: u8,
    pub(super) confidential_compute_last_rotation_counter: Option<u64>,
    pub(super) confidential_compute_last_updated_epoch: Option<u64>,
    pub(super) confidential_compute_public_key_commitment: Option<Vec<u8>>,
    pub(super) confidential_compute_device_types: Vec<u16>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct NodePriceData {
    pub(super) price_per_one_million_compute_units: u64,
    pub(super) max_num_compute_units: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) id: ObjectId,
    pub(super) role: u16,
    pub(super) model_name: Option<AsciiString>,
    pub(super) is_deprecated: bool,
    pub(super) deprecated_at_epoch: Option<u64>,
    pub(super) security_level: u16,
    pub(super) subscribed_nodes: Table<NodeSmallId, NodePriceData>,
    pub(super) subscribed_nodes_small_ids: TableVec<NodeSmallId>,
    pub(super) minimum_reputation_score: u8,
    pub(super) is_public: bool,
    pub(super) whitelisted_nodes: Vec<NodeSmallId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stack {
    pub(super) owner: Address,
    pub(super) price_per_one_million_compute_units: u64,
    pub(super) num_compute_units: u64,
    pub(super) selected_node_id: NodeSmallId,
    pub(super) task_small_id: TaskSmallId,
    pub(super) is_claimed: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StackSettlementTicket {
    pub(super) id: ObjectId,
    pub(super) stack_small_id: StackSmallId,
    pub(super) selected_node_id: NodeSmallId,
    pub(super) num_claimed_compute_units: u64,
    pub(super) requested_attestation_nodes: Vec<NodeSmallId>,
    pub(super) dispute_settled_at_epoch: u64,
    pub(super) committed_stack_proof: Vec<u8>,
    pub(super) stack_merkle_leaves_vector: Vec<u8>,
    pub(super) already_attested_nodes: Vec<NodeSmallId>,
    pub(super) is_in_dispute: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ModelEntry {
    pub(super) id: ObjectId,
    pub(super) name: AsciiString,
    pub(super) modality: u64,
    pub(super) is_disabled: bool,
    pub(super) echelons: Vec<ModelEchelon>,
}

/// A group of similar nodes within a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ModelEchelon {
    pub(super) id: EchelonId,
    pub(super) settlement_timeout_ms: u64,
    pub(super) input_fee_per_token: u64,
    pub(super) output_fee_per_token: u64,
    pub(super) relative_performance: u64,
    pub(super) oracles: Vec<NodeSmallId>,
    pub(super) nodes: TableVec<NodeSmallId>,
}
