//! An upgrade of the contract's package: its lineage, and calls of both versions.

use atoma_localnet::{LocalNet, LocalNetConfig};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{Address, Command, ExecutionError, ExecutionStatus, Input, TransactionKind};

use crate::support::{Fixture, assert_success, effects, pure};

async fn versions(fixture: &Fixture, package: Address) -> Vec<(String, u64)> {
    let mut request = proto::ListPackageVersionsRequest::default();
    request.package_id = Some(package.to_string());
    request.page_size = Some(1);
    let mut all = Vec::new();
    let mut client = fixture.client.clone();
    loop {
        let page = client
            .package_client()
            .list_package_versions(request.clone())
            .await
            .unwrap()
            .into_inner();
        all.extend(page.versions.iter().map(|version| {
            let id = version.package_id().to_owned();
            (id, version.version())
        }));
        request.page_token = page.next_page_token;
        if request.page_token.is_none() {
            return all;
        }
    }
}

async fn package(fixture: &Fixture, id: Address) -> proto::Package {
    let mut client = fixture.client.clone();
    client
        .package_client()
        .get_package(proto::GetPackageRequest::new(&id))
        .await
        .unwrap()
        .into_inner()
        .package
        .unwrap()
}

#[tokio::test]
async fn an_upgrade_has_a_lineage() {
    let fixture = Fixture::start().await;
    let first = fixture.network.addresses().package;
    let second = fixture.network.upgrade_package().unwrap();
    let third = fixture.network.upgrade_package().unwrap();
    let all = [(first, 1), (second, 2), (third, 3)].map(|(id, version)| (id.to_string(), version));
    for id in [first, second, third] {
        assert_eq!(versions(&fixture, id).await, all);
    }
    let original = package(&fixture, first).await;
    let upgraded = package(&fixture, third).await;
    assert_eq!(upgraded.storage_id(), third.to_string());
    assert_eq!(upgraded.original_id(), first.to_string());
    assert_eq!(upgraded.version(), 3);
    assert_eq!(upgraded.type_origins, original.type_origins);
    assert!(
        upgraded
            .type_origins
            .iter()
            .any(|origin| origin.datatype_name() == "AtomaDb"
                && origin.package_id() == first.to_string())
    );
    assert_eq!(upgraded.linkage, original.linkage);
    let currency = fixture.network.addresses().usdc_package.to_string();
    assert!(
        upgraded
            .linkage
            .iter()
            .any(|link| link.upgraded_id() == currency)
    );
    let object = fixture.object(&third).await;
    assert_eq!(object.version(), 3);
    assert_eq!(object.package(), &{
        let mut from_object = object.package().clone();
        from_object.type_origins = upgraded.type_origins.clone();
        from_object
    });
    let datatype = upgraded.modules[0]
        .datatypes
        .iter()
        .find(|datatype| datatype.name() == "AtomaDb")
        .unwrap();
    assert_eq!(datatype.defining_id(), first.to_string());
}

#[tokio::test]
async fn both_versions_can_be_called_and_types_keep_the_defining_package() {
    let fixture = Fixture::start().await;
    let first = fixture.network.addresses().package;
    let second = fixture.network.upgrade_package().unwrap();
    for called in [first, second] {
        let mut call = fixture
            .call("register_node_entry", vec![fixture.db()])
            .await;
        call_package(&mut call, called);
        let executed = fixture.execute(&call).await.unwrap();
        assert_success(&executed);
        let event = &executed.events().events[0];
        assert_eq!(
            event.event_type(),
            format!("{first}::db::NodeRegisteredEvent")
        );
        assert_eq!(event.package_id(), called.to_string());
        let badges = fixture
            .owned(fixture.alice.address, &format!("{first}::db::NodeBadge"))
            .await;
        assert!(!badges.is_empty());
    }
    // An abort happens in the version that was called.
    let badge = fixture.badge(fixture.alice.address, "NodeBadge").await;
    let inputs = vec![
        fixture.db(),
        Input::ImmutableOrOwned(badge),
        pure(&vec![1_u8]),
        pure(&vec![1_u8]),
        pure(&9_u64),
        pure(&0_u16),
    ];
    let mut call = fixture.call("rotate_node_public_key", inputs).await;
    call_package(&mut call, second);
    let executed = fixture.execute(&call).await.unwrap();
    let ExecutionStatus::Failure {
        error: ExecutionError::MoveAbort { location, .. },
        ..
    } = effects(&executed).status
    else {
        panic!("no abort");
    };
    assert_eq!(location.package, second);
}

fn call_package(transaction: &mut sui_sdk_types::Transaction, package: Address) {
    let TransactionKind::ProgrammableTransaction(programmable) = &mut transaction.kind else {
        panic!("a system transaction");
    };
    for command in &mut programmable.commands {
        if let Command::MoveCall(call) = command {
            call.package = package;
        }
    }
}

#[tokio::test]
async fn an_upgrade_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let config = LocalNetConfig {
        data_dir: Some(directory.path().to_owned()),
        ..LocalNetConfig::default()
    };
    let fixture = Fixture::with(config.clone()).await;
    let second = fixture.network.upgrade_package().unwrap();
    fixture.network.shutdown().await;
    let network = LocalNet::start(config).await.unwrap();
    let third = network.upgrade_package().unwrap();
    let client = sui_rpc::Client::new(network.url()).unwrap();
    let fixture = Fixture {
        network,
        client,
        alice: fixture.alice,
    };
    let ids: Vec<String> = versions(&fixture, third)
        .await
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ids[1..], [second.to_string(), third.to_string()]);
}
