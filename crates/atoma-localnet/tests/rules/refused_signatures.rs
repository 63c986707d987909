//! Every refusal of signatures: who signed what, the gRPC code, and the text; and the committees that may sign.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sui_crypto::SuiSigner;
use sui_crypto::multisig::MultisigAggregator;
use sui_crypto::secp256k1::Secp256k1PrivateKey;
use sui_crypto::secp256r1::Secp256r1PrivateKey;
use sui_sdk_types::{
    Bn254FieldElement, CircomG1, CircomG2, MultisigAggregatedSignature, MultisigCommittee,
    MultisigMember, MultisigMemberPublicKey, PasskeyAuthenticator, PasskeyPublicKey,
    Secp256r1Signature, SimpleSignature, Transaction, UserSignature, ZkLoginAuthenticator,
    ZkLoginClaim, ZkLoginInputs, ZkLoginProof,
};
use tonic::Code;

use crate::refusal_table::{assert_refusal, local};
use crate::refusals::forms;
use crate::support::{Fixture, SUI, TestAccount, assert_success, transfer};

#[tokio::test]
async fn refusals_of_simple_signatures() {
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

struct Members {
    ed25519: TestAccount,
    k1: Secp256k1PrivateKey,
    r1: Secp256r1PrivateKey,
}

impl Members {
    fn new() -> Self {
        Self {
            ed25519: TestAccount::new(41),
            k1: Secp256k1PrivateKey::new([42; 32]).unwrap(),
            r1: Secp256r1PrivateKey::new([43; 32]),
        }
    }

    /// Any two of the three sign for the committee.
    fn committee(&self) -> MultisigCommittee {
        let keys = [
            MultisigMemberPublicKey::Ed25519(self.ed25519.key.public_key()),
            MultisigMemberPublicKey::Secp256k1(self.k1.public_key()),
            MultisigMemberPublicKey::Secp256r1(self.r1.public_key()),
        ];
        let members = keys.map(|key| MultisigMember::new(key, 1));
        MultisigCommittee::new(members.to_vec(), 2)
    }

    fn sign(&self, transaction: &Transaction) -> [UserSignature; 3] {
        [
            self.ed25519.key.sign_transaction(transaction).unwrap(),
            self.k1.sign_transaction(transaction).unwrap(),
            self.sign_with_r1(transaction, false),
        ]
    }

    /// The signature of the third member in its low or its high form.
    fn sign_with_r1(&self, transaction: &Transaction, is_high: bool) -> UserSignature {
        let signature = self.r1.sign_transaction(transaction).unwrap();
        let UserSignature::Simple(SimpleSignature::Secp256r1 {
            signature,
            public_key,
        }) = signature
        else {
            panic!("no secp256r1 signature");
        };
        let (low, high) = forms(*signature.inner());
        UserSignature::Simple(SimpleSignature::Secp256r1 {
            signature: Secp256r1Signature::new(if is_high { high } else { low }),
            public_key,
        })
    }
}

#[tokio::test]
async fn a_committee_signs_with_enough_of_its_members() {
    let fixture = Fixture::start().await;
    let members = Members::new();
    let committee = members.committee();
    let address = committee.derive_address();
    fixture.network.faucet(address, 2 * SUI, 0).unwrap();
    // Each pair of members, so that each scheme signs twice.
    for leaves_out in 0..3 {
        let gas = fixture.coins(address).await.remove(0);
        let transaction = transfer(address, gas, 1, fixture.alice.address);
        let mut aggregator =
            MultisigAggregator::new_with_transaction(committee.clone(), &transaction);
        for (index, signature) in members.sign(&transaction).into_iter().enumerate() {
            if index != leaves_out {
                aggregator.add_signature(signature).unwrap();
            }
        }
        let signature = UserSignature::Multisig(aggregator.finish().unwrap());
        let executed = fixture.send(&transaction, vec![signature]).await.unwrap();
        assert_success(&executed);
    }
}

#[tokio::test]
async fn refusals_of_committees() {
    let fixture = Fixture::start().await;
    let members = Members::new();
    let committee = members.committee();
    let address = committee.derive_address();
    fixture.network.faucet(address, 2 * SUI, 0).unwrap();
    let gas = fixture.coins(address).await.remove(0);
    let transaction = transfer(address, gas, 1, fixture.alice.address);
    let mut aggregator = MultisigAggregator::new_with_transaction(committee.clone(), &transaction);
    for signature in members.sign(&transaction) {
        aggregator.add_signature(signature).unwrap();
    }
    let whole = aggregator.finish().unwrap();
    let of = |signatures: &[usize], bitmap| {
        let signatures = signatures
            .iter()
            .map(|index| whole.signatures()[*index].clone());
        MultisigAggregatedSignature::new(committee.clone(), signatures.collect(), bitmap)
    };
    for (row, signature) in [
        ("below the threshold", of(&[0], 0b001)),
        ("another member's signature", of(&[0, 1], 0b101)),
        ("more members than signatures", of(&[0, 1], 0b111)),
        ("no such member", of(&[0, 1], 0b1001)),
    ] {
        let signature = UserSignature::Multisig(signature);
        let status = fixture
            .send(&transaction, vec![signature])
            .await
            .unwrap_err();
        let text = "Invalid user signature: Signature is not valid: ";
        assert!(status.message().starts_with(text), "{row}: {status}");
        assert_refusal(&status, Code::InvalidArgument, status.message(), row);
    }
    let mut aggregator = MultisigAggregator::new_with_transaction(committee, &transaction);
    let [ed25519, ..] = members.sign(&transaction);
    aggregator.add_signature(ed25519).unwrap();
    let high = members.sign_with_r1(&transaction, true);
    aggregator.add_signature(high).unwrap();
    let signature = UserSignature::Multisig(aggregator.finish().unwrap());
    let status = fixture.send(&transaction, vec![signature]).await;
    assert!(status.unwrap_err().message().contains("lower half"));
    // Enough members, but of the transaction of someone else.
    let alice = fixture.alice.address;
    let theirs = fixture.coins(alice).await.remove(0);
    let theirs = transfer(alice, theirs, 1, alice);
    let signature = UserSignature::Multisig(whole);
    let status = fixture.send(&theirs, vec![signature]).await.unwrap_err();
    let text = format!(
        "Invalid user signature: Required Signature from {alice} is absent [\"{address}\"]"
    );
    assert_refusal(&status, Code::InvalidArgument, &text, "another signer");
}

/// A passkey's signature, which need not be valid.
fn passkey(members: &Members) -> PasskeyAuthenticator {
    let challenge = URL_SAFE_NO_PAD.encode([7; 35]);
    let client_data = format!(
        "{{\"type\":\"webauthn.get\",\"challenge\":\"{challenge}\",\"origin\":\"https://wallet.example\"}}"
    );
    let signature = SimpleSignature::Secp256r1 {
        signature: Secp256r1Signature::new([1; 64]),
        public_key: members.r1.public_key(),
    };
    PasskeyAuthenticator::new(vec![0; 37], client_data, signature).unwrap()
}

/// A zkLogin signature, whose proof need not be valid.
fn zklogin(signature: SimpleSignature) -> ZkLoginAuthenticator {
    let one = || "1".parse::<Bn254FieldElement>().unwrap();
    let g1 = || CircomG1([one(), one(), one()]);
    let proof = ZkLoginProof {
        a: g1(),
        b: CircomG2([[one(), one()], [one(), one()], [one(), one()]]),
        c: g1(),
    };
    // The token's claim, without the first character of the token's encoding.
    let claim = URL_SAFE_NO_PAD.encode("{\"iss\":\"https://a.b\",");
    let claim = ZkLoginClaim {
        value: claim[1..].to_owned(),
        index_mod_4: 1,
    };
    let header = URL_SAFE_NO_PAD.encode("{\"alg\":\"RS256\",\"kid\":\"1\",\"typ\":\"JWT\"}");
    ZkLoginAuthenticator {
        inputs: ZkLoginInputs::new(proof, claim, header, one()).unwrap(),
        max_epoch: 10,
        signature,
    }
}

/// What the network can't verify, it refuses by the scheme's name.
#[tokio::test]
async fn refusals_of_schemes() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let transaction = transfer(alice, gas, 1, alice);
    let members = Members::new();
    let UserSignature::Simple(simple) = fixture.alice.key.sign_transaction(&transaction).unwrap()
    else {
        panic!("no simple signature");
    };
    let zklogin = zklogin(simple);
    let committee = |key| {
        let members = vec![MultisigMember::new(key, 1)];
        let committee = MultisigCommittee::new(members, 1);
        UserSignature::Multisig(MultisigAggregatedSignature::new(committee, vec![], 0))
    };
    let identifier = zklogin.inputs.public_identifier().clone();
    for (signature, feature) in [
        (
            UserSignature::ZkLogin(Box::new(zklogin)),
            "zkLogin signatures",
        ),
        (
            UserSignature::Passkey(passkey(&members)),
            "passkey signatures",
        ),
        (
            committee(MultisigMemberPublicKey::ZkLogin(identifier)),
            "multisig with a zkLogin member",
        ),
        (
            committee(MultisigMemberPublicKey::Passkey(PasskeyPublicKey::new(
                members.r1.public_key(),
            ))),
            "multisig with a passkey member",
        ),
    ] {
        let status = fixture
            .send(&transaction, vec![signature])
            .await
            .unwrap_err();
        assert_refusal(&status, Code::Unimplemented, &local(feature), feature);
    }
}
