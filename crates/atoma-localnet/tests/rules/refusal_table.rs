//! Every refusal: the transaction, the gRPC code, and the text. The texts are Sui's.

use sui_crypto::SuiSigner;
use sui_rpc::proto::google::rpc;
use sui_sdk_types::{
    Address, Argument, Command, Digest, Input, MakeMoveVector, MoveCall, ObjectReference,
    SharedInput, Transaction, TransactionExpiration, Upgrade,
};
use tonic::{Code, Status};

use crate::refusals::refused;
use crate::support::{Fixture, SUI, TestAccount, random, transaction, transfer};

/// The introduction of what a full node finds itself.
const NODE: &str = "Error checking transaction input objects: ";

fn node(text: impl AsRef<str>) -> String {
    format!("{NODE}{}", text.as_ref())
}

fn rejected(text: impl AsRef<str>) -> String {
    format!(
        "Transaction is rejected as invalid by more than 1/3 of validators by stake (non-retriable). \
         Non-retriable errors: [{} with 10000 stake].",
        text.as_ref()
    )
}

fn aborted(text: impl AsRef<str>) -> String {
    format!(
        "Transaction processing aborted (retriable with another submission). Retriable errors: [{} \
         with 10000 stake].",
        text.as_ref()
    )
}

fn local(feature: &str) -> String {
    format!("Feature is not supported on this local network: {feature}")
}

#[track_caller]
fn assert_refusal(status: &Status, code: Code, text: &str, row: &str) {
    assert_eq!(status.message(), text, "{row}");
    assert_eq!(status.code(), code, "{row}");
    let details: rpc::Status = prost::Message::decode(status.details()).unwrap();
    assert_eq!(details.message, text, "{row}");
    assert_eq!(details.code, i32::from(code), "{row}");
}

fn move_call(package: Address, module: &str, function: &str) -> Command {
    Command::MoveCall(MoveCall {
        package,
        module: module.parse().unwrap(),
        function: function.parse().unwrap(),
        type_arguments: vec![],
        arguments: vec![],
    })
}

fn valid_during(chain: Digest, min: Option<u64>, max: Option<u64>) -> TransactionExpiration {
    TransactionExpiration::ValidDuring {
        min_epoch: min,
        max_epoch: max,
        min_timestamp: None,
        max_timestamp: None,
        chain,
        nonce: 1,
    }
}

#[tokio::test]
async fn refusals_of_inputs() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let spent = fixture.coins(alice).await.remove(0);
    fixture
        .execute(&transfer(alice, spent.clone(), 1, alice))
        .await
        .unwrap();
    let coins = fixture.coins(alice).await;
    let (gas, coin) = (coins[0].clone(), coins[1].clone());
    let (id, version, digest) = coin.clone().into_parts();
    let current = gas.version();
    let buyer = fixture.network.buyer();
    let theirs = fixture.coins(buyer).await.remove(0);
    let nobody = Address::new([9; 32]);
    let addresses = fixture.network.addresses();
    let package = fixture.reference(&addresses.package).await;
    let db = fixture.reference(&addresses.atoma_db).await;
    fixture.network.create_task(&task()).unwrap();
    let child = fixture.a_child().await;
    let chain: Digest = fixture.network.chain_id().parse().unwrap();
    let other_chain = Digest::new([1; 32]);

    let with = |inputs: Vec<Input>| transaction(alice, gas.clone(), inputs, vec![]);
    let owned = |reference: ObjectReference| with(vec![Input::ImmutableOrOwned(reference)]);
    let shared =
        |id, start, mutable| with(vec![Input::Shared(SharedInput::new(id, start, mutable))]);
    let paid_by = |gas: ObjectReference| transaction(alice, gas, vec![], vec![]);
    let expiring = |expiration| {
        let mut transaction = with(vec![]);
        transaction.expiration = expiration;
        transaction
    };
    let invalid = Code::InvalidArgument;
    let cases: Vec<(&str, Transaction, Code, String)> = vec![
        (
            "a version that was consumed",
            paid_by(spent.clone()),
            invalid,
            rejected(format!(
                "Transaction needs to be rebuilt because object {} version {:#x} ({}) is unavailable for \
                 consumption, current version: {current:#x}",
                spent.object_id(),
                spent.version(),
                spent.digest()
            )),
        ),
        (
            "a version to come",
            owned(ObjectReference::new(id, version + 1, digest)),
            Code::Aborted,
            aborted(format!(
                "Could not find the referenced object {id} at version Some(SequenceNumber({}))",
                version + 1
            )),
        ),
        (
            "an object that does not exist",
            owned(ObjectReference::new(nobody, 3, digest)),
            Code::Aborted,
            aborted(format!(
                "Could not find the referenced object {nobody} at version Some(SequenceNumber(3))"
            )),
        ),
        (
            "a shared object that does not exist",
            shared(nobody, 1, true),
            Code::Aborted,
            aborted(format!(
                "Could not find the referenced object {nobody} at version None"
            )),
        ),
        (
            "a package that does not exist",
            transaction(
                alice,
                gas.clone(),
                vec![],
                vec![move_call(nobody, "m", "f")],
            ),
            Code::Aborted,
            aborted(format!("Dependent package not found on-chain: {nobody}")),
        ),
        (
            "a package that is an object",
            transaction(alice, gas.clone(), vec![], vec![move_call(id, "m", "f")]),
            invalid,
            node(format!(
                "A move package is expected, instead a move object is passed: {id}"
            )),
        ),
        (
            "an object that is a package",
            owned(package.clone()),
            invalid,
            node(format!(
                "A move object is expected, instead a move package is passed: {}",
                package.object_id()
            )),
        ),
        (
            "another digest",
            owned(ObjectReference::new(id, version, other_chain)),
            invalid,
            node(format!(
                "Invalid Object digest for object {id}. Expected digest : {digest}"
            )),
        ),
        (
            "someone else's object",
            owned(theirs.clone()),
            invalid,
            node(format!(
                "Transaction was not signed by the correct sender: Object {} is owned by account address \
                 {buyer}, but given owner/signer address is {alice}",
                theirs.object_id()
            )),
        ),
        (
            "someone else's gas coin",
            paid_by(theirs.clone()),
            invalid,
            node(format!(
                "Transaction was not signed by the correct sender: Object {} is owned by account address \
                 {buyer}, but given owner/signer address is {alice}",
                theirs.object_id()
            )),
        ),
        (
            "a child object",
            owned(child.0.clone()),
            invalid,
            node(format!(
                "Object {} is owned by object {}. Objects owned by other objects cannot be used as input \
                 arguments",
                child.0.object_id(),
                child.1
            )),
        ),
        (
            "a shared object as owned",
            owned(db.clone()),
            invalid,
            node("Object used as owned is not owned"),
        ),
        (
            "an owned object as shared",
            shared(id, 1, true),
            invalid,
            node("Object used as shared is not shared"),
        ),
        (
            "another initial version",
            shared(addresses.atoma_db, 99, true),
            invalid,
            node("Wrong initial version given for shared object"),
        ),
        (
            "`&mut Random`",
            shared(Address::from_static("0x8"), 1, true),
            invalid,
            node("Mutable parameter provided, immutable parameter expected"),
        ),
        (
            "`&mut Clock`",
            shared(Address::from_static("0x6"), 1, true),
            invalid,
            node("Mutable parameter provided, immutable parameter expected"),
        ),
        (
            "an input twice",
            with(vec![Input::ImmutableOrOwned(coin.clone()); 2]),
            invalid,
            node("The transaction inputs contain duplicated ObjectRef's"),
        ),
        (
            "the gas coin as an input",
            owned(gas.clone()),
            invalid,
            node(format!(
                "Mutable object {} cannot appear more than one in one transaction",
                gas.object_id()
            )),
        ),
        (
            "gas that is no coin",
            paid_by(db),
            invalid,
            node(
                "Gas object is not an owned object with owner: Shared { initial_shared_version: SequenceNumber(1) }",
            ),
        ),
        (
            "the end of an epoch in the past",
            expiring(TransactionExpiration::Epoch(0)),
            invalid,
            "Transaction Expired".to_owned(),
        ),
        (
            "epochs in the past",
            expiring(valid_during(chain, Some(0), Some(0))),
            invalid,
            "Transaction Expired".to_owned(),
        ),
        (
            "epochs to come",
            expiring(valid_during(chain, Some(2), Some(3))),
            invalid,
            "Transaction Expired".to_owned(),
        ),
        (
            "another chain",
            expiring(valid_during(other_chain, Some(1), Some(1))),
            invalid,
            node(format!(
                "Transaction chain ID {other_chain} does not match network chain ID {chain}."
            )),
        ),
        (
            "too many epochs",
            expiring(valid_during(chain, Some(1), Some(3))),
            invalid,
            node("Feature is not supported: max_epoch must be at most min_epoch + 1"),
        ),
        (
            "one epoch only",
            expiring(valid_during(chain, Some(1), None)),
            invalid,
            node("Feature is not supported: Both min_epoch and max_epoch must be specified"),
        ),
        (
            "times",
            expiring(TransactionExpiration::ValidDuring {
                min_epoch: Some(1),
                max_epoch: Some(1),
                min_timestamp: Some(1),
                max_timestamp: None,
                chain,
                nonce: 1,
            }),
            invalid,
            node(
                "Feature is not supported: Timestamp-based transaction expiration is not yet supported",
            ),
        ),
    ];
    fixture.network.advance_epoch().unwrap();
    for (row, transaction, code, text) in cases {
        let status = refused(&fixture, &transaction).await;
        assert_refusal(&status, code, &text, row);
    }
}

#[tokio::test]
async fn refusals_of_gas_and_commands() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let valid = transfer(alice, gas.clone(), 1, alice);
    let changed = |change: &dyn Fn(&mut Transaction)| {
        let mut transaction = valid.clone();
        change(&mut transaction);
        transaction
    };
    let commands = |inputs, commands| transaction(alice, gas.clone(), inputs, commands);
    let settle = Command::MoveCall(MoveCall {
        package: fixture.network.addresses().package,
        module: "db".parse().unwrap(),
        function: "try_settle_stack".parse().unwrap(),
        type_arguments: vec![],
        arguments: vec![Argument::Input(0)],
    });
    let vector = Command::MakeMoveVector(MakeMoveVector {
        type_: None,
        elements: vec![],
    });
    let upgrade = Command::Upgrade(Upgrade {
        modules: vec![vec![1]],
        dependencies: vec![],
        package: fixture.network.addresses().package,
        ticket: Argument::Gas,
    });
    let chain: Digest = fixture.network.chain_id().parse().unwrap();
    let usdc = {
        fixture.network.faucet(alice, 0, 77).unwrap();
        let usdc = sui_sdk_types::StructTag::coin(fixture.network.addresses().usdc());
        fixture.owned(alice, &usdc.to_string()).await.remove(0)
    };
    let invalid = Code::InvalidArgument;
    let cases: Vec<(&str, Transaction, Code, String)> = vec![
        (
            "a price below the reference price",
            changed(&|t| t.gas_payment.price = 999),
            invalid,
            node("Gas price 999 under reference gas price (RGP) 1000"),
        ),
        (
            "a price above the limit",
            changed(&|t| t.gas_payment.price = 100_000),
            invalid,
            node("Gas price cannot exceed 100000 mist"),
        ),
        (
            "a budget below the minimum",
            changed(&|t| t.gas_payment.budget = 999_999),
            invalid,
            node("Gas budget: 999999 is lower than min: 1000000"),
        ),
        (
            "a budget above the maximum",
            changed(&|t| t.gas_payment.budget = 50_000_000_001),
            invalid,
            node("Gas budget: 50000000001 is higher than max: 50000000000"),
        ),
        (
            "a budget above the balance",
            changed(&|t| t.gas_payment.budget = 21 * SUI),
            invalid,
            node("Balance of gas object 20000000000 is lower than the needed amount: 21000000000"),
        ),
        (
            "gas of another currency",
            changed(&|t| t.gas_payment.objects = vec![usdc.clone()]),
            invalid,
            node(format!("Object {} is not a gas object", usdc.object_id())),
        ),
        (
            "the same gas coin twice",
            changed(&|t| t.gas_payment.objects = vec![gas.clone(); 2]),
            invalid,
            node(format!(
                "Mutable object {} cannot appear more than one in one transaction",
                gas.object_id()
            )),
        ),
        (
            "no gas coin",
            changed(&|t| t.gas_payment.objects.clear()),
            invalid,
            node("Transaction gas payment missing"),
        ),
        (
            "gas from an address balance",
            changed(&|t| {
                t.gas_payment.objects.clear();
                t.expiration = valid_during(chain, Some(0), Some(1));
            }),
            Code::Unimplemented,
            local("gas payment from an address balance; name a gas coin"),
        ),
        (
            "a command after Random",
            commands(
                vec![random()],
                vec![settle, move_call(Address::TWO, "coin", "zero")],
            ),
            invalid,
            node(
                "Commands following a command with Random can only be TransferObjects or MergeCoins",
            ),
        ),
        (
            "an empty command",
            commands(vec![], vec![vector]),
            invalid,
            node(
                "TransferObjects, MergeCoin, and Publish cannot have empty arguments. If MakeMoveVec has \
                 empty arguments, it must have a type specified",
            ),
        ),
        (
            "an upgrade",
            commands(vec![], vec![upgrade]),
            Code::Unimplemented,
            local("the command Upgrade"),
        ),
        (
            "an unknown function of the framework",
            commands(vec![], vec![move_call(Address::TWO, "pay", "join")]),
            Code::Unimplemented,
            local(&format!("calls of {}::pay::join", Address::TWO)),
        ),
        (
            "receiving an object",
            commands(vec![Input::Receiving(usdc.clone())], vec![]),
            Code::Unimplemented,
            local("receiving objects"),
        ),
    ];
    for (row, transaction, code, text) in cases {
        let status = refused(&fixture, &transaction).await;
        assert_refusal(&status, code, &text, row);
    }
    fixture.execute(&valid).await.unwrap();
}

#[tokio::test]
async fn refusals_of_signatures() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let transaction = transfer(alice, gas, 1, alice);
    let other = TestAccount::new(1);
    let theirs = other.key.sign_transaction(&transaction).unwrap();
    let status = fixture
        .send(&transaction, vec![theirs.clone()])
        .await
        .unwrap_err();
    let text = format!(
        "Invalid user signature: Required Signature from {alice} is absent [\"{}\"]",
        other.address
    );
    assert_refusal(&status, Code::InvalidArgument, &text, "another signer");
    for (signatures, count) in [(vec![], 0), (vec![theirs.clone(), theirs], 2)] {
        let status = fixture.send(&transaction, signatures).await.unwrap_err();
        let text = format!("Invalid user signature: Expect 1 signer signatures but got {count}");
        assert_refusal(
            &status,
            Code::InvalidArgument,
            &text,
            "another number of signatures",
        );
    }
    let mut changed = transaction.clone();
    changed.gas_payment.budget += 1;
    let wrong = fixture.alice.key.sign_transaction(&changed).unwrap();
    let status = fixture.send(&transaction, vec![wrong]).await.unwrap_err();
    let text = "Invalid user signature: Signature is not valid: ";
    assert!(status.message().starts_with(text), "{status}");
    assert_eq!(status.code(), Code::InvalidArgument);
}

/// Two transactions over one version of an object: the one on its way holds it.
#[tokio::test]
async fn the_loser_of_two_transactions_at_once_meets_a_lock() {
    let fixture = std::sync::Arc::new(Fixture::start().await);
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let first = transfer(alice, gas.clone(), 1, alice);
    fixture.network.inject_fault(atoma_localnet::Fault {
        kind: atoma_localnet::FaultKind::ExecuteDelay,
        count: 1,
        ms: 600_000,
    });
    let sending = tokio::spawn({
        let (fixture, first) = (std::sync::Arc::clone(&fixture), first.clone());
        async move { fixture.execute(&first).await }
    });
    while !fixture.network.faults().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = transfer(alice, gas.clone(), 2, alice);
    let status = refused(&fixture, &second).await;
    let text = rejected(format!(
        "Object ({}, SequenceNumber({}), o#{}) already locked by a different transaction: \
         TransactionDigest({})",
        gas.object_id(),
        gas.version(),
        gas.digest(),
        first.digest()
    ));
    assert_refusal(&status, Code::FailedPrecondition, &text, "a locked coin");
    // The same bytes are no other transaction.
    fixture.execute(&first).await.unwrap();
    sending.abort();
    // A version that has no holder any more was consumed.
    let status = refused(&fixture, &second).await;
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn requests_that_cannot_be_read_name_the_field() {
    let fixture = Fixture::start().await;
    let request = sui_rpc::proto::sui::rpc::v2::ExecuteTransactionRequest::default();
    let mut client = fixture.client.clone();
    let status = client
        .execution_client()
        .execute_transaction(request)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let details: rpc::Status = prost::Message::decode(status.details()).unwrap();
    let violation: rpc::BadRequest = details.details[0].to_msg().unwrap();
    assert_eq!(violation.field_violations[0].field, "transaction");
    assert_eq!(violation.field_violations[0].description, status.message());
}

fn task() -> atoma_localnet::NewTask {
    atoma_localnet::NewTask {
        role: 1,
        model_name: None,
        security_level: 0,
        minimum_reputation_score: None,
        is_public: true,
    }
}

impl Fixture {
    async fn reference(&self, id: &Address) -> ObjectReference {
        let object = self.object(id).await;
        (&object.object_reference()).try_into().unwrap()
    }

    /// The entry of a task in the contract's table, and the table.
    async fn a_child(&self) -> (ObjectReference, Address) {
        let db = self.object(&self.network.addresses().atoma_db).await;
        // Two ids and three counters, a table and another precede the table of tasks.
        let at = 32 + 32 + 24 + 40 + 40;
        let table = Address::from_bytes(&db.contents().value()[at..at + 32]).unwrap();
        let mut request = sui_rpc::proto::sui::rpc::v2::ListDynamicFieldsRequest::default();
        request.parent = Some(table.to_string());
        let fields = self
            .client
            .clone()
            .state_client()
            .list_dynamic_fields(request)
            .await
            .unwrap()
            .into_inner()
            .dynamic_fields;
        let id = fields[0].field_id().parse().unwrap();
        (self.reference(&id).await, table)
    }
}
