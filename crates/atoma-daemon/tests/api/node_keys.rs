//! Committing to public keys, and those that the mirror knows.

use serde_json::{Value, json};

use crate::support::{NONE, TestWorld, assert_refused};

const ROTATE: &str = "/rotate_node_key";

fn commitment(key: &str, device_type: u64) -> Value {
    json!({"public_key_commitment": key, "evidence": "0x0102", "device_type": device_type})
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

#[tokio::test]
async fn a_key_is_committed_to_once_by_each_device_in_each_rotation() {
    let mut world = TestWorld::unregistered_with_tasks(&[NONE]).await;
    let refused = world.post(ROTATE, commitment("0xaa", 300)).await;
    assert_refused(&refused, 404, "no_node_registered");
    let node = world.register().await;
    assert_eq!(world.list("/node_keys").await, Vec::<Value>::new());
    let path = format!("{ROTATE}?dry_run=true");
    let dry = world.post_ok(&path, commitment("0xaa", 300)).await;
    assert_eq!(dry["dry_run"], true, "{dry}");
    assert_eq!(world.list("/node_keys").await, Vec::<Value>::new());

    // Upper-case digits without `0x` are the same bytes.
    let done = world.post_ok(ROTATE, commitment("AA", 300)).await;
    assert!(done["tx_digest"].is_string(), "{done}");
    world.post_ok(ROTATE, commitment("0xaa", 15_999)).await;
    let epoch = world.network.state().unwrap()["epoch"].clone();
    let expected = json!([{
        "node_small_id": node,
        "public_key_commitment": "0xaa",
        "key_rotation_counter": 0,
        "updated_at_epoch": epoch,
        "device_types": [300, 15_999],
    }]);
    assert_eq!(json!(world.list("/node_keys").await), expected);
    let of_node = world.list(&format!("/node_keys/{node}")).await;
    assert_eq!(json!(of_node), expected);

    // The contract would keep the first key, or refuses the second.
    let again = world.post(ROTATE, commitment("0xbb", 300)).await;
    assert_refused(&again, 409, "key_already_rotated");
    let (status, mismatch) = world.post(ROTATE, commitment("0xbb", 301)).await;
    assert_eq!((status, &mismatch["code"]), (422, &json!("contract_abort")));
    let name = &mismatch["details"]["abort_name"];
    assert_eq!(name, "EPublicKeyCommitmentMismatch", "{mismatch}");
    assert_eq!(json!(world.list("/node_keys").await), expected);

    let counter = world.network.rotate_network_key().unwrap();
    let asked = |counter: Value| with(commitment("0xbb", 300), "key_rotation_counter", counter);
    let old = world.post(ROTATE, asked(json!(counter - 1))).await;
    assert_refused(&old, 409, "not_the_key_rotation");
    world.post_ok(ROTATE, asked(json!(counter))).await;
    let keys = world.list("/node_keys").await;
    assert_eq!(
        (
            &keys[0]["public_key_commitment"],
            &keys[0]["key_rotation_counter"],
            &keys[0]["device_types"]
        ),
        (&json!("0xbb"), &json!(counter), &json!([300]))
    );
    let (_, listed) = world.get("/transactions?kind=rotate_node_key").await;
    assert!(listed.as_array().unwrap().len() >= 3, "{listed}");
}

#[tokio::test]
async fn commitments_that_no_argument_can_hold_are_refused() {
    let world = TestWorld::start(&[NONE], 1).await;
    let key = |bytes: usize| "ab".repeat(bytes);
    for unusable in [
        commitment("", 300),
        commitment("0x", 300),
        commitment("0xa", 300),
        commitment("0xzz", 300),
        commitment(&key(16_381), 300),
        commitment("0xaa", 16_000),
        commitment("0xaa", 65_536),
        with(commitment("0xaa", 300), "evidence", json!(key(16_381))),
        with(commitment("0xaa", 300), "key_rotation_counter", json!(-1)),
        json!({"public_key_commitment": "0xaa", "device_type": 300}),
    ] {
        let refused = world.post(ROTATE, unusable).await;
        assert_refused(&refused, 400, "invalid_request");
    }
    let largest = with(
        commitment(&key(16_380), 300),
        "evidence",
        json!(key(16_380)),
    );
    world.post_ok(ROTATE, largest).await;
    let bare = with(commitment(&key(16_380), 0), "evidence", json!(""));
    world.post_ok(ROTATE, bare).await;
}
