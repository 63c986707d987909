use atoma_domain::StackSmallId;
use serde_json::Value;

use super::*;

const DEFINING: ObjectId = ObjectId::TWO;
const CALLED: ObjectId = ObjectId::THREE;

fn event(package: ObjectId, module: &str, name: &str, contents: Vec<u8>) -> proto::Event {
    proto::Event::default()
        .with_event_type(format!("{package}::{module}::{name}"))
        .with_contents(proto::Bcs::from(contents))
}

fn claimed() -> ContractEvent {
    atoma_domain::events::ClaimedStack {
        stack_small_id: StackSmallId::new(1),
        selected_node_id: atoma_domain::NodeSmallId::new(2),
        num_claimed_compute_units: atoma_domain::ComputeUnits::new(3),
        user_refund_amount: atoma_domain::MicroUsdc::new(4),
    }
    .into()
}

fn types() -> EventTypes {
    EventTypes::new(DEFINING, CALLED)
}

#[test]
fn the_contracts_events_are_decoded_and_others_left_out() {
    let bytes = claimed().encode().unwrap();
    let events = [
        event(ObjectId::ZERO, "db", "ClaimedStackEvent", bytes.clone()),
        event(DEFINING, "coin", "ClaimedStackEvent", bytes.clone()),
        event(DEFINING, "db", "ClaimedStackEvent", bytes.clone()),
        event(DEFINING, "db", "EventOfTheFuture", bytes.clone()),
        event(CALLED, "db", "ClaimedStackEvent", bytes),
    ];
    let decoded = types().decode(&events, Digest::ZERO).unwrap();
    assert_eq!(decoded, vec![claimed(), claimed()]);
}

#[test]
fn a_malformed_event_is_an_error_unless_decoded_leniently() {
    let bytes = claimed().encode().unwrap();
    let events = [
        event(DEFINING, "db", "ClaimedStackEvent", bytes[..20].to_vec()),
        event(DEFINING, "db", "ClaimedStackEvent", bytes),
    ];
    assert!(types().decode(&events, Digest::ZERO).is_err());
    assert_eq!(
        types().decode_leniently(&events, Digest::ZERO),
        vec![claimed()]
    );
}

#[test]
fn every_event_of_the_vectors_is_decoded() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/events.json")).unwrap();
    let mut count = 0;
    for (name, examples) in vectors.as_object().unwrap() {
        for example in examples.as_array().unwrap() {
            let bytes = hex::decode(example["bcs_hex"].as_str().unwrap()).unwrap();
            let events = [event(DEFINING, "db", name, bytes.clone())];
            let decoded = types().decode(&events, Digest::ZERO).unwrap();
            assert_eq!(decoded[0].name(), name);
            assert_eq!(decoded[0].encode().unwrap(), bytes);
            count += 1;
        }
    }
    assert!(count >= ContractEvent::NAMES.len());
}
