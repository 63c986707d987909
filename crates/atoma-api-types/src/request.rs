//! The bodies of requests.

mod hex;

use atoma_domain::{
    Address, ComputeUnits, EchelonId, Hash32, HexBytes, Mist, NodeSmallId, ObjectId,
    PricePerMillion, ReservationId, StackSmallId, TaskSmallId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use utoipa::ToSchema;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{Array, ArrayBuilder};

use crate::text;

/// The optional fields of every request for a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionOptions {
    /// The SUI coin that pays the gas. By default the daemon chooses one.
    #[serde(
        default,
        with = "hex::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<text::AnyHex>)]
    pub gas: Option<ObjectId>,
    /// The gas budget, in MIST. By default it is estimated by simulation, plus a margin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_budget: Option<Mist>,
    /// The gas price, in MIST for a gas unit. By default it is the network's reference gas price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_price: Option<Mist>,
    /// Which of the operator's nodes acts. The endpoint says what happens without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_small_id: Option<NodeSmallId>,
    /// The same choice by the object id of the node's badge. If both are present they must agree.
    #[serde(
        default,
        with = "hex::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<text::AnyHex>)]
    pub node_badge_id: Option<ObjectId>,
}

/// A price in one of its two units. Exactly one of the fields must be present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Price {
    /// In micro-USDC for one compute unit. Times 1,000,000 it must be a whole number that fits in 64 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 1.5)]
    pub price_per_compute_unit: Option<Number>,
    /// In micro-USDC for a million compute units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_one_million_compute_units: Option<PricePerMillion>,
}

/// The fields of a body that the request does not have. The daemon ignores them, and names them in its
/// warnings. It must be flattened after all other fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IgnoredFields(pub Map<String, Value>);

/// Registers a node for the operator's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisterRequest {
    /// How the transaction is paid.
    #[serde(flatten)]
    pub options: TransactionOptions,
    /// Registers one more node although the address owns a badge.
    #[serde(default)]
    pub additional: bool,
}

/// Subscribes a node to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelSubscribeRequest {
    /// Who acts, and how the transaction is paid.
    #[serde(flatten)]
    pub options: TransactionOptions,
    /// The model's name, in ASCII.
    #[schema(min_length = 1, max_length = 16_380, pattern = "^[ -~]+$")]
    pub model_name: String,
    /// The echelon of the model.
    pub echelon_id: EchelonId,
}

/// Subscribes a node to a task, or changes its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskSubscribeRequest {
    /// Who acts, and how the transaction is paid.
    #[serde(flatten)]
    pub options: TransactionOptions,
    /// The price that the node asks.
    #[serde(flatten)]
    pub price: Price,
    /// The task.
    pub task_small_id: TaskSmallId,
    /// Has no effect: the contract fixes it at 1,000,000. Another value is named in the warnings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_num_compute_units: Option<u64>,
    /// Other fields.
    #[serde(flatten)]
    #[schema(ignore)]
    pub ignored: IgnoredFields,
}

/// Ends a node's subscription to a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskUnsubscribeRequest {
    /// Who acts, and how the transaction is paid.
    #[serde(flatten)]
    pub options: TransactionOptions,
    /// The task.
    pub task_small_id: TaskSmallId,
}

/// Commits to a node's public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RotateKeyRequest {
    /// Who acts, and how the transaction is paid.
    #[serde(flatten)]
    pub options: TransactionOptions,
    /// The commitment to the key, in hexadecimal: 1 to 16,380 bytes.
    #[schema(value_type = String, max_length = 32_762, pattern = "^(0x)?([0-9a-fA-F]{2})+$", example = "0xeb19")]
    pub public_key_commitment: HexBytes,
    /// The remote attestation of the hardware that holds the key, in hexadecimal: at most 16,380 bytes.
    #[schema(value_type = String, max_length = 32_762, pattern = "^(0x)?([0-9a-fA-F]{2})*$", example = "0x0102")]
    pub evidence: HexBytes,
    /// The kind of hardware.
    #[schema(maximum = 15_999)]
    pub device_type: u16,
    /// The key rotation that the evidence is for. By default it is the network's current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_rotation_counter: Option<u64>,
}

/// Collects the shares that the contract owes a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawRequest {
    /// Who acts, and how the transaction is paid.
    #[serde(flatten)]
    pub options: TransactionOptions,
}

/// The schema of the stacks that a request is about.
fn stack_small_ids() -> Array {
    ArrayBuilder::new()
        .description(Some("The stacks, from 1 to 1,000, each once."))
        .items(Ref::from_schema_name(StackSmallId::name()))
        .min_items(Some(1))
        .max_items(Some(1_000))
        .unique_items(true)
        .build()
}

/// Settles stacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettleRequest {
    /// Who acts, and how the transaction is paid.
    #[serde(flatten)]
    pub options: TransactionOptions,
    /// The stacks, from 1 to 1,000, each once.
    #[schema(schema_with = stack_small_ids)]
    pub stack_small_ids: Vec<StackSmallId>,
    /// The compute units that each stack claims. By default these are the recorded ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_claimed_compute_units: Option<ComputeUnits>,
    /// Other fields.
    #[serde(flatten)]
    #[schema(ignore)]
    pub ignored: IgnoredFields,
}

/// Submits attestations of settlements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttestRequest {
    /// Who acts, and how the transaction is paid.
    #[serde(flatten)]
    pub options: TransactionOptions,
    /// The stacks, from 1 to 1,000, each once.
    #[schema(schema_with = stack_small_ids)]
    pub stack_small_ids: Vec<StackSmallId>,
    /// Sends an attestation even if its commitment differs from the settlement's, which raises a dispute and freezes the stack's
    /// funds. The results' warnings say which ones would: in a dry run by the ticket on chain, else by the mirror, which
    /// does not know the ticket's number of extra nodes.
    #[serde(default)]
    pub allow_dispute: bool,
    /// Other fields.
    #[serde(flatten)]
    #[schema(ignore)]
    pub ignored: IgnoredFields,
}

/// Claims the funds of stacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClaimRequest {
    /// Who acts, and how the transactions are paid.
    #[serde(flatten)]
    pub options: TransactionOptions,
    /// The stacks, from 1 to 1,000, each once.
    #[schema(schema_with = stack_small_ids)]
    pub stack_small_ids: Vec<StackSmallId>,
    /// Other fields.
    #[serde(flatten)]
    #[schema(ignore)]
    pub ignored: IgnoredFields,
}

/// Raises a dispute against the settlement of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DisputeRequest {
    /// Who acts, and how the transaction is paid.
    #[serde(flatten)]
    pub options: TransactionOptions,
    /// The stack.
    pub stack_small_id: StackSmallId,
}

/// Reserves compute units of one of an owner's stacks. Exactly one of `stack_small_id`, `task_small_id` and
/// `model_name` must be present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReservationRequest {
    /// The owner of the stack.
    #[serde(with = "hex::required")]
    #[schema(value_type = text::AnyHex)]
    pub owner_address: Address,
    /// This stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_small_id: Option<StackSmallId>,
    /// The fullest stack of this task that has room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_small_id: Option<TaskSmallId>,
    /// The fullest stack of a task with this model that has room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// The compute units to reserve, at least 1.
    pub num_compute_units: ComputeUnits,
    /// A tag of the service instance, 1 to 128 visible ASCII characters, by which it can release all it holds.
    #[schema(pattern = "^[!-~]{1,128}$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// How long the reservation lasts unless it is renewed, in seconds, from 1 to 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3600)]
    pub lease_s: Option<u64>,
    /// The transaction that bought the stack, if the daemon may not know it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<text::TransactionDigest>)]
    pub purchase_tx_digest: Option<String>,
}

/// Changes a reservation. What is absent stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReservationUpdate {
    /// The compute units to reserve, at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_compute_units: Option<ComputeUnits>,
    /// Renews the reservation for so many seconds from now, from 1 to 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3600)]
    pub lease_s: Option<u64>,
}

/// Records a served message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageRequest {
    /// The stack that pays for the message.
    pub stack_small_id: StackSmallId,
    /// Blake2b-256 of the hash of the payload and the hash of the response.
    pub message_hash: Hash32,
    /// The compute units that it took.
    pub num_compute_units: ComputeUnits,
    /// The node that served it. By default this is the stack's selected node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_small_id: Option<NodeSmallId>,
    /// The reservation that ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_id: Option<ReservationId>,
    /// An id of the message, 1 to 255 visible ASCII characters, with which it is safe to repeat the request.
    #[schema(pattern = "^[!-~]{1,255}$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
}
