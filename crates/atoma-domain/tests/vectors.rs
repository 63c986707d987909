//! The contract's own events and settlement proofs, byte for byte (`tests/vectors/events.json`,
//! `event_schema.json`, `proofs.json` of the repository).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use atoma_domain::Hash32;
use atoma_domain::events::{ContractEvent, EventError};
use atoma_domain::settlement::{SELECTED_NODE_INDEX, SettlementProof, commitment, leaf};
use serde::Deserialize;
use serde_json::{Map, Value};

fn vector<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors")
        .join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[derive(Deserialize)]
struct EventCase {
    fields: Map<String, Value>,
    bcs_hex: String,
}

#[derive(Deserialize)]
struct SchemaField {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

type Schema = BTreeMap<String, Vec<SchemaField>>;

/// The vectors' JSON in the form of the domain's types. In the vectors, integers beyond 2⁵³ are
/// strings, and byte vectors have no `0x`.
fn in_domain_form(schema: &[SchemaField], fields: &Map<String, Value>) -> Map<String, Value> {
    fn integer(value: &Value) -> Value {
        match value {
            Value::String(digits) => digits.parse::<u64>().unwrap().into(),
            other => other.clone(),
        }
    }
    assert_eq!(fields.len(), schema.len());
    schema
        .iter()
        .map(|field| {
            let value = &fields[&field.name];
            let converted = match field.kind.as_str() {
                "u64" | "u16" | "Option<u8>" => integer(value),
                "vector<u64 newtype>" => value.as_array().unwrap().iter().map(integer).collect(),
                "vector<u8>" => format!("0x{}", value.as_str().unwrap()).into(),
                "32-byte id/address" | "ascii string" | "Option<ascii string>" => value.clone(),
                other => panic!("unknown type {other} in the schema"),
            };
            (field.name.clone(), converted)
        })
        .collect()
}

#[test]
fn every_event_decodes_to_its_fields_and_encodes_to_its_bytes() {
    let schema: Schema = vector("event_schema.json");
    let events: BTreeMap<String, Vec<EventCase>> = vector("events.json");
    let mut cases = 0;
    for (name, list) in &events {
        assert!(!list.is_empty(), "{name}");
        for case in list {
            cases += 1;
            let bytes = hex::decode(&case.bcs_hex).unwrap();
            let decoded = ContractEvent::decode(name, &bytes).unwrap();
            assert_eq!(decoded.name(), name);
            assert_eq!(decoded.encode().unwrap(), bytes, "{name}");

            let Value::Object(tagged) = serde_json::to_value(&decoded).unwrap() else {
                panic!("{name} is not an object");
            };
            let (tag, printed) = tagged.into_iter().next().unwrap();
            let expected = Value::Object(in_domain_form(&schema[name], &case.fields));
            assert_eq!(printed, expected, "{name}");

            // And from the named fields alone, without the decoder.
            let built: ContractEvent =
                serde_json::from_value(Value::Object(Map::from_iter([(tag, expected)]))).unwrap();
            assert_eq!(built.encode().unwrap(), bytes, "{name}");
        }
    }
    assert!(cases >= 2 * ContractEvent::NAMES.len());
}

#[test]
fn every_event_of_the_contract_is_known_with_its_fields_in_order() {
    let schema: Schema = vector("event_schema.json");
    let events: BTreeMap<String, Vec<EventCase>> = vector("events.json");
    let mut known: Vec<&str> = ContractEvent::NAMES.to_vec();
    known.sort_unstable();
    assert_eq!(known, schema.keys().collect::<Vec<_>>());
    assert_eq!(known, events.keys().collect::<Vec<_>>());
    for (name, fields) in &schema {
        let bytes = hex::decode(&events[name][0].bcs_hex).unwrap();
        let text = serde_json::to_string(&ContractEvent::decode(name, &bytes).unwrap()).unwrap();
        let places: Vec<usize> = fields
            .iter()
            .map(|field| text.find(&format!("\"{}\":", field.name)).unwrap())
            .collect();
        assert!(places.is_sorted(), "{name}: {text}");
    }
}

#[test]
fn bytes_that_are_no_such_event_are_refused() {
    let events: BTreeMap<String, Vec<EventCase>> = vector("events.json");
    for (name, list) in &events {
        let bytes = hex::decode(&list[0].bcs_hex).unwrap();
        let mut longer = bytes.clone();
        longer.push(0);
        for wrong in [&bytes[..bytes.len() - 1], &longer] {
            assert!(
                matches!(
                    ContractEvent::decode(name, wrong),
                    Err(EventError::Malformed { .. })
                ),
                "{name}"
            );
        }
    }
    assert!(matches!(
        ContractEvent::decode("SomethingElseEvent", &[]),
        Err(EventError::Unknown(name)) if name == "SomethingElseEvent"
    ));
}

#[derive(Deserialize)]
struct Proofs {
    leaf_rule: String,
    cases: Vec<ProofCase>,
}

#[derive(Deserialize)]
struct ProofCase {
    case: String,
    attestations: Vec<AttestationCase>,
    extra_nodes_count: u64,
    root_hex: Hash32,
    committed_hex: Hash32,
    requested_attestation_nodes: Vec<u64>,
    attester_committed_hex: Option<Hash32>,
    stack_merkle_leaves_vector_hex: String,
    #[serde(default)]
    leaves_hex: Vec<Hash32>,
    outcome: String,
    #[serde(rename = "blake2b256_of_final_leaves_vector_hex")]
    final_leaves_hash: Hash32,
    matches_committed: bool,
    committed_rule: Option<String>,
}

#[derive(Deserialize)]
struct AttestationCase {
    node: u64,
    index_in_requested: usize,
    leaf_index: Option<u8>,
    leaf_hex: Option<Hash32>,
}

#[test]
fn every_proof_of_the_contract_is_computed_alike() {
    let proofs: Proofs = vector("proofs.json");
    assert_eq!(proofs.leaf_rule, "leaf(i) = blake2b256(byte(i) || root)");
    for case in &proofs.cases {
        check_leaves(case);
        check_commitment(case);
        check_outcome(case);
    }
}

fn check_leaves(case: &ProofCase) {
    let name = &case.case;
    for (index, expected) in case.leaves_hex.iter().enumerate() {
        let index = u8::try_from(index).unwrap();
        assert_eq!(leaf(index, &case.root_hex), *expected, "{name}");
    }
    let slots = hex::decode(&case.stack_merkle_leaves_vector_hex).unwrap();
    assert_eq!(
        slots[..32],
        leaf(SELECTED_NODE_INDEX, &case.root_hex).as_bytes()[..],
        "{name}"
    );
    let requested = case.requested_attestation_nodes.len();
    for attestation in &case.attestations {
        let place = attestation.index_in_requested;
        assert_eq!(
            case.requested_attestation_nodes[place], attestation.node,
            "{name}"
        );
        let proof =
            SettlementProof::of_attester(&case.root_hex, slots.len(), requested, place).unwrap();
        if let (Some(index), Some(expected)) = (attestation.leaf_index, attestation.leaf_hex) {
            assert_eq!(leaf(index, &case.root_hex), expected, "{name}");
            // One case sends the leaf of a wrong index on purpose.
            let right = usize::from(index) == place + 1;
            assert_eq!(proof.leaf == expected, right, "{name}");
            assert!(right || case.outcome == "dispute", "{name}");
            assert_eq!(
                slots[32 * (place + 1)..32 * (place + 2)],
                expected.as_bytes()[..],
                "{name}"
            );
        }
    }
}

fn check_commitment(case: &ProofCase) {
    let name = &case.case;
    let n = case.extra_nodes_count;
    let drawn = u64::try_from(case.requested_attestation_nodes.len()).unwrap();
    let root = &case.root_hex;
    let full = commitment(root, n, n).unwrap();
    match case.committed_rule.as_deref() {
        Some("blake2b256(leaf0..leafExtra)") => assert_eq!(case.committed_hex, full, "{name}"),
        Some("blake2b256(leaf0..leafM then zero slots)") => {
            // M: the places that get a leaf. A node drawn twice fills its first place only.
            let filled: BTreeSet<u64> = case.requested_attestation_nodes.iter().copied().collect();
            let filled = u64::try_from(filled.len()).unwrap();
            assert!(filled < n, "{name}");
            let proof = SettlementProof::of_selected_node(root, n, filled).unwrap();
            assert_eq!(case.committed_hex, proof.commitment, "{name}");
            assert_ne!(case.committed_hex, full, "{name}");
        }
        Some("leaf0") => {
            assert_eq!(
                case.committed_hex,
                leaf(SELECTED_NODE_INDEX, root),
                "{name}"
            );
        }
        None => assert_ne!(
            case.attester_committed_hex,
            Some(case.committed_hex),
            "{name}"
        ),
        Some(other) => panic!("unknown rule {other}"),
    }
    // What an attester derives from the ticket alone agrees with what the contract would accept.
    let slots = case.stack_merkle_leaves_vector_hex.len() / 2;
    assert_eq!(u64::try_from(slots).unwrap(), 32 * (n + 1), "{name}");
    if drawn > 0 {
        let proof =
            SettlementProof::of_attester(root, slots, case.requested_attestation_nodes.len(), 0)
                .unwrap();
        assert_eq!(
            proof.commitment,
            commitment(root, n, drawn).unwrap(),
            "{name}"
        );
        // A draw that names one node twice settles only for a commitment made knowing the draw,
        // which no honest node can be: the draw comes after it.
        let distinct: BTreeSet<&u64> = case.requested_attestation_nodes.iter().collect();
        if case.outcome == "settled" && distinct.len() == case.requested_attestation_nodes.len() {
            assert_eq!(proof.commitment, case.committed_hex, "{name}");
        }
    }
}

fn check_outcome(case: &ProofCase) {
    let name = &case.case;
    let slots = hex::decode(&case.stack_merkle_leaves_vector_hex).unwrap();
    let hash = Hash32::of(&[&slots]);
    assert_eq!(hash, case.final_leaves_hash, "{name}");
    assert_eq!(case.matches_committed, hash == case.committed_hex, "{name}");
    assert_eq!(case.outcome == "settled", case.matches_committed, "{name}");
}
