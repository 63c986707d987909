//! `proofs.json`: settlements with forced draws, and all their attestations.

use super::chain::{SAMPLING, TestChain};
use super::vectors::{bytes, comparable, expected, load, number, numbers, text};
use atoma_domain::StackSmallId;

#[test]
fn settlements_have_the_measured_results() {
    let vectors = load("proofs.json");
    let cases = vectors["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for vector in cases {
        let case = text(vector, "case");
        let settle = &vector["events"][0]["fields"];
        let stack = number(&settle["stack_small_id"]);
        let proof = bytes(&vector["committed_hex"]);
        let mut chain = TestChain::new(4);
        chain.epoch = number(&vector["epoch"]);
        chain.always_sample(number(&vector["extra_nodes_count"]));
        let task = chain.task(SAMPLING, &[1, 2, 3, 4]);
        while chain.stack(task) < stack {}
        chain.events.clear();
        chain
            .settle_with(
                1,
                stack,
                number(&settle["num_claimed_compute_units"]),
                &proof,
                &bytes(&settle["stack_merkle_leaf"]),
                Some(&numbers(&vector["requested_attestation_nodes"])),
            )
            .unwrap();
        for attestation in vector["attestations"].as_array().unwrap() {
            let sent = match vector.get("attester_committed_hex") {
                Some(other) => bytes(other),
                None => proof.clone(),
            };
            // A case without a leaf never writes one.
            let leaf = attestation.get("leaf_hex").map_or(vec![9; 32], bytes);
            chain
                .attest_with(number(&attestation["node"]), stack, &sent, &leaf)
                .unwrap_or_else(|error| panic!("{case}: {error}"));
        }

        assert_eq!(
            comparable(&chain.events),
            expected(&vector["events"]),
            "{case}"
        );
        let state = chain.state();
        let ticket = &state.tickets[&StackSmallId::new(stack)];
        let ids = |nodes: &[atoma_domain::NodeSmallId]| -> Vec<u64> {
            nodes.iter().map(|node| node.get()).collect()
        };
        assert_eq!(
            ids(&ticket.requested_attestation_nodes),
            numbers(&vector["requested_attestation_nodes"]),
            "{case}"
        );
        assert_eq!(
            ids(&ticket.already_attested_nodes),
            numbers(&vector["already_attested_nodes"]),
            "{case}"
        );
        assert_eq!(
            ticket.stack_merkle_leaves_vector,
            text(vector, "stack_merkle_leaves_vector_hex"),
            "{case}"
        );
        assert_eq!(
            ticket.is_in_dispute,
            vector["is_in_dispute"].as_bool().unwrap(),
            "{case}"
        );
        assert_eq!(
            ticket.dispute_settled_at_epoch,
            number(&vector["ticket_dispute_settled_at_epoch"]),
            "{case}"
        );
    }
}
