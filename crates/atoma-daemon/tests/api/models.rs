//! Offering models.

use atoma_domain::EchelonId;
use atoma_localnet::NewModel;
use serde_json::{Value, json};

use crate::support::{TestWorld, assert_refused};

const OFFER: &str = "/model_subscribe";

#[tokio::test]
async fn a_model_is_offered_once_in_an_echelon_that_it_has() {
    let mut world = TestWorld::unregistered().await;
    world
        .network
        .create_model(&NewModel {
            model_name: String::from("llama"),
            modality: 0,
            echelon_ids: vec![EchelonId::new(1), EchelonId::new(7)],
        })
        .unwrap();
    let offer = |model: &str, echelon: u64| json!({"model_name": model, "echelon_id": echelon});
    let refused = world.post(OFFER, offer("llama", 7)).await;
    assert_refused(&refused, 404, "no_node_registered");
    world.register().await;
    // A request that the contract would refuse costs nothing.
    for (request, name) in [
        (offer("llama", 8), json!("EEchelonNotFound")),
        (offer("mistral", 7), json!("EFieldDoesNotExist")),
    ] {
        let (status, refused) = world.post(OFFER, request).await;
        assert_eq!(status, 422, "{refused}");
        assert_eq!(refused["code"], "contract_abort", "{refused}");
        assert_eq!(refused["details"]["abort_name"], name, "{refused}");
        assert_eq!(refused["details"]["tx_digest"], Value::Null);
    }
    for unusable in [
        offer("", 7),
        offer("mod\u{e8}le", 7),
        json!({"model_name": "llama", "echelon_id": "first"}),
    ] {
        let refused = world.post(OFFER, unusable).await;
        assert_refused(&refused, 400, "invalid_request");
    }
    let done = world.post_ok(OFFER, offer("llama", 7)).await;
    assert!(done["tx_digest"].is_string(), "{done}");
    // Sui takes no larger argument.
    for unusable in [16_384, 16_381].map(|length| "m".repeat(length)) {
        let refused = world.post(OFFER, offer(&unusable, 7)).await;
        assert_refused(&refused, 400, "invalid_request");
    }
    let (status, refused) = world.post(OFFER, offer(&"m".repeat(16_380), 7)).await;
    assert_eq!(
        (status, &refused["code"]),
        (422, &json!("contract_abort")),
        "{refused}"
    );
    let again = offer("llama", 1);
    let dry = world
        .post("/model_subscribe?dry_run=true", again.clone())
        .await;
    assert_refused(&dry, 409, "already_subscribed_to_model");
    let (status, refused) = world.post(OFFER, again).await;
    assert_eq!(status, 409, "{refused}");
    assert_eq!(refused["code"], "already_subscribed_to_model");
    let details = &refused["details"];
    assert_eq!(details["abort_name"], "ENodeAlreadySubscribedToModel");
    // The journal has every request.
    let entry = format!("/transactions/{}", details["transaction_id"]);
    let (_, entry) = world.get(&entry).await;
    assert_eq!(
        (&entry["kind"], &entry["status"], &entry["tx_digest"]),
        (&json!("subscribe_to_model"), &json!("failed"), &Value::Null)
    );
}
