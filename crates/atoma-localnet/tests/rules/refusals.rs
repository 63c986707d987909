//! Signatures, sponsors and expirations, and that a refusal costs nothing.

use crate::support::{Fixture, SUI, pure, transaction, transfer};
use sui_crypto::SuiSigner;
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_crypto::secp256k1::Secp256k1PrivateKey;
use sui_crypto::secp256r1::Secp256r1PrivateKey;
use sui_sdk_types::{
    Argument, Command, Digest, Input, SimpleSignature, Transaction, TransactionExpiration,
    UserSignature,
};
use tonic::{Code, Status};

pub(crate) async fn refused(fixture: &Fixture, transaction: &Transaction) -> Status {
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
    assert!(
        status.message().contains("does not match network chain ID"),
        "{status}"
    );
    transaction.expiration = TransactionExpiration::Epoch(0);
    let executed = fixture.execute(&transaction).await.unwrap();
    crate::support::assert_success(&executed);
    // Once executed, the same bytes return the same effects even after they have expired.
    fixture.network.advance_epoch().unwrap();
    let again = fixture.execute(&transaction).await.unwrap();
    assert_eq!(again.effects, executed.effects);
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
    let (low, high) = forms(*signature.inner());
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
            .contains("Invalid user signature: Expect 1 signer signatures but got 0"),
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
    crate::support::assert_success(&executed);
    assert_eq!(fixture.coins(sponsor_address).await.len(), 2);
}

/// The low and the high form of a P-256 signature.
pub(crate) fn forms(signature: [u8; 64]) -> ([u8; 64], [u8; 64]) {
    let other = other_form(signature);
    if signature[32..] < other[32..] {
        (signature, other)
    } else {
        (other, signature)
    }
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
