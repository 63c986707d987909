//! Served messages, and what must be on chain for them.

use atoma_domain::events::ContractEvent;
use atoma_domain::settlement::{StackAccumulator, commitment};
use atoma_domain::{Digest, Hash32};
use serde_json::{Value, json};

use super::{NONE, SAMPLING, TestWorld};

/// The hash of a stack's message with this number.
pub(crate) fn message(stack: u64, number: u64) -> Hash32 {
    Hash32::of(&[&stack.to_le_bytes(), &number.to_le_bytes()])
}

/// The Merkle root over a stack's first messages.
pub(crate) fn root(stack: u64, messages: u64) -> Hash32 {
    let mut accumulator = StackAccumulator::new();
    for number in 0..messages {
        accumulator.append(message(stack, number)).unwrap();
    }
    accumulator.root().unwrap()
}

/// The commitment over a stack's first messages, as a ticket on chain shows it: `n` extra nodes,
/// of which `m` can be drawn.
pub(crate) fn proof(stack: u64, messages: u64, n: u64, m: u64) -> Value {
    let commitment = commitment(&root(stack, messages), n, m).unwrap();
    json!(commitment.to_string().trim_start_matches("0x"))
}

impl TestWorld {
    /// Records `messages` messages of `units` compute units each on a stack.
    pub(crate) async fn record(&self, stack: u64, messages: u64, units: u64) -> Value {
        let mut answer = Value::Null;
        for number in 0..messages {
            answer = self.record_one(stack, number, units).await;
        }
        assert_eq!(answer["merkle_root"], json!(root(stack, messages)));
        answer
    }

    /// Records the message with this number.
    pub(crate) async fn record_one(&self, stack: u64, number: u64, units: u64) -> Value {
        let body = json!({
            "stack_small_id": stack,
            "message_hash": message(stack, number),
            "num_compute_units": units,
        });
        self.post_ok("/stack_messages", body).await
    }

    /// Settles stacks, which must succeed.
    pub(crate) async fn settle(&self, stacks: &[u64]) -> Value {
        let body = json!({"stack_small_ids": stacks});
        self.post_ok("/try_settle_stack_ids", body).await
    }

    /// Attests stacks with every drawn node, which must succeed.
    pub(crate) async fn attest(&self, stacks: &[u64]) -> Value {
        let body = json!({"stack_small_ids": stacks});
        self.post_ok("/submit_stack_settlement_attestations", body)
            .await
    }

    /// Claims stacks, which must succeed.
    pub(crate) async fn claim(&self, stacks: &[u64]) -> Value {
        self.post_ok("/claim_funds", json!({"stack_small_ids": stacks}))
            .await
    }

    /// A stack as `GET /claimed_stacks` shows it.
    pub(crate) async fn settled(&self, stack: u64) -> Value {
        find(&self.list("/claimed_stacks").await, stack)
    }

    /// A stack as `GET /stacks` shows it.
    pub(crate) async fn stack(&self, stack: u64) -> Value {
        find(&self.list("/stacks").await, stack)
    }
}

fn find(list: &[Value], stack: u64) -> Value {
    let found = list.iter().find(|entry| entry["stack_small_id"] == stack);
    found.cloned().unwrap_or(Value::Null)
}

/// The stack of an event, and the node that acted.
fn subject(event: &ContractEvent) -> Option<(u64, Option<u64>)> {
    match event {
        ContractEvent::StackTrySettle(event) => Some((
            event.stack_small_id.get(),
            Some(event.selected_node_id.get()),
        )),
        ContractEvent::NewStackSettlementAttestation(event) => Some((
            event.stack_small_id.get(),
            Some(event.attestation_node_id.get()),
        )),
        ContractEvent::StackSettlementTicketClaimed(event) => Some((
            event.stack_small_id.get(),
            Some(event.selected_node_id.get()),
        )),
        ContractEvent::ClaimedStack(event) => Some((event.stack_small_id.get(), None)),
        _ => None,
    }
}

impl TestWorld {
    /// Checks on chain that the transaction of each successful result in an answer is about the
    /// result's stack and node.
    pub(crate) async fn assert_own_digests(&self, answer: &Value) {
        for result in answer["results"].as_array().unwrap() {
            if result["status"] != "succeeded" {
                continue;
            }
            let digest: Digest = result["tx_digest"].as_str().unwrap().parse().unwrap();
            let chain = &self.operator.ports().chain;
            let executed = chain.lookup(digest).await.unwrap().unwrap();
            let did = executed.events.iter().filter_map(subject);
            let is_this = |(stack, node): (u64, Option<u64>)| {
                result["stack_small_id"] == stack
                    && node.is_none_or(|node| result["node_small_id"] == node)
            };
            assert!(did.into_iter().any(is_this), "{result}");
        }
    }
}

/// The digests of an answer.
pub(crate) fn digests(answer: &Value) -> Vec<String> {
    let digests = answer["tx_digests"].as_array().unwrap();
    digests
        .iter()
        .map(|digest| digest.as_str().unwrap().to_owned())
        .collect()
}

/// The statuses of an answer's results, in order.
pub(crate) fn statuses(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap();
    results
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect()
}

/// Every list that the daemon serves, to compare before and after.
pub(crate) const READS: &[&str] = &[
    "/nodes",
    "/tasks",
    "/subscriptions",
    "/stacks",
    "/almost_filled_stacks/0.0",
    "/claimed_stacks",
    "/node_keys",
    "/attestations_due",
    "/against_attestation_disputes",
    "/own_attestation_disputes",
    "/transactions",
];

/// A world with a settled, an attested and an open stack.
pub(crate) async fn populated() -> TestWorld {
    let world = TestWorld::start(&[SAMPLING, NONE], 2).await;
    let stacks = world.buy(1, 1, 1_000_000, 1_000, 3).await;
    for stack in &stacks {
        world.record(*stack, 2, 10).await;
        world.draw(*stack, &[2]);
    }
    world.settle(&stacks[..2]).await;
    world.attest(&stacks[..1]).await;
    world
}

pub(crate) async fn dump(world: &TestWorld) -> Vec<Value> {
    let mut dump = Vec::new();
    for path in READS {
        dump.push(Value::from(world.list(path).await));
    }
    dump
}
