//! What callers ask for.

use atoma_domain::{EchelonId, NodeSmallId, TaskSmallId};
use serde::{Deserialize, Serialize};
use sui_sdk_types::Address;

/// A task to create. The fields are the contract's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTask {
    /// 0 to 7.
    pub role: u16,
    /// The model served, if any.
    #[serde(default)]
    pub model_name: Option<String>,
    /// 0 none, 1 confidential compute, 2 sampling consensus.
    pub security_level: u16,
    /// The lowest reputation with which a node may subscribe.
    #[serde(default)]
    pub minimum_reputation_score: Option<u8>,
    /// Whether any node may subscribe.
    pub is_public: bool,
}

/// A model to add. The fields are the contract's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewModel {
    /// Its name, in ASCII.
    pub model_name: String,
    /// The contract's number for the kind of output.
    #[serde(default)]
    pub modality: u64,
    /// The echelons in which nodes may offer it.
    pub echelon_ids: Vec<EchelonId>,
}

/// Stacks to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// The task.
    pub task_small_id: TaskSmallId,
    /// Compute units per stack.
    pub num_compute_units: u64,
    /// Micro-USDC per million compute units.
    pub price: u64,
    /// The number of stacks; 1 by default.
    #[serde(default = "one")]
    pub count: u64,
    /// The node that the contract selects; by default it is drawn among the eligible nodes.
    #[serde(default)]
    pub node_small_id: Option<NodeSmallId>,
}

/// A node to register.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeRegistration {
    /// The account that owns the node's badge; the demonstration's second operator by default. The
    /// network must hold the account's key.
    pub owner: Option<Address>,
    /// The tasks that the node subscribes to.
    pub task_small_ids: Vec<TaskSmallId>,
    /// The price that it asks for them, in micro-USDC per million compute units.
    pub price_per_one_million_compute_units: u64,
}

const fn one() -> u64 {
    1
}

/// Parameters of the contract that the manager sets; those left out stay unchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// The probability that a settlement draws attesters.
    pub cross_validation_probability_permille: Option<u64>,
    /// The number of attesters per draw.
    pub cross_validation_extra_nodes_count: Option<u64>,
    /// The price of a stack of a sampling-consensus task, relative to its compute units' price.
    pub sampling_consensus_charge_permille: Option<u64>,
    /// The surcharge for attesters on top of that.
    pub cross_validation_extra_nodes_charge_permille: Option<u64>,
    /// The share of its collateral that a node loses for a missed attestation.
    pub permille_to_slash_node_on_timeout: Option<u64>,
}
