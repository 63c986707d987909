//! Every request that a full node can't read: the call, the text, and the field with its reason in the details. The
//! texts are Sui's, who has none for some fields that are missing.

use sui_rpc::proto::google::rpc;
use sui_rpc::proto::sui::rpc::v2::{self as proto, *};
use sui_sdk_types::{Address, ConsensusCommitPrologue, Digest, Transaction, TransactionKind};
use tonic::{Code, Status};

use crate::refusal_table::assert_refusal;
use crate::support::{Fixture, transfer};

/// The fields that the details of a status name, with the reason for each.
fn violations(status: &Status) -> Vec<(String, String)> {
    let details: rpc::Status = prost::Message::decode(status.details()).unwrap();
    let requests = details.details.iter();
    requests
        .flat_map(|any| any.to_msg::<rpc::BadRequest>().unwrap().field_violations)
        .inspect(|violation| assert_eq!(violation.description, status.message()))
        .map(|violation| (violation.field, violation.reason))
        .collect()
}

#[track_caller]
fn assert_bad(status: &Status, field: &str, reason: &str, text: &str) {
    assert_refusal(status, Code::InvalidArgument, text, field);
    let named = (field.to_owned(), reason.to_owned());
    assert_eq!(violations(status), [named], "{status}");
}

/// As [`assert_bad`], for a field that can't be read. The text ends with the reader's own words.
#[track_caller]
fn assert_unreadable(status: &Status, field: &str, text: &str) {
    assert!(status.message().starts_with(text), "{field}: {status}");
    assert_bad(status, field, "FIELD_INVALID", status.message());
}

const MISSING: &str = "FIELD_MISSING";

impl Fixture {
    async fn execute_request(&self, request: ExecuteTransactionRequest) -> Status {
        let mut client = self.client.clone();
        let sent = client.execution_client().execute_transaction(request).await;
        sent.unwrap_err()
    }

    async fn simulate_request(&self, request: SimulateTransactionRequest) -> Status {
        let mut client = self.client.clone();
        let sent = client
            .execution_client()
            .simulate_transaction(request)
            .await;
        sent.unwrap_err()
    }
}

fn with_bytes(bytes: Vec<u8>) -> proto::Transaction {
    let mut bcs = Bcs::default();
    bcs.value = Some(bytes.into());
    let mut transaction = proto::Transaction::default();
    transaction.bcs = Some(bcs);
    transaction
}

#[tokio::test]
async fn transactions_that_cannot_be_read() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let good = transfer(alice, gas, 1, alice);
    let bytes = bcs::to_bytes(&good).unwrap();

    let request = ExecuteTransactionRequest::default();
    let status = fixture.execute_request(request).await;
    assert_bad(&status, "transaction", MISSING, "");
    let request = SimulateTransactionRequest::default();
    let status = fixture.simulate_request(request).await;
    assert_bad(&status, "transaction", MISSING, "");

    let cut = bytes[..bytes.len() - 1].to_vec();
    let longer = [&bytes[..], &[0]].concat();
    // The version of the transaction's data is in the first byte, and its kind in the second.
    let changed = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] = 0x7f;
        bytes
    };
    for unreadable in [vec![], cut, longer, changed(0), changed(1)] {
        let transaction = with_bytes(unreadable);
        let request = ExecuteTransactionRequest::new(transaction.clone());
        let status = fixture.execute_request(request).await;
        assert_unreadable(&status, "transaction", "invalid transaction: ");
        let request = SimulateTransactionRequest::new(transaction);
        let status = fixture.simulate_request(request).await;
        assert_unreadable(&status, "transaction", "invalid transaction: ");
    }

    let mut unreadable = proto::UserSignature::default();
    let mut bcs = Bcs::default();
    bcs.value = Some(vec![0x7f; 97].into());
    unreadable.bcs = Some(bcs);
    let mut request = ExecuteTransactionRequest::new(with_bytes(bytes));
    let signature = sui_crypto::SuiSigner::sign_transaction(&fixture.alice.key, &good).unwrap();
    request.signatures = vec![signature.into(), unreadable];
    let status = fixture.execute_request(request).await;
    assert_unreadable(&status, "signatures[1]", "invalid signature: ");
}

/// Only a network sends itself transactions of the system.
#[tokio::test]
async fn transactions_of_the_system_are_refused() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let mut transaction = transfer(alice, gas, 1, alice);
    transaction.kind = TransactionKind::ConsensusCommitPrologue(ConsensusCommitPrologue {
        epoch: 0,
        round: 1,
        commit_timestamp_ms: 1,
    });
    let text = "Invalid user signature: Feature is not supported: SenderSignedData must not contain system transaction";
    let status = fixture.execute(&transaction).await.unwrap_err();
    assert_refusal(&status, Code::InvalidArgument, text, "executed");
    let status = fixture.send(&transaction, vec![]).await.unwrap_err();
    assert_refusal(&status, Code::InvalidArgument, text, "without signatures");
    let request = SimulateTransactionRequest::new(Transaction::into(transaction));
    let status = fixture.simulate_request(request).await;
    let text = "Use of disabled feature: simulate does not support system transactions";
    assert_refusal(&status, Code::InvalidArgument, text, "simulated");
}

#[tokio::test]
async fn reads_of_objects_and_transactions() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    let mut ledger = client.ledger_client();

    let request = GetObjectRequest::default();
    let status = ledger.get_object(request).await.unwrap_err();
    assert_bad(&status, "requests[0].object_id", MISSING, "");
    let nobody = Address::new([9; 32]);
    let mut request = GetObjectRequest::default();
    request.object_id = Some("0xnothing".to_owned());
    let unreadable = request.clone();
    let status = ledger.get_object(request).await.unwrap_err();
    assert_unreadable(&status, "requests[0].object_id", "invalid object_id: ");
    let mut batch = BatchGetObjectsRequest::default();
    batch.requests = vec![GetObjectRequest::new(&nobody), unreadable];
    let status = ledger.batch_get_objects(batch).await.unwrap_err();
    assert_unreadable(&status, "requests[1].object_id", "invalid object_id: ");

    let mut request = GetObjectRequest::new(&nobody);
    let status = ledger.get_object(request.clone()).await.unwrap_err();
    let text = format!("Object {nobody} not found");
    assert_refusal(&status, Code::NotFound, &text, "no object");
    request.version = Some(3);
    let status = ledger.get_object(request).await.unwrap_err();
    let text = format!("Object {nobody} with version 3 not found");
    assert_refusal(&status, Code::NotFound, &text, "no version");

    let request = GetTransactionRequest::default();
    let status = ledger.get_transaction(request).await.unwrap_err();
    assert_bad(&status, "digest", MISSING, "missing digest");
    let mut request = GetTransactionRequest::default();
    request.digest = Some("!".to_owned());
    let status = ledger.get_transaction(request).await.unwrap_err();
    assert_unreadable(&status, "digest", "invalid digest: ");
    let unknown = Digest::new([9; 32]);
    let request = GetTransactionRequest::new(&unknown);
    let status = ledger.get_transaction(request).await.unwrap_err();
    let text = format!("Transaction {unknown} not found");
    assert_refusal(&status, Code::NotFound, &text, "no transaction");

    // Each digest of a batch has its own result.
    let mut batch = BatchGetTransactionsRequest::default();
    batch.digests = vec![unknown.to_string(), "!".to_owned()];
    let batch = ledger.batch_get_transactions(batch).await.unwrap();
    let codes: Vec<i32> = batch
        .into_inner()
        .transactions
        .into_iter()
        .map(|result| result.to_result().unwrap_err().code)
        .collect();
    let wanted = [Code::NotFound, Code::InvalidArgument].map(i32::from);
    assert_eq!(codes, wanted);
}

#[tokio::test]
async fn batches_have_a_limit() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    let mut ledger = client.ledger_client();
    let digests = |count| {
        let mut batch = BatchGetTransactionsRequest::default();
        batch.digests = vec![Digest::ZERO.to_string(); count];
        batch
    };
    ledger.batch_get_transactions(digests(200)).await.unwrap();
    let status = ledger.batch_get_transactions(digests(201)).await;
    let text = "number of batch requests exceed limit of 200";
    assert_refusal(&status.unwrap_err(), Code::InvalidArgument, text, "digests");
    let objects = |count| {
        let mut batch = BatchGetObjectsRequest::default();
        batch.requests = vec![GetObjectRequest::new(&Address::ZERO); count];
        batch
    };
    ledger.batch_get_objects(objects(1_000)).await.unwrap();
    let status = ledger.batch_get_objects(objects(1_001)).await;
    let text = "number of batch requests exceed limit of 1000";
    assert_refusal(&status.unwrap_err(), Code::InvalidArgument, text, "objects");
}

#[tokio::test]
async fn reads_of_checkpoints_and_lists() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    let mut ledger = client.ledger_client();

    let request = GetCheckpointRequest::by_sequence_number(1_000);
    let status = ledger.get_checkpoint(request).await.unwrap_err();
    let text = "Checkpoint 1000 not found";
    assert_refusal(&status, Code::NotFound, text, "no checkpoint");
    let unknown = Digest::new([9; 32]);
    let request = GetCheckpointRequest::by_digest(&unknown);
    let status = ledger.get_checkpoint(request).await.unwrap_err();
    let text = format!("Checkpoint {unknown} not found");
    assert_refusal(&status, Code::NotFound, &text, "no digest");
    let status = ledger.get_epoch(GetEpochRequest::new(7)).await.unwrap_err();
    assert_refusal(&status, Code::NotFound, "Epoch 7 not found", "no epoch");

    let mut request = ListEventsRequest::default();
    request.start_checkpoint = Some(2);
    request.end_checkpoint = Some(1);
    let status = ledger.list_events(request).await.unwrap_err();
    let text = "end_checkpoint must be greater than or equal to start_checkpoint";
    assert_bad(&status, "end_checkpoint", "FIELD_INVALID", text);
    let with = |change: &dyn Fn(&mut QueryOptions)| {
        let mut options = QueryOptions::default();
        change(&mut options);
        let mut request = ListEventsRequest::default();
        request.options = Some(options);
        request
    };
    for (request, field, text) in [
        (
            with(&|options| options.ordering = Some(9)),
            "options.ordering",
            "invalid ordering",
        ),
        (
            with(&|options| options.after = Some(vec![1].into())),
            "options.after",
            "invalid cursor",
        ),
        (
            with(&|options| options.before = Some(vec![1].into())),
            "options.before",
            "invalid cursor",
        ),
    ] {
        let status = ledger.list_events(request).await.unwrap_err();
        assert_bad(&status, field, "FIELD_INVALID", text);
    }
}

#[tokio::test]
async fn a_list_has_at_least_one_item() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    let mut request = ListCheckpointsRequest::default();
    let mut options = QueryOptions::default();
    options.limit = Some(0);
    request.options = Some(options);
    let listed = client.ledger_client().list_checkpoints(request).await;
    let mut listed = listed.unwrap().into_inner();
    let frame = listed.message().await.unwrap().unwrap();
    assert!(frame.checkpoint.is_some());
    assert_eq!(frame.end().reason(), QueryEndReason::ItemLimit);
    let mut request = ListOwnedObjectsRequest::default();
    request.owner = Some(fixture.alice.address.to_string());
    request.page_size = Some(0);
    let page = client.state_client().list_owned_objects(request).await;
    assert_eq!(page.unwrap().into_inner().objects.len(), 1);
}

#[tokio::test]
async fn reads_of_the_state() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    let mut state = client.state_client();
    let owner = fixture.alice.address.to_string();

    let request = ListOwnedObjectsRequest::default();
    let status = state.list_owned_objects(request).await.unwrap_err();
    assert_bad(&status, "owner", MISSING, "");
    let of = |owner: &str| {
        let mut request = ListOwnedObjectsRequest::default();
        request.owner = Some(owner.to_owned());
        request
    };
    let status = state.list_owned_objects(of("!")).await.unwrap_err();
    assert_unreadable(&status, "owner", "invalid owner: ");
    let mut request = of(&owner);
    request.object_type = Some("!".to_owned());
    let status = state.list_owned_objects(request).await.unwrap_err();
    assert_unreadable(&status, "object_type", "invalid object_type: ");
    let mut request = of(&owner);
    request.page_token = Some(vec![1].into());
    let status = state.list_owned_objects(request).await.unwrap_err();
    assert_bad(&status, "page_token", "FIELD_INVALID", "invalid page_token");

    let mut request = ListDynamicFieldsRequest::default();
    let status = state
        .list_dynamic_fields(request.clone())
        .await
        .unwrap_err();
    assert_bad(&status, "parent", MISSING, "");
    request.parent = Some("!".to_owned());
    let status = state.list_dynamic_fields(request).await.unwrap_err();
    assert_unreadable(&status, "parent", "invalid owner: ");

    let mut request = GetBalanceRequest::default();
    let status = state.get_balance(request.clone()).await.unwrap_err();
    assert_bad(&status, "owner", MISSING, "missing owner");
    request.owner = Some(owner);
    let status = state.get_balance(request.clone()).await.unwrap_err();
    assert_bad(&status, "coin_type", MISSING, "missing coin_type");
    request.coin_type = Some("!".to_owned());
    let status = state.get_balance(request).await.unwrap_err();
    assert_unreadable(&status, "coin_type", "invalid coin_type: ");

    let mut request = GetCoinInfoRequest::default();
    let status = state.get_coin_info(request.clone()).await.unwrap_err();
    assert!(
        status.message().starts_with("invalid coin_type: "),
        "{status}"
    );
    assert_eq!(violations(&status), []);
    let coin = format!("{}::none::NONE", Address::TWO);
    request.coin_type = Some(coin.clone());
    let status = state.get_coin_info(request).await.unwrap_err();
    let text = format!("Coin type {coin} not found");
    assert_refusal(&status, Code::NotFound, &text, "no coin");
}

#[tokio::test]
async fn reads_of_packages() {
    let fixture = Fixture::start().await;
    let package = fixture.network.addresses().package;
    let mut client = fixture.client.clone();
    let mut packages = client.package_client();

    let mut request = GetFunctionRequest::default();
    let status = packages.get_function(request.clone()).await.unwrap_err();
    assert_bad(&status, "package_id", MISSING, "missing package_id");
    request.package_id = Some("!".to_owned());
    let status = packages.get_function(request.clone()).await.unwrap_err();
    assert_bad(&status, "module_name", MISSING, "missing module_name");
    request.module_name = Some("db".to_owned());
    let status = packages.get_function(request.clone()).await.unwrap_err();
    assert_bad(&status, "name", MISSING, "missing name");
    request.name = Some("nothing".to_owned());
    let status = packages.get_function(request.clone()).await.unwrap_err();
    assert_unreadable(&status, "package_id", "invalid package_id: ");
    request.package_id = Some(package.to_string());
    let status = packages.get_function(request).await.unwrap_err();
    let text = "Function not found: nothing";
    assert_refusal(&status, Code::Internal, text, "no function");
    let request = GetDatatypeRequest::new(&package, "db", "Nothing");
    let status = packages.get_datatype(request).await.unwrap_err();
    let text = "Datatype 'Nothing' not found";
    assert_refusal(&status, Code::Internal, text, "no datatype");

    let request = GetPackageRequest::new(&Address::new([9; 32]));
    let status = packages.get_package(request).await.unwrap_err();
    assert_refusal(&status, Code::NotFound, "", "no package");
    let db = fixture.network.addresses().atoma_db;
    let status = packages.get_package(GetPackageRequest::new(&db)).await;
    let text = "object is not a package";
    assert_refusal(
        &status.unwrap_err(),
        Code::InvalidArgument,
        text,
        "no package",
    );
    let mut request = ListPackageVersionsRequest::new(&package);
    request.page_token = Some(vec![1].into());
    let status = packages.list_package_versions(request).await.unwrap_err();
    assert_unreadable(&status, "page_token", "invalid page token encoding: ");
}
