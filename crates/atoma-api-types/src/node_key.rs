//! Public keys of nodes.

use atoma_domain::{Epoch, HexBytes, NodeSmallId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The public key that a node has committed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = NodeKey)]
pub struct NodeKeyView {
    /// The node.
    pub node_small_id: NodeSmallId,
    /// The commitment to the key.
    pub public_key_commitment: HexBytes,
    /// The network's key rotation in which it was made.
    pub key_rotation_counter: u64,
    /// The epoch of the node's first commitment in that rotation.
    pub updated_at_epoch: Epoch,
    /// The kinds of hardware that hold the key, in the order of their commitments.
    pub device_types: Vec<u16>,
}
