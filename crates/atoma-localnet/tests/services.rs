//! The services that clients read from: objects, balances, epochs, checkpoints, the contract's
//! interface, and simulations that complete a transaction.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use std::time::Duration;

use sui_crypto::SuiSigner;
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{Address, CheckpointContents, CheckpointSummary, StructTag, Transaction};
use sui_transaction_builder::{Function, ObjectInput, TransactionBuilder};
use support::{Fixture, SUI, assert_success, effects, transfer};

#[tokio::test]
async fn a_builder_gets_inputs_budget_and_gas_from_a_simulation() {
    let mut fixture = Fixture::start().await;
    let (_, task) = fixture.node_and_task(0).await;
    let badge = fixture.badge(fixture.alice.address, "NodeBadge").await;
    let addresses = fixture.network.addresses();
    let mut builder = TransactionBuilder::new();
    let db = builder.object(ObjectInput::new(addresses.atoma_db));
    let node = builder.object(ObjectInput::new(*badge.object_id()));
    let (task, price) = (builder.pure(&task), builder.pure(&2_000_u64));
    let function = Function::new(
        addresses.package,
        "db".parse().unwrap(),
        "update_node_subscription".parse().unwrap(),
    );
    builder.move_call(function, vec![db, node, task, price]);
    builder.set_sender(fixture.alice.address);
    let transaction = builder.build(&mut fixture.client).await.unwrap();
    assert_eq!(transaction.gas_payment.price, 1_000);
    assert!(transaction.gas_payment.budget < SUI);
    let signature = fixture.alice.key.sign_transaction(&transaction).unwrap();
    let mut request = proto::ExecuteTransactionRequest::new(transaction.into())
        .with_read_mask(FieldMask::from_str("*"));
    request.signatures = vec![signature.into()];
    let response = fixture
        .client
        .execute_transaction_and_wait_for_checkpoint(request, Duration::from_secs(10))
        .await
        .unwrap()
        .into_inner();
    assert_success(response.transaction());
    assert!(response.transaction().checkpoint > Some(0));
}

#[tokio::test]
async fn a_simulation_has_the_effects_of_the_execution_and_changes_nothing() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let transaction = transfer(alice, gas, 5, alice);
    let before = fixture.network.state().unwrap();
    let simulate = async |transaction: &Transaction, checks| {
        let mut request = proto::SimulateTransactionRequest::new(transaction.clone().into());
        request.set_checks(checks);
        let mut client = fixture.client.clone();
        client
            .execution_client()
            .simulate_transaction(request)
            .await
    };
    use proto::simulate_transaction_request::TransactionChecks as Checks;
    let simulated = simulate(&transaction, Checks::Enabled)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(fixture.network.state().unwrap(), before);
    let executed = fixture.execute(&transaction).await.unwrap();
    assert_eq!(effects(simulated.transaction()), effects(&executed));

    let gas = fixture.coins(alice).await.remove(0);
    let mut cheap = transfer(alice, gas, 5, alice);
    cheap.gas_payment.price = 1;
    let status = simulate(&cheap, Checks::Enabled).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    let unchecked = simulate(&cheap, Checks::Disabled)
        .await
        .unwrap()
        .into_inner();
    assert_success(unchecked.transaction());
}

#[tokio::test]
async fn owned_objects_and_balances_add_up() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    fixture.network.faucet(alice, 0, 77).unwrap();
    fixture.network.faucet(alice, 30 * SUI, 0).unwrap();
    let mut balances = Vec::new();
    for coin in fixture.coins(alice).await {
        balances.push(fixture.object(coin.object_id()).await.balance() / SUI);
    }
    assert_eq!(balances, [30, 20, 10], "larger coins come first");

    let mut client = fixture.client.clone();
    let mut state = client.state_client();
    let mut request = proto::GetBalanceRequest::default();
    request.owner = Some(alice.to_string());
    request.coin_type = Some(StructTag::sui().to_string());
    let balance = state.get_balance(request).await.unwrap().into_inner();
    assert_eq!(balance.balance().balance(), 60 * SUI);

    let mut all = Vec::new();
    let mut request = proto::ListBalancesRequest::default();
    request.owner = Some(alice.to_string());
    request.page_size = Some(1);
    loop {
        let page = state
            .list_balances(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(page.balances.len(), 1);
        all.extend(page.balances.iter().map(|balance| balance.balance()));
        request.page_token = page.next_page_token;
        if request.page_token.is_none() {
            break;
        }
    }
    all.sort_unstable();
    assert_eq!(all, [77, 60 * SUI]);

    let usdc = fixture.network.addresses().usdc().to_string();
    let mut request = proto::GetCoinInfoRequest::default();
    request.coin_type = Some(usdc);
    let info = state.get_coin_info(request).await.unwrap().into_inner();
    assert_eq!(info.metadata().decimals(), 6);
    let mut request = proto::GetCoinInfoRequest::default();
    request.coin_type = Some("0x2::nothing::NOTHING".to_owned());
    let status = state.get_coin_info(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn the_contracts_tables_are_dynamic_fields() {
    let fixture = Fixture::start().await;
    fixture.node_and_task(0).await;
    let db = fixture.object(&fixture.network.addresses().atoma_db).await;
    // The table of nodes is the first of the AtomaDb's tables; its id follows three small ids.
    let contents = db.contents().value();
    let nodes = Address::from_bytes(&contents[88..120]).unwrap();
    let fields = fixture
        .dynamic_fields(&nodes.to_string(), Some("parent,field_id,name,value_type"))
        .await;
    assert_eq!(fields.len(), 1);
    assert_eq!(fields[0].name().value(), 1_u64.to_le_bytes());
    assert!(fields[0].value_type().ends_with("::db::NodeEntry"));
    assert_eq!(fields[0].field_object, None);
}

#[tokio::test]
async fn checkpoints_are_chained_and_bound_the_epochs() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    fixture
        .execute(&transfer(alice, gas, 5, alice))
        .await
        .unwrap();
    assert_eq!(fixture.network.advance_epoch().unwrap(), 1);
    let mut client = fixture.client.clone();
    let mut ledger = client.ledger_client();
    let info = ledger
        .get_service_info(proto::GetServiceInfoRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(info.epoch(), 1);
    let mut previous = None;
    let mut total = 0;
    for sequence in 0..=info.checkpoint_height() {
        let request = proto::GetCheckpointRequest::by_sequence_number(sequence)
            .with_read_mask(FieldMask::from_str("*"));
        let checkpoint = ledger.get_checkpoint(request).await.unwrap().into_inner();
        let checkpoint = checkpoint.checkpoint();
        let summary: CheckpointSummary = checkpoint.summary().bcs().deserialize().unwrap();
        let contents: CheckpointContents = checkpoint.contents().bcs().deserialize().unwrap();
        assert_eq!(summary.previous_digest, previous);
        assert_eq!(summary.content_digest, contents.digest());
        total += u64::try_from(contents.transactions().len()).unwrap();
        assert_eq!(summary.network_total_transactions, total);
        assert_eq!(
            contents.transactions().len(),
            checkpoint.transactions().len()
        );
        for (info, transaction) in contents
            .transactions()
            .iter()
            .zip(checkpoint.transactions())
        {
            assert_eq!(info.transaction().to_string(), transaction.digest());
            assert_eq!(info.effects().to_string(), transaction.effects().digest());
        }
        previous = Some(summary.digest());
        assert_eq!(checkpoint.digest(), summary.digest().to_string());
        if sequence == 0 {
            assert_eq!(info.chain_id(), checkpoint.digest());
        }
    }
    let mut epoch = async |number| {
        let request = proto::GetEpochRequest::new(number).with_read_mask(FieldMask::from_str("*"));
        ledger
            .get_epoch(request)
            .await
            .map(|r| r.into_inner().epoch.unwrap())
    };
    let ended = epoch(0).await.unwrap();
    assert_eq!(ended.first_checkpoint, Some(0));
    assert_eq!(ended.last_checkpoint, Some(info.checkpoint_height() - 1));
    assert_eq!(ended.reference_gas_price(), 1_000);
    assert!(ended.end.is_some());
    let attributes = &ended.protocol_config().attributes;
    assert_eq!(attributes["max_programmable_tx_commands"], "1024");
    let current = epoch(1).await.unwrap();
    assert_eq!(current.first_checkpoint, Some(info.checkpoint_height()));
    assert_eq!(current.last_checkpoint, None);
    assert_eq!(epoch(2).await.unwrap_err().code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn past_versions_stay_readable() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    fixture
        .execute(&transfer(alice, gas.clone(), 5, alice))
        .await
        .unwrap();
    let mut client = fixture.client.clone();
    let mut request = proto::GetObjectRequest::new(gas.object_id());
    request.version = Some(gas.version());
    let old = client
        .ledger_client()
        .get_object(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(old.object().digest(), gas.digest().to_string());
    request.version = Some(gas.version() + 1_000);
    let unknown = proto::GetObjectRequest::new(&Address::new([1; 32]));
    let batch = proto::BatchGetObjectsRequest::default().with_requests(vec![
        proto::GetObjectRequest::new(gas.object_id()),
        request,
        unknown,
    ]);
    let results = client
        .ledger_client()
        .batch_get_objects(batch)
        .await
        .unwrap()
        .into_inner();
    let found: Vec<bool> = results
        .objects
        .into_iter()
        .map(|result| match result.to_result() {
            Ok(object) => object.version() > gas.version(),
            Err(status) => {
                assert_eq!(status.code, i32::from(tonic::Code::NotFound));
                false
            }
        })
        .collect();
    assert_eq!(found, [true, false, false]);
}

#[tokio::test]
async fn the_contracts_interface_is_served() {
    let fixture = Fixture::start().await;
    let package = fixture.network.addresses().package;
    let mut client = fixture.client.clone();
    let mut packages = client.package_client();
    let request = proto::GetFunctionRequest::new(&package, "db", "try_settle_stack");
    let function = packages.get_function(request).await.unwrap().into_inner();
    let function = function.function();
    assert_eq!(
        function.visibility(),
        proto::function_descriptor::Visibility::Private
    );
    assert!(function.is_entry());
    let types: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| parameter.body().type_name().to_owned())
        .collect();
    assert_eq!(types[0], format!("{package}::db::AtomaDb"));
    assert_eq!(types.len(), 8);
    let request = proto::GetFunctionRequest::new(&package, "db", "nothing");
    let status = packages.get_function(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Internal);
    assert_eq!(status.message(), "Function not found: nothing");
    let request = proto::GetPackageRequest::new(&package);
    let whole = packages.get_package(request).await.unwrap().into_inner();
    assert!(whole.package().modules[0].functions.len() > 20);
}

#[tokio::test]
async fn masks_and_ids_are_checked() {
    let fixture = Fixture::start().await;
    let db = fixture.network.addresses().atoma_db;
    let mut client = fixture.client.clone();
    let request = proto::GetObjectRequest::new(&db);
    let object = client
        .ledger_client()
        .get_object(request)
        .await
        .unwrap()
        .into_inner();
    let object = object.object();
    assert!(object.digest.is_some() && object.contents.is_none() && object.owner.is_none());
    let request = proto::GetObjectRequest::new(&db).with_read_mask(FieldMask::from_str("colour"));
    let status = client
        .ledger_client()
        .get_object(request)
        .await
        .unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert!(status.message().contains("colour"));
    let mut request = proto::GetObjectRequest::default();
    request.object_id = Some("nonsense".to_owned());
    let status = client
        .ledger_client()
        .get_object(request)
        .await
        .unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
}

#[tokio::test]
async fn a_service_that_is_not_served_is_named() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    let mut verification = client.signature_verification_client();
    let request = proto::VerifySignatureRequest::default();
    let status = verification.verify_signature(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unimplemented);
    assert_eq!(
        status.message(),
        "This network does not serve sui.rpc.v2.SignatureVerificationService/VerifySignature."
    );
}
