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
        event(CALLED, "db", "ClaimedStackEvent", bytes.clone()),
        proto::Event::default()
            .with_event_type("no type".to_owned())
            .with_contents(proto::Bcs::from(bytes)),
    ];
    let decoded = types().decode(&events, Digest::ZERO).unwrap();
    assert_eq!(decoded.events, [claimed(), claimed()]);
    assert_eq!(decoded.set_aside, []);
}

#[test]
fn events_that_this_version_cant_read_are_set_aside() {
    let bytes = claimed().encode().unwrap();
    let long = vec![7; MAX_SET_ASIDE_BYTES + 1];
    let events = [
        event(DEFINING, "db", "ClaimedStackEvent", bytes[..20].to_vec()),
        event(DEFINING, "db", "ClaimedStackEvent", bytes.clone()),
        event(CALLED, "db", "EventOfTheFuture<vector<|u64|>>", long),
    ];
    let Decoded { events, set_aside } = types().decode(&events, Digest::ZERO).unwrap();
    assert_eq!(events, [claimed()]);
    assert_eq!(set_aside.len(), 2);
    assert_eq!(set_aside[0].index, 0);
    assert_eq!(set_aside[0].contents, bytes[..20]);
    assert!(set_aside[0].reason.contains("malformed ClaimedStackEvent"));
    assert_eq!(set_aside[1].index, 2);
    assert_eq!(set_aside[1].contents.len(), MAX_SET_ASIDE_BYTES);
    let future = format!("{CALLED}::db::EventOfTheFuture<vector<|u64|>>");
    assert_eq!(set_aside[1].event_type, future);
    assert!(set_aside[1].reason.contains("unknown event"));
}

/// Another answer of the node may have it.
#[test]
fn an_event_without_type_or_contents_is_an_error() {
    let bytes = claimed().encode().unwrap();
    let no_type = proto::Event::default().with_contents(proto::Bcs::from(bytes.clone()));
    let name = format!("{DEFINING}::db::ClaimedStackEvent");
    let no_contents = proto::Event::default().with_event_type(name);
    for event in [no_type, no_contents] {
        assert!(types().decode(&[event], Digest::ZERO).is_err());
    }
}

#[test]
fn outcomes_have_the_events_that_can_be_read() {
    let bytes = claimed().encode().unwrap();
    let events = [
        event(DEFINING, "db", "ClaimedStackEvent", bytes[..20].to_vec()),
        proto::Event::default(),
        event(DEFINING, "db", "ClaimedStackEvent", bytes),
    ];
    let read = types().decode_leniently(&events, Digest::ZERO);
    assert_eq!(read, [claimed()]);
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
            assert_eq!(decoded.events[0].name(), name);
            assert_eq!(decoded.events[0].encode().unwrap(), bytes);
            count += 1;
        }
    }
    assert!(count >= ContractEvent::NAMES.len());
}
