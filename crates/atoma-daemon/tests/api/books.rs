//! The books over HTTP: a stack from its purchase to its payment, totals, lines and differences.

use atoma_localnet::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::support::{NONE, SAMPLING, TestWorld, assert_refused};

/// The kinds and amounts of a step.
fn amounts(step: &Value) -> Vec<(&str, u64)> {
    let amounts = step["amounts"].as_array().unwrap().iter();
    amounts
        .map(|line| {
            (
                line["kind"].as_str().unwrap(),
                line["amount"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn steps(history: &Value) -> Vec<&str> {
    let steps = history["steps"].as_array().unwrap().iter();
    steps.map(|step| step["step"].as_str().unwrap()).collect()
}

/// The example of `docs/books.md`: two of the operator's nodes, of which one attests the other's settlement.
#[tokio::test]
async fn a_stack_is_followed_from_its_purchase_to_its_payment() {
    let world = TestWorld::start(&[NONE, SAMPLING], 2).await;
    world.parameters(json!({
        "cross_validation_extra_nodes_count": 1,
        "sampling_consensus_charge_permille": 1_100,
        "cross_validation_extra_nodes_charge_permille": 20,
    }));
    let stack = world.buy_one(2, 1, 1_000_000, 800_000).await;
    let path = format!("/stacks/{stack}/history");
    let (_, history) = world.get(&path).await;
    assert_eq!(history["stage"], "bought", "{history}");
    assert_eq!(history["waits"]["reason"], "not_served");
    assert_eq!(history["is_complete"], true);
    assert_eq!(amounts(&history["steps"][0]), [("bought", 896_000)]);

    world.record(stack, 1, 9_000).await;
    let (_, history) = world.get(&path).await;
    assert_eq!(history["stage"], "served");
    assert_eq!(history["waits"]["reason"], "not_settled");

    world.draw(stack, &[2]);
    world.settle(&[stack]).await;
    let (_, history) = world.get(&path).await;
    assert_eq!(history["stage"], "settled");
    assert_eq!(history["waits"]["reason"], "missing_attestations");
    assert_eq!(history["waits"]["missing_nodes"], json!([2]));

    let attest = json!({"stack_small_ids": [stack]});
    world
        .post_ok("/submit_stack_settlement_attestations", attest)
        .await;
    let (_, history) = world.get(&path).await;
    assert_eq!(history["stage"], "attested");
    assert_eq!(history["waits"]["reason"], "epoch");

    world.network.advance_epoch().unwrap();
    let claim = json!({"stack_small_ids": [stack]});
    world.post_ok("/claim_funds", claim).await;
    let (_, history) = world.get(&path).await;
    assert_eq!(history["stage"], "paid", "{history}");
    assert_eq!(history["waits"], Value::Null);
    assert_eq!(
        steps(&history),
        ["bought", "settled", "attested", "claimed"]
    );
    assert_eq!(
        amounts(&history["steps"][3]),
        [("fee", 7_920), ("refund", 872_080), ("share", 7_920)]
    );
    let parts = history["steps"].as_array().unwrap().iter();
    for field in ["gas_used", "gas_returned"] {
        let gas: u64 = parts.clone().filter_map(|step| step[field].as_u64()).sum();
        assert_eq!(history[field].as_u64(), Some(gas));
        assert!(gas > 0, "{history}");
    }

    let totals = world.list("/earnings").await;
    // Last what belongs to no node: the gas of the registrations.
    assert_eq!(totals.len(), 3, "{totals:?}");
    assert_eq!(totals[2]["node_small_id"], Value::Null);
    assert_eq!(totals[0]["fee_amount"], 7_920);
    assert_eq!(totals[0]["owed_amount"], 0);
    assert_eq!(totals[1]["share_amount"], 7_920);
    assert_eq!(totals[1]["owed_amount"], 7_920);
    let received = u64::from(totals[0]["received_amount"].as_u64() == Some(7_920)) * 7_920;
    assert_eq!(world.usdc(&world.address()), received);
    for by in ["task", "epoch", "day"] {
        let totals = world.list(&format!("/earnings?by={by}")).await;
        let fees = totals.iter().map(|of| of["fee_amount"].as_u64().unwrap());
        assert_eq!(fees.sum::<u64>(), 7_920, "{by}: {totals:?}");
    }

    let (_, checked) = world.get("/earnings/differences").await;
    assert_eq!(
        checked,
        json!({"difference_count": 0, "unchecked_transactions": 0, "differences": []})
    );
}

#[tokio::test]
async fn lines_come_in_pages_of_a_period_and_as_csv() {
    let world = TestWorld::start(&[NONE], 1).await;
    for _ in 0..3 {
        world.buy_one(1, 1, 1_000_000, 1_000).await;
    }
    // The world begins with a stack of another price.
    let lines = world.list("/earnings/lines?limit=100").await;
    let (lines, gas): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line["kind"] != "gas");
    // A registration, which is no node's yet, and two subscriptions.
    assert_eq!(gas[0]["node_small_id"], Value::Null, "{gas:?}");
    assert!(gas.iter().all(|gas| gas["gas_cost"].as_i64().unwrap() > 0));
    let totals = world.list("/earnings?by=day").await;
    let cost = |lines: &[Value], field: &str| -> i64 {
        lines.iter().map(|of| of[field].as_i64().unwrap()).sum()
    };
    assert_eq!(cost(&gas, "gas_cost"), cost(&totals, "gas_cost"));
    let amounts: Vec<_> = lines
        .iter()
        .map(|line| line["amount"].as_u64().unwrap())
        .collect();
    assert_eq!(amounts[1..], [1_000; 3], "{lines:?}");
    assert!(lines.iter().all(|line| line["kind"] == "bought"));
    let all: Vec<_> = lines.iter().chain(&gas).cloned().collect();
    let first = world.list("/earnings/lines?limit=2").await;
    assert_eq!(first, lines[..2]);
    let after = world.list("/earnings/lines?limit=2&cursor=4-1").await;
    assert!(all.ends_with(&after) || all.windows(2).any(|pair| pair == after));
    let last = world.list("/earnings/lines?cursor=g1-1").await;
    assert_eq!(last, gas[1..]);
    let day = &lines[0]["timestamp"].as_str().unwrap()[..10];
    let of_day = world
        .list(&format!("/earnings/lines?from={day}&to={day}"))
        .await;
    assert!(!of_day.is_empty() && of_day.len() <= all.len());
    assert_eq!(
        world.list("/earnings/lines?to=1970-01-01").await,
        [Value::Null; 0]
    );

    let csv = world
        .api
        .request(reqwest::Method::GET, "/earnings/lines?format=csv");
    let csv = csv.send().await.unwrap();
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    let csv = csv.text().await.unwrap();
    let rows: Vec<_> = csv.split("\r\n").collect();
    assert_eq!(rows.len(), all.len() + 2, "{csv}");
    assert!(rows[0].starts_with("timestamp,epoch,tx_digest,kind"));
    assert!(rows[5].contains(",gas,,,,,"), "{csv}");
    assert!(rows[1].contains(lines[0]["tx_digest"].as_str().unwrap()));
    assert!(rows[2].ends_with(",bought,1,1,2,1000,"), "{csv}");

    let negotiated = async |path: &str, accept: &str| {
        let request = world.api.request(reqwest::Method::GET, path);
        let answer = request.header("accept", accept).send().await.unwrap();
        let is_csv = answer.headers()["content-type"] == "text/csv; charset=utf-8";
        (is_csv, answer.text().await.unwrap())
    };
    assert_eq!(negotiated("/earnings/lines", "text/csv").await, (true, csv));
    let (is_csv, totals) = negotiated("/earnings", "text/csv, application/json;q=0.5").await;
    assert!(
        is_csv && totals.starts_with("node_small_id,task_small_id"),
        "{totals}"
    );
    assert!(
        !negotiated("/earnings", "application/json, text/csv;q=0.5")
            .await
            .0
    );
    assert!(!negotiated("/earnings", "*/*").await.0);
    assert!(!negotiated("/earnings?format=json", "text/csv").await.0);

    for wrong in [
        "/earnings?by=stack",
        "/earnings?from=2026-12-01&to=2026-11-30",
        "/earnings/lines?from=2026-12-01&to=2026-11-30",
        "/earnings?from=2026-02-30",
        "/earnings/lines?format=xml",
        "/earnings/lines?cursor=1",
        "/stacks/x/history",
    ] {
        assert_refused(&world.get(wrong).await, 400, "invalid_request");
    }
    assert_refused(&world.get("/stacks/99/history").await, 404, "unknown_stack");
}

/// What the books say that gas cost is what left the operator's address, to the last MIST.
#[tokio::test(flavor = "multi_thread")]
async fn the_gas_of_the_books_is_what_left_the_address() {
    let world = TestWorld::start(&[NONE, SAMPLING], 2).await;
    let address = world.address();
    let received = 8 * 100_000_000_000_i128;
    let settled = world.buy_one(2, 1, 1_000_000, 800_000).await;
    let cancelled = world.buy_one(1, 1, 1_000, 1_000).await;
    let failed = world.buy_one(2, 1, 1_000_000, 800_000).await;
    for stack in [settled, cancelled, failed] {
        world.record(stack, 1, 100).await;
        world.draw(stack, &[2]);
    }
    world.settle(&[settled]).await;
    // It is sent without a simulation, and the node that is drawn is no longer subscribed.
    let body = json!({"task_small_id": 2, "node_small_id": 2});
    world.post_ok("/task_unsubscribe", body).await;
    let body = json!({"stack_small_ids": [failed]});
    let (_, answer) = world.post("/try_settle_stack_ids", body).await;
    assert_ne!(answer["results"][0]["status"], "succeeded", "{answer}");
    let congestion = Fault::once(FaultKind::Congestion);
    world.network.inject_fault(congestion);
    world.settle(&[cancelled]).await;
    let attest = json!({"stack_small_ids": [settled]});
    let path = "/submit_stack_settlement_attestations";
    world.post_ok(path, attest).await;
    world.network.advance_epoch().unwrap();
    let claim = json!({"stack_small_ids": [settled, cancelled]});
    world.post_ok("/claim_funds", claim).await;
    let attempts = world.list("/transactions").await;
    let mut returned = 0;
    let mut statuses = Vec::new();
    for transaction in &attempts {
        let path = format!("/transactions/{}", transaction["transaction_id"]);
        let (_, shown) = world.get(&path).await;
        returned += shown["gas_returned"].as_u64().unwrap();
        let attempts = shown["attempts"].as_array().unwrap().iter();
        statuses.extend(attempts.map(|attempt| attempt["status"].as_str().unwrap().to_owned()));
    }
    assert!(returned > 0, "a claim gives storage back");
    for status in ["succeeded", "cancelled", "aborted"] {
        assert!(
            statuses.iter().any(|found| found == status),
            "{status}: {statuses:?}"
        );
    }
    // What is kept of the books from request to request is what a new reading gives.
    let again = world.list("/earnings?by=epoch").await;
    assert_eq!(again, world.list("/earnings?by=epoch").await);
    let spent = received - world.sui(&address);
    for by in ["node", "task", "epoch", "day"] {
        let totals = world.list(&format!("/earnings?by={by}")).await;
        let cost = |of: &Value| i128::from(of["gas_cost"].as_i64().unwrap());
        assert_eq!(
            totals.iter().map(cost).sum::<i128>(),
            spent,
            "{by}: {totals:?}"
        );
    }
}

/// A database that begins after the contract's charge was changed books what was received, or says that it doesn't know.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_does_not_book_old_claims_at_the_present_charge() {
    let world = TestWorld::start(&[NONE, SAMPLING], 2).await;
    let stack = world.buy_one(2, 1, 1_000_000, 800_000).await;
    world.record(stack, 1, 9_000).await;
    world.draw(stack, &[2]);
    world.settle(&[stack]).await;
    let stacks = json!({"stack_small_ids": [stack]});
    let path = "/submit_stack_settlement_attestations";
    world.post_ok(path, stacks.clone()).await;
    world.network.advance_epoch().unwrap();
    world.post_ok("/claim_funds", stacks).await;
    world.parameters(json!({"sampling_consensus_charge_permille": 1_300}));

    let beside = world.beside().await;
    beside.wait_for_stacks(&[stack]).await;
    let before = world.list("/earnings").await;
    let anew = beside.list("/earnings").await;
    for (one, other) in before.iter().zip(&anew) {
        for field in [
            "fee_amount",
            "refund_amount",
            "received_amount",
            "bought_amount",
        ] {
            assert_eq!(one[field], other[field], "{field}: {anew:?}");
        }
    }
    // What one fee was divided by is told by nothing.
    assert_eq!(anew[1]["unknown_lines"], 1);
    assert_eq!(anew[1]["owed_amount"], Value::Null);
    let (_, checked) = beside.get("/earnings/differences").await;
    assert_eq!(checked["difference_count"], 0, "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_anothers_stack_is_not_told_as_an_own_one() {
    let (world, demo) = TestWorld::demo().await;
    let own = &world.nodes;
    let mut seen = 0;
    for stack in &demo.stacks {
        let id = stack.stack_small_id.get();
        let path = format!("/stacks/{id}/history");
        let (status, history) = world.get(&path).await;
        let selected = history["selected_node_id"].as_u64();
        match status {
            200 if selected.is_some_and(|node| own.contains(&node)) => {
                assert_eq!(history["is_own"], true, "{history}");
            }
            // An own node was drawn to attest it.
            200 => assert_eq!(history["is_own"], false, "{history}"),
            _ => {
                assert_refused(&(status, history), 404, "unknown_node");
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "the demonstration has stacks of two operators");
}
