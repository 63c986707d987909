//! The books over HTTP: a stack from its purchase to its payment, totals, lines and differences.

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
    let gas: u64 = parts.filter_map(|step| step["gas_used"].as_u64()).sum();
    assert_eq!(history["gas_used"].as_u64(), Some(gas));
    assert!(gas > 0, "{history}");

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
    let lines = world.list("/earnings/lines?limit=10").await;
    let amounts: Vec<_> = lines
        .iter()
        .map(|line| line["amount"].as_u64().unwrap())
        .collect();
    assert_eq!(amounts[1..], [1_000; 3], "{lines:?}");
    assert!(lines.iter().all(|line| line["kind"] == "bought"));
    let first = world.list("/earnings/lines?limit=2").await;
    assert_eq!(first, lines[..2]);
    let day = &lines[0]["timestamp"].as_str().unwrap()[..10];
    let of_day = world
        .list(&format!("/earnings/lines?from={day}&to={day}"))
        .await;
    assert!(!of_day.is_empty() && of_day.len() <= 4);
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
    assert_eq!(rows.len(), 6, "{csv}");
    assert!(rows[0].starts_with("timestamp,epoch,tx_digest,kind"));
    assert!(rows[1].contains(lines[0]["tx_digest"].as_str().unwrap()));
    assert!(rows[2].ends_with(",bought,1,1,2,1000"), "{csv}");

    for wrong in [
        "/earnings?by=stack",
        "/earnings?from=2026-02-30",
        "/earnings/lines?format=xml",
        "/earnings/lines?cursor=1",
        "/stacks/x/history",
    ] {
        assert_refused(&world.get(wrong).await, 400, "invalid_request");
    }
    assert_refused(&world.get("/stacks/99/history").await, 404, "unknown_stack");
}
