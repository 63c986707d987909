//! `events.json`: the same calls emit the same events as the published contract.

use atoma_domain::Hash32;
use serde_json::Value;

use super::chain::{CONFIDENTIAL, NONE, PRICE, SAMPLING, TestChain, UNITS, USER, pure};
use super::vectors::{bytes, comparable, expected, load, number, numbers, text};

/// Buys stacks of task 1 from node 1 up to stack `id`, the last one with these units and price.
fn stack(chain: &mut TestChain, level: u16, id: u64, units: u64, price: u64) {
    let task = chain.create_task(level, None, true);
    for node in 1..=4 {
        chain.subscribe(node, task, PRICE.min(price)).unwrap();
    }
    for _ in 1..id {
        chain.stack(task);
    }
    let wallet = chain.wallet;
    chain.buy(wallet, task, units, price, Some(1)).unwrap();
}

/// The same for a sampling-consensus stack, which is then settled with these attesters drawn.
fn settled(chain: &mut TestChain, id: u64, claimed: u64, proof: &[u8], leaf: &[u8], drawn: &[u64]) {
    chain.always_sample(u64::try_from(drawn.len()).unwrap());
    stack(chain, SAMPLING, id, UNITS, PRICE);
    chain
        .settle_with(1, id, claimed, proof, leaf, Some(drawn))
        .unwrap();
}

/// Calls the contract so that the event is the last one it emits.
fn provoke(chain: &mut TestChain, name: &str, fields: &Value) {
    let id = |field: &str| number(&fields[field]);
    let price = || number(&fields["price_per_one_million_compute_units"]);
    match name {
        "NodeRegisteredEvent" => {
            *chain = TestChain::new(id("node_small_id"));
        }
        "NewKeyRotationEvent" => {
            chain.epoch = id("epoch");
            for _ in 0..id("key_rotation_counter") {
                chain.rotate_network();
            }
        }
        "NodePublicKeyCommittmentEvent" => {
            chain.epoch = id("epoch");
            for _ in 0..id("key_rotation_counter") {
                chain.rotate_network();
            }
            let key = bytes(&fields["new_public_key"]);
            let evidence = bytes(&fields["evidence_bytes"]);
            let device = u16::try_from(id("device_type")).unwrap();
            let counter = id("key_rotation_counter");
            chain
                .rotate(id("node_id"), &key, &evidence, counter, device)
                .unwrap();
        }
        "NodeSubscribedToModelEvent" => {
            let (model, echelon) = (text(fields, "model_name"), id("echelon_id"));
            chain
                .manage("add_model_entry", &[pure(model), pure(&0_u64)])
                .unwrap();
            let numbers = [
                pure(model),
                pure(&echelon),
                pure(&1_u64),
                pure(&1_u64),
                pure(&1_u64),
            ];
            chain.manage("add_model_echelon_entry", &numbers).unwrap();
            let arguments = [pure(model), pure(&echelon)];
            chain
                .as_node(id("node_small_id"), "add_node_to_model", &arguments)
                .unwrap();
        }
        "NodeSubscribedToTaskEvent" => {
            chain.task(NONE, &[]);
            chain
                .subscribe(id("node_small_id"), id("task_small_id"), price())
                .unwrap();
        }
        "NodeSubscriptionUpdatedEvent" => {
            chain.task(NONE, &[id("node_small_id")]);
            chain
                .update(id("node_small_id"), id("task_small_id"), price())
                .unwrap();
        }
        "TaskRegisteredEvent" => {
            let role = u16::try_from(id("role")).unwrap();
            let level = u16::try_from(id("security_level")).unwrap();
            let reputation = u8::try_from(id("minimum_reputation_score")).unwrap();
            let arguments = [
                pure(&role),
                pure(&Some(text(fields, "model_name"))),
                pure(&Some(level)),
                pure(&Some(reputation)),
                pure(&true),
            ];
            chain.manage("create_task_entry", &arguments).unwrap();
        }
        "TaskDeprecationEvent" => {
            chain.epoch = id("epoch");
            chain.task(NONE, &[]);
            chain.deprecate(id("task_small_id")).unwrap();
        }
        "TaskRemovedEvent" => {
            chain.epoch = id("removed_at_epoch") - 1;
            chain.task(NONE, &[]);
            chain.deprecate(id("task_small_id")).unwrap();
            chain.epoch += 1;
            chain.remove_task(id("task_small_id")).unwrap();
        }
        "StackCreatedEvent" => {
            assert_eq!(text(fields, "owner"), USER.to_string());
            let units = id("num_compute_units");
            stack(chain, NONE, id("stack_small_id"), units, price());
        }
        "ClaimedStackEvent" => {
            let claimed = id("num_claimed_compute_units");
            stack(chain, CONFIDENTIAL, id("stack_small_id"), claimed, PRICE);
            chain
                .claim_confidential(1, &[id("stack_small_id")], &[claimed])
                .unwrap();
        }
        _ => provoke_settlement(chain, name, fields),
    }
}

fn provoke_settlement(chain: &mut TestChain, name: &str, fields: &Value) {
    let stack_id = number(&fields["stack_small_id"]);
    let proof = |field: &str| bytes(&fields[field]);
    match name {
        "StackTrySettleEvent" => settled(
            chain,
            stack_id,
            number(&fields["num_claimed_compute_units"]),
            &proof("committed_stack_proof"),
            &proof("stack_merkle_leaf"),
            &numbers(&fields["requested_attestation_nodes"]),
        ),
        "NewStackSettlementAttestationEvent" => {
            let attester = number(&fields["attestation_node_id"]);
            let commitment = proof("committed_stack_proof");
            // A second attester is drawn, so that this attestation does not complete the ticket.
            settled(chain, stack_id, 1, &commitment, &[0; 32], &[attester, 1]);
            let leaf = proof("stack_merkle_leaf");
            chain
                .attest_with(attester, stack_id, &commitment, &leaf)
                .unwrap();
        }
        "StackAttestationDisputeEvent" => {
            let original = proof("original_commitment");
            settled(chain, stack_id, 1, &original, &[0; 32], &[1]);
            let arguments = [pure(&stack_id), pure(&proof("attestation_commitment"))];
            let plaintiff = number(&fields["attestation_node_id"]);
            chain
                .as_node(plaintiff, "start_attestation_dispute", &arguments)
                .unwrap();
        }
        "StackSettlementTicketClaimedEvent" => {
            let claimed = number(&fields["num_claimed_compute_units"]);
            let drawn = numbers(&fields["attestation_nodes"]);
            chain.always_sample(u64::try_from(drawn.len()).unwrap());
            stack(chain, SAMPLING, stack_id, claimed, PRICE);
            let leaf = [5; 32];
            chain
                .settle_with(1, stack_id, claimed, &leaf, &leaf, Some(&drawn))
                .unwrap();
            chain.epoch += 1;
            chain.claim(1, &[stack_id]).unwrap();
        }
        other => panic!("no calls for {other}"),
    }
}

#[test]
fn events_are_emitted_as_measured() {
    let vectors = load("events.json");
    let emitted = |name: &str| {
        let all = vectors[name].as_array().unwrap();
        all.iter().filter(|vector| vector["source"] == "emitted")
    };
    for name in vectors.as_object().unwrap().keys() {
        for vector in emitted(name) {
            // Covered by `proofs.json` and by the next test.
            if name == "StackSettlementTicketEvent" {
                continue;
            }
            let mut chain = TestChain::new(4);
            provoke(&mut chain, name, &vector["fields"]);
            let last = chain.events.last().unwrap();
            let mut actual = comparable(std::slice::from_ref(last));
            let mut wanted = expected(&serde_json::json!([
                { "type": name, "fields": vector["fields"] }
            ]));
            if name == "NewKeyRotationEvent" {
                // Random in both.
                actual[0]["fields"]["nonce"] = Value::Null;
                wanted[0]["fields"]["nonce"] = Value::Null;
            }
            assert_eq!(actual, wanted, "{vector}");
            let length = text(vector, "bcs_hex").len() / 2;
            assert_eq!(last.encode().unwrap().len(), length, "{vector}");
        }
    }
}

#[test]
fn a_completed_ticket_has_the_epoch_of_its_last_attestation() {
    let vectors = load("events.json");
    let of = |name: &str, scenario: &str| -> Value {
        let all = vectors[name].as_array().unwrap();
        let found = all.iter().find(|vector| vector["scenario"] == scenario);
        found.unwrap()["fields"].clone()
    };
    let scenario = "tour/1/1";
    let settle = of("StackTrySettleEvent", scenario);
    let attestation = of("NewStackSettlementAttestationEvent", scenario);
    let ticket = of("StackSettlementTicketEvent", scenario);
    let proof = bytes(&settle["committed_stack_proof"]);
    let (own, other) = (
        bytes(&settle["stack_merkle_leaf"]),
        bytes(&attestation["stack_merkle_leaf"]),
    );
    assert_eq!(Hash32::of(&[&own, &other]).as_bytes()[..], proof);

    let mut chain = TestChain::new(4);
    chain.epoch = number(&ticket["dispute_settled_at_epoch"]);
    let claimed = number(&settle["num_claimed_compute_units"]);
    settled(&mut chain, 1, claimed, &proof, &own, &[2]);
    chain.attest_with(2, 1, &proof, &other).unwrap();
    let wanted = expected(&serde_json::json!([
        { "type": "NewStackSettlementAttestationEvent", "fields": attestation },
        { "type": "StackSettlementTicketEvent", "fields": ticket },
    ]));
    let actual = comparable(&chain.events);
    assert_eq!(actual[actual.len() - 2..], wanted);
}
