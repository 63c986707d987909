//! `state.json`: key rotations.

use atoma_domain::NodeSmallId;
use atoma_domain::events::ContractEvent;

use super::chain::TestChain;
use super::vectors::{bytes, load, number, text};

#[test]
fn rotations_leave_the_measured_state() {
    for vector in load("state.json")["key_rotation"].as_array().unwrap() {
        let mut chain = TestChain::new(1);
        for step in vector["steps"].as_array().unwrap() {
            if let Some(rotation) = step.get("network_rotation") {
                chain.epoch = number(&rotation["epoch"]);
                chain.rotate_network();
                let Some(ContractEvent::NewKeyRotation(event)) = chain.events.last() else {
                    panic!("no rotation event");
                };
                let counter = number(&rotation["key_rotation_counter"]);
                assert_eq!(event.key_rotation_counter, counter);
                assert_eq!(event.epoch.get(), chain.epoch);
                let parameters = chain.state().parameters;
                assert_eq!(parameters.key_rotation_counter, counter);
                assert_eq!(parameters.nonce, event.nonce);
                continue;
            }
            let expected = &step["rotate_event"];
            chain.epoch = number(&expected["epoch"]);
            let key = bytes(&expected["new_public_key"]);
            let device = u16::try_from(number(&expected["device_type"])).unwrap();
            let counter = number(&expected["key_rotation_counter"]);
            chain
                .rotate(
                    1,
                    &key,
                    &bytes(&expected["evidence_bytes"]),
                    counter,
                    device,
                )
                .unwrap();
            let Some(ContractEvent::NodePublicKeyCommitment(event)) = chain.events.last() else {
                panic!("no commitment event");
            };
            assert_eq!(event.epoch.get(), chain.epoch);
            assert_eq!(event.key_rotation_counter, counter);
            assert_eq!(event.node_id.get(), number(&expected["node_id"]));
            assert_eq!(event.new_public_key.0, key);
            assert_eq!(event.device_type, device);
            assert_eq!(event.evidence_bytes.0, bytes(&expected["evidence_bytes"]));

            let wanted = &step["node_entry_after"];
            let state = chain.state();
            let node = &state.nodes[&NodeSmallId::new(1)];
            assert_eq!(
                node.last_rotation_counter,
                Some(number(&wanted["last_rotation_counter"]))
            );
            assert_eq!(
                node.last_updated_epoch,
                Some(number(&wanted["last_updated_epoch"]))
            );
            assert_eq!(
                node.public_key_commitment.as_deref(),
                Some(text(wanted, "public_key_commitment"))
            );
            let devices: Vec<u64> = node.device_types.iter().map(|d| u64::from(*d)).collect();
            assert_eq!(devices, super::vectors::numbers(&wanted["device_types"]));
        }
    }
}
