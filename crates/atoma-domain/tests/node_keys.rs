//! A node's key after each event is the contract's (`key_rotation` in `tests/vectors/state.json`).

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use atoma_domain::events::NodePublicKeyCommitment;
use atoma_domain::model::NodeKey;
use atoma_domain::{Epoch, HexBytes, NodeSmallId};
use serde_json::{Value, json};

fn bytes(value: &Value) -> HexBytes {
    value.as_str().unwrap().parse().unwrap()
}

fn event(value: &Value) -> NodePublicKeyCommitment {
    NodePublicKeyCommitment {
        epoch: Epoch::new(value["epoch"].as_u64().unwrap()),
        key_rotation_counter: value["key_rotation_counter"].as_u64().unwrap(),
        node_id: NodeSmallId::new(value["node_id"].as_u64().unwrap()),
        new_public_key: bytes(&value["new_public_key"]),
        device_type: u16::try_from(value["device_type"].as_u64().unwrap()).unwrap(),
        evidence_bytes: bytes(&value["evidence_bytes"]),
    }
}

#[test]
fn keys_after_events_are_the_contracts() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/state.json")).unwrap();
    let mut compared = 0;
    for vector in vectors["key_rotation"].as_array().unwrap() {
        let mut key = None;
        for step in vector["steps"].as_array().unwrap() {
            let Some(rotated) = step.get("rotate_event") else {
                continue;
            };
            let after = NodeKey::after(key, &event(rotated));
            let expected = &step["node_entry_after"];
            assert_eq!(
                after.public_key_commitment,
                bytes(&expected["public_key_commitment"])
            );
            assert_eq!(
                json!([after.key_rotation_counter, after.updated_at_epoch]),
                json!([
                    expected["last_rotation_counter"],
                    expected["last_updated_epoch"]
                ])
            );
            assert_eq!(json!(after.device_types), expected["device_types"]);
            compared += 1;
            key = Some(after);
        }
    }
    assert!(compared >= 4, "{compared}");
}

#[test]
fn a_device_commits_once_in_a_rotation() {
    let key = NodeKey {
        node_small_id: NodeSmallId::new(1),
        public_key_commitment: HexBytes(vec![1]),
        key_rotation_counter: u64::MAX,
        updated_at_epoch: Epoch::new(0),
        device_types: vec![0, 15_999],
    };
    assert!(key.is_committed(u64::MAX, 0) && key.is_committed(u64::MAX, 15_999));
    assert!(!key.is_committed(u64::MAX, 1));
    assert!(!key.is_committed(u64::MAX - 1, 0));
}
