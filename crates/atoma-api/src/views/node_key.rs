//! Public keys of nodes.

use atoma_api_types::NodeKeyView;
use atoma_domain::model::NodeKey;

/// The public key that a node has committed to.
pub(crate) fn node_key_view(key: NodeKey) -> NodeKeyView {
    NodeKeyView {
        node_small_id: key.node_small_id,
        public_key_commitment: key.public_key_commitment,
        key_rotation_counter: key.key_rotation_counter,
        updated_at_epoch: key.updated_at_epoch,
        device_types: key.device_types,
    }
}
