//! Claims over HTTP pay what the contract's vectors say.

use serde_json::{Value, json};

use crate::support::work::{digests, statuses};
use crate::support::{CONFIDENTIAL, NONE, SAMPLING, TestWorld};

/// Payments measured by executing the contract.
const FEES: &str = include_str!("../../../../tests/vectors/fees.json");
/// Cases that a daemon doesn't go through: confidential stacks that are settled, or claimed without
/// any work (it refuses both), and one that ends in a dispute.
const REFUSED: &[&str] = &[
    "level1.claim_funds/0",
    "level1.claim_funds/2",
    "level1.claim_funds_for_stacks/3",
    "level2.extra2.two_attest/1b",
];

/// One number, or a list with one for each stack.
fn numbers(value: &Value) -> Vec<u64> {
    match value {
        Value::Array(several) => several.iter().map(|one| one.as_u64().unwrap()).collect(),
        one => vec![one.as_u64().unwrap()],
    }
}

/// The sum of the coins that a case pays to `user` or `node1`.
fn paid(case: &Value, to: &str) -> u64 {
    let coins = case["coins_after_claim"].as_array();
    let coins = coins.into_iter().flatten().filter(|coin| coin["to"] == to);
    coins.map(|coin| coin["amount"].as_u64().unwrap()).sum()
}

/// A node's shares, in the entries of a case or of the chain's state.
fn shares(entries: &Value, node: u64) -> u64 {
    let share = &entries[node.to_string()]["available_fee_amount"];
    share.as_u64().unwrap_or(0)
}

/// The USDC of the buyer and of the node, and the contract's treasury.
fn money(world: &TestWorld) -> (u64, u64, u64) {
    let treasury = world.network.state().unwrap()["fee_treasury"].as_u64();
    let buyer = world.network.buyer().to_string();
    (
        world.usdc(&buyer),
        world.usdc(&world.address()),
        treasury.unwrap(),
    )
}

/// Buys, serves, settles, attests and claims as in a case, and compares every payment.
async fn play(world: &TestWorld, case: &Value) {
    let name = case["case"].as_str().unwrap();
    let params = &case["params"];
    let level = params["security_level"].as_u64().unwrap();
    let extra = params["cross_validation_extra_nodes_count"].as_u64();
    world.parameters(json!({
        "cross_validation_extra_nodes_count": extra.unwrap_or(1),
        "sampling_consensus_charge_permille": params["sampling_consensus_charge_permille"],
        "cross_validation_extra_nodes_charge_permille":
            params["cross_validation_extra_nodes_charge_permille"],
    }));
    let price = params["price_per_one_million_compute_units"].as_u64();
    let claimed = numbers(&params["claimed_compute_units"]);
    let before = money(world);
    let mut stacks = Vec::new();
    for units in numbers(&params["num_compute_units"]) {
        stacks.push(world.buy_one(level + 1, 1, units, price.unwrap()).await);
    }
    let bought = money(world);
    if let Some(user_paid) = case["user_paid"].as_u64() {
        assert_eq!(before.0 - bought.0, user_paid, "{name}");
    }
    let requested = match &case["requested_attestation_nodes"] {
        Value::Array(nodes) => nodes.iter().map(|node| node.as_u64().unwrap()).collect(),
        _ => Vec::new(),
    };
    for (stack, claimed) in stacks.iter().zip(&claimed) {
        world.record(*stack, 1, *claimed).await;
        if level == u64::from(CONFIDENTIAL) {
            continue;
        }
        world.draw(*stack, &requested);
        world.settle(&[*stack]).await;
        let ticket = world.ticket(*stack);
        assert_eq!(ticket["requested_attestation_nodes"], json!(requested));
        assert_eq!(ticket["num_claimed_compute_units"], *claimed);
    }
    let shares_after = &case["node_fee_entries_after_claim"];
    let shares_before = &case["node_fee_entries_before_claim"];
    let earned = |node| shares(shares_after, node) - shares(shares_before, node);
    let attesters: Vec<u64> = (1..=4).filter(|node| earned(*node) > 0).collect();
    for node in &attesters {
        let body = json!({"stack_small_ids": stacks, "node_small_id": node});
        world
            .post_ok("/submit_stack_settlement_attestations", body)
            .await;
    }
    assert!(world.list("/own_attestation_disputes").await.is_empty());
    if level != u64::from(CONFIDENTIAL) {
        world.network.advance_epoch().unwrap();
    }
    let nodes_before = world.network.state().unwrap()["nodes"].clone();

    let ids = match &params["ids_in_call"] {
        Value::Array(ids) => {
            let place = |id: &Value| usize::try_from(id.as_u64().unwrap() - 1).unwrap();
            ids.iter().map(|id| stacks[place(id)]).collect()
        }
        _ => stacks.clone(),
    };
    let answer = world.claim(&ids).await;
    assert_eq!(digests(&answer).len(), 1, "{name}");
    assert_eq!(answer["tx_digest"], answer["tx_digests"][0]);
    world.assert_own_digests(&answer).await;
    let after = money(world);
    let (refund, payout) = (paid(case, "user"), paid(case, "node1"));
    assert_eq!(after.0 - bought.0, refund, "{name}: the buyer's refund");
    assert_eq!(after.1 - bought.1, payout, "{name}: the node's payment");
    assert_eq!(bought.2 - after.2, refund + payout, "{name}: the treasury");
    let nodes_after = world.network.state().unwrap()["nodes"].clone();
    for node in 1..=4 {
        let credited = shares(&nodes_after, node) - shares(&nodes_before, node);
        assert_eq!(credited, earned(node), "{name}: the shares of node {node}");
    }
    let mut refunded = 0;
    for stack in ids {
        if level == u64::from(CONFIDENTIAL) {
            assert_eq!(world.stack(stack).await["is_claimed"], true, "{name}");
        } else {
            let view = world.settled(stack).await;
            assert_eq!(view["is_claimed"], true, "{name}");
            refunded += view["user_refund_amount"].as_u64().unwrap();
            assert_eq!(world.ticket(stack), Value::Null);
        }
    }
    if level != u64::from(CONFIDENTIAL) {
        assert_eq!(
            refunded, refund,
            "{name}: the refund as the daemon shows it"
        );
    }
}

#[tokio::test]
async fn claims_pay_what_the_contract_pays() {
    let world = TestWorld::start(&[NONE, CONFIDENTIAL, SAMPLING], 4).await;
    let cases: Vec<Value> = serde_json::from_str(FEES).unwrap();
    let played = cases.iter().filter(|case| {
        let name = case["case"].as_str().unwrap();
        !REFUSED.contains(&name)
    });
    let mut count = 0;
    for case in played {
        assert_eq!(case["outcome"], "ok", "{case}");
        play(&world, case).await;
        count += 1;
    }
    assert_eq!(count, cases.len() - REFUSED.len());
}

/// The gas budget suffices for each claim, but not for all together.
#[tokio::test(flavor = "multi_thread")]
async fn claims_too_expensive_for_one_transaction_are_split() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000_000, 20).await;
    for stack in &stacks {
        world.record(*stack, 1, 5).await;
    }
    world.settle(&stacks).await;
    world.network.advance_epoch().unwrap();
    // Each claim creates a coin with the buyer's refund.
    let one = json!({"stack_small_ids": stacks[..1]});
    let rehearsed = world.post_ok("/claim_funds?dry_run=true", one).await;
    let gas = rehearsed["results"][0]["estimated_gas"].as_u64().unwrap();
    let ceiling = gas + gas / 100;
    world
        .restart_with(&format!("gas = {{budget_ceiling_mist = {ceiling}}}"))
        .await;
    assert!(digests(&world.claim(&stacks).await).len() > 1);
}

#[tokio::test]
async fn a_claim_before_its_time_names_the_epoch() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 1_000_000, 1_000).await;
    world.record(stack, 1, 5).await;
    let body = json!({"stack_small_ids": [stack]});
    let (status, answer) = world.post("/claim_funds", body.clone()).await;
    assert_eq!(status, 409);
    assert_eq!(answer["code"], "not_settled");

    world.settle(&[stack]).await;
    let (status, answer) = world.post("/claim_funds", body.clone()).await;
    assert_eq!(status, 409);
    assert_eq!(answer["code"], "not_yet_claimable");
    let from = answer["details"]["claimable_from_epoch"].as_u64().unwrap();
    assert_eq!(from, world.network.epoch() + 1);
    assert_eq!(answer["tx_digest"], Value::Null);

    world.network.advance_epoch().unwrap();
    assert_eq!(world.network.epoch(), from);
    world.claim(&[stack]).await;
    let (status, answer) = world.post("/claim_funds", body).await;
    assert_eq!(status, 409);
    assert_eq!(answer["code"], "already_claimed");
}

#[tokio::test]
async fn stacks_of_one_node_share_a_claim_and_a_bad_one_blocks_none() {
    let world = TestWorld::start(&[NONE], 2).await;
    let mut stacks = world.buy(1, 1, 1_000_000, 1_000, 2).await;
    stacks.extend(world.buy(1, 2, 1_000_000, 1_000, 2).await);
    let unsettled = world.buy_one(1, 1, 1_000_000, 1_000).await;
    for stack in &stacks {
        world.record(*stack, 1, 1_000_000).await;
    }
    world.settle(&stacks).await;
    world.network.advance_epoch().unwrap();
    let before = world.usdc(&world.address());
    let requested = [stacks[3], unsettled, stacks[0], stacks[2], 999, stacks[1]];
    let body = json!({"stack_small_ids": requested});
    let (status, answer) = world.post("/claim_funds", body).await;
    assert_eq!(status, 207);
    let expected = [
        "succeeded",
        "failed",
        "succeeded",
        "succeeded",
        "failed",
        "succeeded",
    ];
    assert_eq!(statuses(&answer), expected, "{answer}");
    assert_eq!(answer["results"][1]["error"]["code"], "not_settled");
    assert_eq!(answer["results"][4]["error"]["code"], "unknown_stack");
    assert_eq!(digests(&answer).len(), 2);
    world.assert_own_digests(&answer).await;
    assert_eq!(world.usdc(&world.address()) - before, 4_000);
}

#[tokio::test]
async fn a_confidential_stack_is_claimed_from_its_record_and_never_settled() {
    let world = TestWorld::start(&[CONFIDENTIAL], 1).await;
    let stack = world.buy_one(1, 1, 1_000_000, 1_000).await;
    let body = json!({"stack_small_ids": [stack]});
    let (status, answer) = world.post("/claim_funds", body.clone()).await;
    assert_eq!(status, 409);
    assert_eq!(answer["code"], "stack_has_no_messages");
    world.record(stack, 3, 100_000).await;
    let (status, answer) = world.post("/try_settle_stack_ids", body.clone()).await;
    assert_eq!(status, 409);
    assert_eq!(answer["code"], "needs_no_settlement");
    assert_eq!(world.ticket(stack), Value::Null);

    let before = world.usdc(&world.address());
    world.claim(&[stack]).await;
    assert_eq!(world.usdc(&world.address()) - before, 300);
    let (status, answer) = world.post("/claim_funds", body).await;
    assert_eq!(status, 409);
    assert_eq!(answer["code"], "already_claimed");
}

/// An attester's share is more than the purchase paid in. The next claim of its node is too large
/// for the treasury until there is another purchase.
#[tokio::test]
async fn a_short_treasury_is_reported_and_the_claim_succeeds_later() {
    let mut world = TestWorld::unregistered_with_tasks(&[SAMPLING, NONE]).await;
    world.parameters(json!({"cross_validation_probability_permille": 1000}));
    for _ in 0..2 {
        let node = world.register().await;
        world.subscribe(node, 1, 1).await;
        world.subscribe(node, 2, 1).await;
    }
    let attested = world.buy_one(1, 1, 1_000_000, 10_000).await;
    let own = world.buy_one(2, 2, 1_000_000, 10_000).await;
    for stack in [attested, own] {
        world.record(stack, 1, 1_000_000).await;
    }
    world.draw(attested, &[2]);
    world.settle(&[attested, own]).await;
    world.attest(&[attested]).await;
    world.network.advance_epoch().unwrap();
    world.claim(&[attested]).await;

    let body = json!({"stack_small_ids": [own]});
    let (status, answer) = world.post("/claim_funds", body).await;
    assert_eq!(status, 422, "{answer}");
    assert_eq!(answer["code"], "treasury_short");
    assert_eq!(answer["results"][0]["error"]["code"], "treasury_short");

    world.buy_one(2, 1, 1_000_000, 20_000).await;
    let before = world.usdc(&world.address());
    world.claim(&[own]).await;
    // For its own stack, and its share of the other one.
    assert_eq!(world.usdc(&world.address()) - before, 10_000 + 12_000);
}

/// The most stacks that one request may name, a hundred per transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_settled_stacks_are_claimed_in_twelve_transactions_at_most() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 1_000).await;
    for stack in &stacks {
        world.record_one(*stack, 0, 900).await;
    }
    // In parts, so that no request times out on a slow machine.
    for part in stacks.chunks(100) {
        world.settle(part).await;
    }
    world.network.advance_epoch().unwrap();
    let chain = &world.operator.ports().chain;
    let before = chain.height().await.unwrap();
    let answer = world.claim(&stacks).await;
    assert_eq!(statuses(&answer), ["succeeded"; 1_000]);
    let sent = digests(&answer).len();
    assert!(sent <= 12, "{sent} transactions");
    // Each transaction makes a checkpoint, so no other one was sent.
    let after = chain.height().await.unwrap();
    assert_eq!(after.get() - before.get(), u64::try_from(sent).unwrap());
    let tickets = world.network.state().unwrap()["tickets"].clone();
    let is_claimed = |stack: &u64| tickets[stack.to_string()].is_null();
    assert!(stacks.iter().all(is_claimed));
}
