//! What clients read from a network that knows the packages' interface: JSON, datatypes, functions, and the
//! system's own settings.

use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{Address, StructTag};

use crate::support::{Fixture, SUI};

fn json(value: &prost_types::Value) -> serde_json::Value {
    use prost_types::value::Kind;
    match value.kind.as_ref().unwrap() {
        Kind::NullValue(_) => serde_json::Value::Null,
        Kind::NumberValue(number) => (*number).into(),
        Kind::StringValue(text) => text.clone().into(),
        Kind::BoolValue(value) => (*value).into(),
        Kind::StructValue(fields) => fields
            .fields
            .iter()
            .map(|(name, value)| (name.clone(), json(value)))
            .collect(),
        Kind::ListValue(list) => list.values.iter().map(json).collect(),
    }
}

#[tokio::test]
async fn objects_are_rendered_as_json() {
    let fixture = Fixture::start().await;
    let (node, _) = fixture.node_and_task(2).await;
    let badge = fixture.badge(fixture.alice.address, "NodeBadge").await;
    let object = fixture.object(badge.object_id()).await;
    assert_eq!(
        json(object.json.as_ref().unwrap()),
        serde_json::json!({
            "id": badge.object_id().to_string(),
            "small_id": {"inner": node.to_string()},
        })
    );
    let db = fixture.object(&fixture.network.addresses().atoma_db).await;
    let db = json(db.json.as_ref().unwrap());
    assert_eq!(db["cross_validation_extra_nodes_count"], "1");
    assert_eq!(db["is_registration_disabled"], false);
    assert_eq!(db["fee_treasury"], "0");
    assert_eq!(db["nodes"]["size"], "1");
    let coin = fixture.coins(fixture.alice.address).await.remove(0);
    let coin = fixture.object(coin.object_id()).await;
    let coin = json(coin.json.as_ref().unwrap());
    assert!(coin["balance"].as_str().unwrap().parse::<u64>().unwrap() > SUI);
    // Every object of the network has one.
    let table = db["tasks"]["id"].as_str().unwrap();
    let fields = fixture
        .dynamic_fields(table, Some("child_object.json,field_object.json"))
        .await;
    let task = json(fields[0].child_object().json.as_ref().unwrap());
    assert_eq!(task["model_name"], "model");
    assert_eq!(task["deprecated_at_epoch"], serde_json::Value::Null);
    assert_eq!(task["security_level"]["inner"], 2.0);
    let field = json(fields[0].field_object().json.as_ref().unwrap());
    assert_eq!(field["name"]["name"]["inner"], "1");
}

#[tokio::test]
async fn events_are_rendered_as_json() {
    let fixture = Fixture::start().await;
    let call = fixture
        .call("register_node_entry", vec![fixture.db()])
        .await;
    let executed = fixture.execute(&call).await.unwrap();
    let badge = fixture.badge(fixture.alice.address, "NodeBadge").await;
    let wanted = serde_json::json!({
        "badge_id": badge.object_id().to_string(),
        "node_small_id": {"inner": "1"},
    });
    let event = &executed.events().events[0];
    assert_eq!(json(event.json.as_ref().unwrap()), wanted);
    // The same in a list of events.
    let mut request = proto::ListEventsRequest::default();
    request.read_mask = Some(FieldMask::from_str("json,event_type"));
    let mut client = fixture.client.clone();
    let mut frames = client
        .ledger_client()
        .list_events(request)
        .await
        .unwrap()
        .into_inner();
    let mut found = Vec::new();
    while let Some(frame) = frames.message().await.unwrap() {
        found.extend(frame.event);
    }
    let last = found.last().unwrap();
    assert!(last.event_type().ends_with("::NodeRegisteredEvent"));
    assert_eq!(json(last.json.as_ref().unwrap()), wanted);
}

#[tokio::test]
async fn datatypes_are_described() {
    let fixture = Fixture::start().await;
    let package = fixture.network.addresses().package;
    let mut client = fixture.client.clone();
    let mut packages = client.package_client();
    let mut get = async |package: Address, module: &str, name: &str| {
        let mut request = proto::GetDatatypeRequest::default();
        request.package_id = Some(package.to_string());
        request.module_name = Some(module.to_owned());
        request.name = Some(name.to_owned());
        let response = packages.get_datatype(request).await;
        response.map(|response| response.into_inner().datatype.unwrap())
    };
    let badge = get(package, "db", "NodeBadge").await.unwrap();
    assert_eq!(badge.type_name(), format!("{package}::db::NodeBadge"));
    assert_eq!(
        badge.abilities,
        [proto::Ability::Store, proto::Ability::Key].map(i32::from)
    );
    let fields: Vec<(&str, &str)> = badge
        .fields
        .iter()
        .map(|field| (field.name(), field.r#type().type_name()))
        .collect();
    let id_type = format!("{}::object::UID", Address::TWO);
    let small_id_type = format!("{package}::db::NodeSmallId");
    assert_eq!(
        fields,
        [
            ("id", id_type.as_str()),
            ("small_id", small_id_type.as_str())
        ]
    );
    let coin = get(Address::TWO, "coin", "Coin").await.unwrap();
    assert!(coin.type_parameters[0].is_phantom());
    assert_eq!(coin.fields[1].name(), "balance");
    let status = get(package, "db", "Nothing").await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Internal);
    assert_eq!(status.message(), "Datatype 'Nothing' not found");
}

#[tokio::test]
async fn functions_of_the_framework_are_described() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    let request = proto::GetFunctionRequest::new(&Address::TWO, "coin", "from_balance");
    let response = client.package_client().get_function(request).await;
    let response = response.unwrap().into_inner();
    let function = response.function();
    assert_eq!(function.type_parameters.len(), 1);
    let balance = function.parameters[0].body();
    assert_eq!(
        balance.type_name(),
        format!("{}::balance::Balance", Address::TWO)
    );
    assert_eq!(balance.type_parameter_instantiation[0].type_parameter(), 0);
    assert!(function.parameters[1].reference.is_some());
    assert_eq!(
        function.returns[0].body().type_name(),
        format!("{}::coin::Coin", Address::TWO)
    );
}

#[tokio::test]
async fn coins_have_the_ids_of_their_metadata() {
    let fixture = Fixture::start().await;
    for (coin, symbol) in [
        (StructTag::sui().to_string(), "SUI"),
        (fixture.network.addresses().usdc().to_string(), "USDC"),
    ] {
        let mut request = proto::GetCoinInfoRequest::default();
        request.coin_type = Some(coin.clone());
        let mut client = fixture.client.clone();
        let info = client.state_client().get_coin_info(request).await;
        let info = info.unwrap().into_inner();
        let id: Address = info.metadata().id().parse().unwrap();
        let object = fixture.object(&id).await;
        assert!(object.object_type().contains("::coin::CoinMetadata<"));
        let metadata = json(object.json.as_ref().unwrap());
        assert_eq!(metadata["symbol"], symbol);
        assert_eq!(metadata["icon_url"], serde_json::Value::Null);
    }
}

#[tokio::test]
async fn an_epoch_has_a_duration_features_and_a_real_beginning() {
    let started = fixture_time();
    let fixture = Fixture::start().await;
    let request = proto::GetEpochRequest::latest().with_read_mask(FieldMask::from_str("*"));
    let mut client = fixture.client.clone();
    let response = client.ledger_client().get_epoch(request).await;
    let epoch = response.unwrap().into_inner().epoch.unwrap();
    let state = epoch.system_state();
    assert_eq!(state.parameters().epoch_duration_ms(), 86_400_000);
    assert!(state.epoch_start_timestamp_ms() >= started);
    assert!(epoch.start.unwrap().seconds >= i64::try_from(started / 1_000).unwrap());
    let config = epoch.protocol_config();
    assert!(config.feature_flags["random_beacon"]);
    assert!(!config.feature_flags["enable_address_balance_gas_payments"]);
}

#[tokio::test]
async fn the_clock_moves() {
    let started = fixture_time();
    let fixture = Fixture::start().await;
    let clock = Address::from_static("0x6");
    let before = fixture.object(&clock).await;
    fixture.network.advance_epoch().unwrap();
    let after = fixture.object(&clock).await;
    assert!(after.version() > before.version());
    let time = json(after.json.as_ref().unwrap());
    let time: u64 = time["timestamp_ms"].as_str().unwrap().parse().unwrap();
    assert!(time >= started, "{time} before {started}");
}

/// The present, in milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the network takes its times from the system's clock"
)]
fn fixture_time() -> u64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
