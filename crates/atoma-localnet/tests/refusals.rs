//! Which transactions the network refuses, with which messages, and that a refusal costs nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use sui_crypto::SuiSigner;
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_crypto::secp256k1::Secp256k1PrivateKey;
use sui_crypto::secp256r1::Secp256r1PrivateKey;
use sui_sdk_types::{
    Address, Argument, Command, Digest, Input, MakeMoveVector, MoveCall, ObjectReference,
    SharedInput, SimpleSignature, Transaction, TransactionExpiration, UserSignature,
};
use support::{Fixture, SUI, pure, transaction, transfer};
use tonic::{Code, Status};

async fn refused(fixture: &Fixture, transaction: &Transaction) -> Status {
    let state = fixture.network.state().unwrap();
    let refusal = fixture.execute(transaction).await.unwrap_err();
    assert_eq!(
        fixture.network.state().unwrap(),
        state,
        "a refusal changed something"
    );
    refusal
}

#[tokio::test]
async fn the_refusal_of_a_stale_version_names_the_object() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let first = transfer(alice, gas.clone(), 1, alice);
    fixture.execute(&first).await.unwrap();
    let status = refused(&fixture, &transfer(alice, gas.clone(), 2, alice)).await;
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains(&gas.object_id().to_string()));
    assert!(
        status
            .message()
            .contains("is unavailable for consumption, current version: ")
    );
}

#[tokio::test]
async fn versions_digests_and_owners_must_match() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let (id, version, digest) = gas.clone().into_parts();

    let ahead = ObjectReference::new(id, version + 1, digest);
    let status = refused(&fixture, &transfer(alice, ahead, 1, alice)).await;
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains(&id.to_string()));

    let unknown = ObjectReference::new(Address::new([9; 32]), version, digest);
    let status = refused(&fixture, &transfer(alice, unknown, 1, alice)).await;
    assert_eq!(status.code(), Code::NotFound);

    let other = ObjectReference::new(id, version, Digest::new([1; 32]));
    let status = refused(&fixture, &transfer(alice, other, 1, alice)).await;
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("Invalid Object digest"));

    let theirs = fixture.coins(fixture.network.buyer()).await.remove(0);
    let inputs = vec![Input::ImmutableOrOwned(theirs)];
    let status = refused(&fixture, &transaction(alice, gas.clone(), inputs, vec![])).await;
    assert!(
        status
            .message()
            .contains("but given owner/signer address is")
    );

    let addresses = fixture.network.addresses();
    let wrong_start = SharedInput::new(addresses.atoma_db, 99, true);
    let status = refused(
        &fixture,
        &transaction(alice, gas, vec![Input::Shared(wrong_start)], vec![]),
    )
    .await;
    assert!(status.message().contains(&addresses.atoma_db.to_string()));
}

#[tokio::test]
async fn gas_price_budget_and_balance_are_checked() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let valid = transfer(alice, gas, 1, alice);
    let mut cases = Vec::new();
    let mut case = |change: &dyn Fn(&mut Transaction), message: &'static str| {
        let mut transaction = valid.clone();
        change(&mut transaction);
        cases.push((transaction, message));
    };
    case(
        &|t| t.gas_payment.price = 999,
        "under reference gas price (RGP) 1000",
    );
    case(
        &|t| t.gas_payment.budget = 999_999,
        "is lower than min: 1000000",
    );
    case(
        &|t| t.gas_payment.budget = 50_000_000_001,
        "is higher than max: 50000000000",
    );
    case(
        &|t| t.gas_payment.budget = 21 * SUI,
        "is lower than the needed amount",
    );
    case(&|t| t.gas_payment.objects.clear(), "gas payment missing");
    case(
        &|t| t.expiration = TransactionExpiration::Epoch(0),
        "Transaction Expired",
    );
    fixture.network.advance_epoch().unwrap();
    for (transaction, message) in cases {
        let status = refused(&fixture, &transaction).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().contains(message), "{status}");
    }
    fixture.execute(&valid).await.unwrap();
}

#[tokio::test]
async fn a_transaction_is_valid_in_the_epoch_in_which_it_expires() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let mut transaction = transfer(alice, gas.clone(), 1, alice);
    transaction.expiration = TransactionExpiration::ValidDuring {
        min_epoch: Some(0),
        max_epoch: Some(0),
        min_timestamp: None,
        max_timestamp: None,
        chain: Digest::new([1; 32]),
        nonce: 1,
    };
    let status = refused(&fixture, &transaction).await;
    assert!(status.message().contains("names chain"), "{status}");
    transaction.expiration = TransactionExpiration::Epoch(0);
    let executed = fixture.execute(&transaction).await.unwrap();
    support::assert_success(&executed);
    // Once executed, the same bytes return the same effects even after they have expired.
    fixture.network.advance_epoch().unwrap();
    let again = fixture.execute(&transaction).await.unwrap();
    assert_eq!(again.effects, executed.effects);
}

#[tokio::test]
async fn sizes_and_kinds_are_limited() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let build = |inputs, commands| transaction(alice, gas.clone(), inputs, commands);
    let vector = Command::MakeMoveVector(MakeMoveVector {
        type_: Some("u8".parse().unwrap()),
        elements: vec![],
    });
    let merge = |count: usize| {
        Command::MergeCoins(sui_sdk_types::MergeCoins {
            coin: Argument::Gas,
            coins_to_merge: vec![Argument::Gas; count],
        })
    };
    let foreign = |package| {
        Command::MoveCall(MoveCall {
            package,
            module: "coin".parse().unwrap(),
            function: "zero".parse().unwrap(),
            type_arguments: vec![],
            arguments: vec![],
        })
    };
    let cases = [
        (
            build(vec![Input::Pure(vec![0; 16_385])], vec![]),
            Code::InvalidArgument,
        ),
        (
            build(vec![Input::Pure(vec![0; 16_000]); 9], vec![]),
            Code::InvalidArgument,
        ),
        (build(vec![], vec![merge(1); 1_025]), Code::InvalidArgument),
        (build(vec![], vec![merge(513)]), Code::InvalidArgument),
        (build(vec![], vec![merge(0)]), Code::InvalidArgument),
        (build(vec![], vec![vector]), Code::Unimplemented),
        (
            build(vec![], vec![foreign(Address::TWO)]),
            Code::Unimplemented,
        ),
        (
            build(vec![], vec![foreign(Address::new([3; 32]))]),
            Code::NotFound,
        ),
        (
            build(vec![Input::ImmutableOrOwned(gas.clone())], vec![]),
            Code::InvalidArgument,
        ),
    ];
    for (transaction, code) in cases {
        let status = refused(&fixture, &transaction).await;
        assert_eq!(status.code(), code, "{status}");
    }
}

#[tokio::test]
async fn all_schemes_are_accepted_and_wrong_signatures_refused() {
    let fixture = Fixture::start().await;
    let k1 = Secp256k1PrivateKey::new([8; 32]).unwrap();
    let r1 = Secp256r1PrivateKey::new([9; 32]);
    let addresses = [
        k1.public_key().derive_address(),
        r1.public_key().derive_address(),
    ];
    for address in addresses {
        fixture.network.faucet(address, SUI * 2, 0).unwrap();
    }
    let gas = fixture.coins(addresses[0]).await.remove(0);
    let transaction = transfer(addresses[0], gas, 1, addresses[0]);
    let signature = k1.sign_transaction(&transaction).unwrap();
    fixture.send(&transaction, vec![signature]).await.unwrap();

    // secp256r1: the high form of a signature is refused, and the low form is accepted.
    let gas = fixture.coins(addresses[1]).await.remove(0);
    let transaction = transfer(addresses[1], gas, 1, addresses[1]);
    let Ok(UserSignature::Simple(SimpleSignature::Secp256r1 { signature, .. })) =
        r1.sign_transaction(&transaction)
    else {
        panic!("no secp256r1 signature");
    };
    let (one, other) = (*signature.inner(), other_form(*signature.inner()));
    let (low, high) = if one[32..] < other[32..] {
        (one, other)
    } else {
        (other, one)
    };
    let form = |signature: [u8; 64]| {
        UserSignature::Simple(SimpleSignature::Secp256r1 {
            signature: sui_sdk_types::Secp256r1Signature::new(signature),
            public_key: r1.public_key(),
        })
    };
    let status = fixture
        .send(&transaction, vec![form(high)])
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("lower half"), "{status}");
    fixture.send(&transaction, vec![form(low)]).await.unwrap();

    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let transaction = transfer(alice, gas, 1, alice);
    let of_other_key = Ed25519PrivateKey::new([1; 32])
        .sign_transaction(&transaction)
        .unwrap();
    let status = fixture
        .send(&transaction, vec![of_other_key.clone()])
        .await
        .unwrap_err();
    assert!(status.message().contains(&alice.to_string()), "{status}");
    let status = fixture.send(&transaction, vec![]).await.unwrap_err();
    assert!(
        status
            .message()
            .contains("Expect 1 signer signatures but got 0"),
        "{status}"
    );
    let mut other = transaction.clone();
    other.gas_payment.budget += 1;
    let wrong = fixture.alice.key.sign_transaction(&other).unwrap();
    let status = fixture.send(&transaction, vec![wrong]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_sponsor_pays_and_signs_too() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let sponsor = Ed25519PrivateKey::new([3; 32]);
    let sponsor_address = sponsor.public_key().derive_address();
    fixture.network.faucet(sponsor_address, 2 * SUI, 0).unwrap();
    let gas = fixture.coins(sponsor_address).await.remove(0);
    let coin = fixture.coins(alice).await.remove(0);
    let give = Command::TransferObjects(sui_sdk_types::TransferObjects {
        objects: vec![Argument::Input(0)],
        address: Argument::Input(1),
    });
    let inputs = vec![Input::ImmutableOrOwned(coin), pure(&sponsor_address)];
    let mut transaction = transaction(alice, gas, inputs, vec![give]);
    transaction.gas_payment.owner = sponsor_address;
    let ours = fixture.alice.key.sign_transaction(&transaction).unwrap();
    let theirs = sponsor.sign_transaction(&transaction).unwrap();
    let status = fixture
        .send(&transaction, vec![ours.clone()])
        .await
        .unwrap_err();
    assert!(
        status
            .message()
            .contains("Expect 2 signer signatures but got 1"),
        "{status}"
    );
    let executed = fixture
        .send(&transaction, vec![ours, theirs])
        .await
        .unwrap();
    support::assert_success(&executed);
    assert_eq!(fixture.coins(sponsor_address).await.len(), 2);
}

/// The other valid form of a P-256 signature: `s` subtracted from the group's order.
fn other_form(mut signature: [u8; 64]) -> [u8; 64] {
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order = hex::decode(ORDER).unwrap();
    let mut borrow = 0;
    for index in (0..32).rev() {
        let from = i16::from(order[index]) - i16::from(signature[32 + index]) - borrow;
        borrow = i16::from(from < 0);
        signature[32 + index] = u8::try_from(from.rem_euclid(256)).unwrap();
    }
    signature
}
