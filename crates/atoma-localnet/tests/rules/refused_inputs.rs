//! Every refusal of inputs and expirations: the transaction, the gRPC code, and the text. The texts are Sui's.

use sui_sdk_types::{
    Address, Digest, Input, ObjectReference, SharedInput, Transaction, TransactionExpiration,
};
use tonic::Code;

use crate::refusal_table::{aborted, assert_refusal, move_call, node, rejected, valid_during};
use crate::refusals::refused;
use crate::support::{Fixture, transaction, transfer};

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
            "a version that never was",
            paid_by(ObjectReference::new(*gas.object_id(), 0, digest)),
            invalid,
            rejected(format!(
                "Transaction needs to be rebuilt because object {} version 0x0 ({digest}) is unavailable for \
                 consumption, current version: {current:#x}",
                gas.object_id()
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
            "`&mut Clock` with another initial version",
            shared(Address::from_static("0x6"), 2, true),
            invalid,
            node("Wrong initial version given for shared object"),
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
            "gas that is a package",
            paid_by(package.clone()),
            invalid,
            node("Gas object is not an owned object with owner: Immutable"),
        ),
        (
            "a child object as gas",
            paid_by(child.0.clone()),
            invalid,
            node(format!(
                "Gas object is not an owned object with owner: ObjectOwner({})",
                child.1
            )),
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
                "Transaction chain ID ChainIdentifier(CheckpointDigest({other_chain})) does not match network \
                 chain ID ChainIdentifier(CheckpointDigest({chain}))."
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
        let fields = self.dynamic_fields(&table.to_string(), None).await;
        let id = fields[0].field_id().parse().unwrap();
        (self.reference(&id).await, table)
    }
}
