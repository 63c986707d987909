//! A client that repeats its request over HTTP after a crash gets the same answer each time, and
//! the work is done once.

use std::net::SocketAddr;

use reqwest::Client;
use serde_json::{Value, json};

use crate::support::audit::journal_agrees_with_ledger;
use crate::support::cases::{Case, Prepare, to_attest, to_claim, to_register, to_settle};
use crate::support::matrix::{
    Idempotency, Row, assert_done_once, assert_recovered, crash_at, decisive, record_calls,
    records_of,
};
use crate::support::world::World;

/// Sends the request with its idempotency key and returns status and body.
async fn send(client: &Client, addr: SocketAddr, case: &Case) -> (u16, Value) {
    let (path, body) = case.request.over_http();
    let request = client
        .post(format!("http://{addr}{path}"))
        .header("Idempotency-Key", case.http_key())
        .json(&body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The digests that an answer names, one for each part.
fn digests(answer: &Value) -> Vec<Value> {
    match answer.get("results") {
        Some(results) => {
            let results = results.as_array().unwrap().iter();
            results.map(|result| result["tx_digest"].clone()).collect()
        }
        None => vec![answer["tx_digest"].clone()],
    }
}

fn repeat_over_http(nodes: usize, prepare: Prepare) {
    let world = World::start();
    let site = world.operator(nodes, 1);
    let row = Row::new(nodes, prepare);
    let crash_points = decisive(&record_calls(&world, &row, &prepare(&world, &site, 1)[0]));
    let cases = prepare(&world, &site, crash_points.len());
    for (at, case) in crash_points.into_iter().zip(&cases) {
        let is_journalled = crash_at(&world, &row, case, Idempotency::Keyed, at);
        let generation = world.begin(&case.site);
        generation.run(async {
            generation.recover().await;
            let recovered = records_of(&generation, case).await;
            assert_recovered(&recovered, case, "recovered");
            assert_eq!(!recovered.is_empty(), is_journalled, "{at:?}");
            generation.catch_up().await;
            let (addr, client) = (generation.serve(), Client::new());
            let answer = send(&client, addr, case).await;
            assert_eq!(answer.0, 200, "{at:?}: {answer:?}");
            assert_eq!(send(&client, addr, case).await, answer, "{at:?}");
            let records = records_of(&generation, case).await;
            let effects = case.effects.iter();
            let expected: Vec<_> = effects
                .map(|effect| json!(records[effect].tx_digest))
                .collect();
            assert_eq!(digests(&answer.1), expected, "{at:?}: {answer:?}");
            assert!(!is_journalled || records == recovered, "{at:?}");
            let ledger = journal_agrees_with_ledger(&generation).await;
            assert_done_once(&ledger, case, Idempotency::Keyed, "over HTTP");
        });
        generation.stop();
    }
}

#[test]
fn a_settlement_repeated_over_http_is_answered_the_same() {
    repeat_over_http(2, to_settle);
}

#[test]
fn an_attestation_repeated_over_http_is_answered_the_same() {
    repeat_over_http(2, to_attest);
}

#[test]
fn three_claims_repeated_over_http_are_answered_the_same() {
    repeat_over_http(1, to_claim);
}

#[test]
fn a_registration_repeated_over_http_is_answered_the_same() {
    repeat_over_http(0, to_register);
}
