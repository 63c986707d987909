//! The public keys of confidential nodes.

use serde::{Deserialize, Serialize};

use crate::events::NodePublicKeyCommitment;
use crate::{Epoch, HexBytes, NodeSmallId};

/// The upper bound of the kinds of hardware, exclusive: the contract takes no other.
pub const DEVICE_TYPES_END: u16 = 16_000;

/// The public key that a node has committed to, as the contract keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeKey {
    /// The node.
    pub node_small_id: NodeSmallId,
    /// The commitment to the key.
    pub public_key_commitment: HexBytes,
    /// The network's key rotation in which it was made.
    pub key_rotation_counter: u64,
    /// The epoch of the rotation's first commitment.
    pub updated_at_epoch: Epoch,
    /// The kinds of hardware that hold the key, in the order of their commitments.
    pub device_types: Vec<u16>,
}

impl NodeKey {
    /// The key after an event, as `rotate_node_public_key` keeps it. The first commitment of a rotation
    /// replaces the key. Later ones add devices: the contract demands the same key of a new device, and ignores
    /// what a known one sends, although the event shows it.
    pub fn after(before: Option<Self>, event: &NodePublicKeyCommitment) -> Self {
        match before {
            Some(mut key) if key.key_rotation_counter == event.key_rotation_counter => {
                if !key.device_types.contains(&event.device_type) {
                    key.device_types.push(event.device_type);
                }
                key
            }
            _ => Self {
                node_small_id: event.node_id,
                public_key_commitment: event.new_public_key.clone(),
                key_rotation_counter: event.key_rotation_counter,
                updated_at_epoch: event.epoch,
                device_types: vec![event.device_type],
            },
        }
    }

    /// Whether a device has committed to a key in that rotation: another commitment would change nothing.
    pub fn is_committed(&self, key_rotation_counter: u64, device_type: u16) -> bool {
        self.key_rotation_counter == key_rotation_counter
            && self.device_types.contains(&device_type)
    }
}
