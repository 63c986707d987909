//! A database with served stacks and many transactions.

use std::path::Path;

use atoma_domain::journal::{Action, Actor, Failure, GasOptions};
use atoma_domain::model::NewMessage;
use atoma_domain::ports::ServedWork;
use atoma_domain::{Address, ComputeUnits, Hash32, NodeSmallId, StackSmallId, TimestampMs};
use atoma_state::{SqliteState, StateOptions};
use serde_json::json;

/// The units of each stack.
pub(crate) const STACK_UNITS: u64 = 1_000;

/// Pairs of filters of which each alone matches about half of the transactions, or all of a stack, and both
/// together only a few.
pub(crate) const FILTERS: [&str; 6] = [
    "kind=claim_stack&status=failed",
    "kind=claim_stack&node_small_id=2",
    "status=failed&node_small_id=1",
    "kind=claim_stack&stack_small_id=5",
    "status=failed&stack_small_id=5",
    "node_small_id=2&stack_small_id=5",
];

/// Serves 97 % of each stack, and 99 % of every two-thousandth. Adds that many transactions.
pub(crate) async fn database(path: &Path, stacks: &[StackSmallId], intents: u64) {
    let store = SqliteState::open_undurable(path, StateOptions::default())
        .await
        .unwrap();
    for (place, stack) in stacks.iter().enumerate() {
        let units = if place % 2_000 == 1_999 { 990 } else { 970 };
        let hash = Hash32::of(&[&stack.get().to_le_bytes()]);
        let message = NewMessage::new(*stack, hash, ComputeUnits::new(units), TimestampMs::new(1));
        store.record_message(&message).await.unwrap();
    }
    store.run(transactions(intents)).await.unwrap();
    store.close().await;
}

/// The statements that insert transactions. Half of them are successful claims of node 1, and half failed
/// attestations of node 2; every five-thousandth claim failed, and every seven-thousandth is of node 2.
fn transactions(count: u64) -> &'static str {
    let actor = Actor::Node {
        node_small_id: NodeSmallId::new(1),
        node_badge_id: Address::ZERO,
        address: Address::ZERO,
    };
    let stack_small_id = StackSmallId::new(1);
    let claim = Action::ClaimStack { stack_small_id };
    let attest = Action::AttestSettlement {
        stack_small_id,
        allow_dispute: false,
    };
    let failure = Failure::UnknownStack { stack_small_id };
    let text = |value: serde_json::Value| value.to_string();
    let (actor, gas) = (text(json!(actor)), text(json!(GasOptions::default())));
    let (claim, attest) = (text(json!(claim)), text(json!(attest)));
    let failure = text(json!(failure));
    // Only the transitions of the state machine lead to a final status, and those need signed attempts.
    let statements = format!(
        "DROP TRIGGER intents_begin_queued;
         WITH RECURSIVE numbers(i) AS (
             SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count}
         ),
         drawn AS (
             SELECT i, i % 2 = 0 AS is_claim, i % 2 = 1 OR i % 5000 = 0 AS has_failed,
                 1 + (i % 2 = 1 OR i % 7000 = 0) AS node
             FROM numbers
         )
         INSERT INTO intents (kind, action, actor, gas, node_small_id, stack_small_id, action_key,
             holds_key, status, failure, created_at, updated_at)
         SELECT iif(is_claim, 'claim_stack', 'attest_settlement'), iif(is_claim, '{claim}', '{attest}'),
             '{actor}', '{gas}', unhex(printf('%016X', node)), unhex(printf('%016X', 1 + i / 10)), 'bench' || i,
             NOT has_failed, iif(has_failed, 'failed', 'succeeded'), iif(has_failed, '{failure}', NULL),
             zeroblob(8), zeroblob(8)
         FROM drawn;"
    );
    // The store takes statements that live as long as the program.
    statements.leak()
}
