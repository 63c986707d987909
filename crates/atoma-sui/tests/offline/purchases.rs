//! Purchases of stacks, by the public API alone, against what the TypeScript SDK built
//! (`tests/vectors/purchases.json`).

use atoma_domain::ports::Signer as _;
use atoma_domain::{
    ComputeUnits, Digest, Epoch, Mist, ObjectReference, PricePerMillion, TaskSmallId,
};
use atoma_sui::{BuildError, ContractInputs, KeystoreSigner, StackPurchase};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/purchases.json")).unwrap()
}

fn contract() -> ContractInputs {
    ContractInputs {
        package: "0xa70a0001".parse().unwrap(),
        atoma_db: "0xa70adb01".parse().unwrap(),
        atoma_db_initial_version: 349_223_371,
        random_initial_version: 10,
    }
}

fn reference(id: &str, version: u64, byte: u8) -> ObjectReference {
    let id = format!("0x{id}").parse().unwrap();
    ObjectReference::new(id, version, Digest::new([byte; 32]))
}

fn purchase(signer: &KeystoreSigner, coins: Vec<ObjectReference>) -> StackPurchase {
    StackPurchase {
        buyer: signer.address(),
        task: TaskSmallId::new(7),
        units: ComputeUnits::new(1_000_000),
        price: PricePerMillion::new(u64::MAX),
        coins,
        amount: 1_212_000,
        type_argument: None,
        gas: vec![reference("9a5c0140", 349_223_401, 18)],
        gas_price: Mist::new(1_000),
        gas_budget: Mist::new(50_000_000),
        expires_after: Epoch::new(812),
    }
}

#[tokio::test]
async fn bytes_digests_and_signatures_are_those_of_the_typescript_sdk() {
    let vectors = vectors();
    let text = vectors["suiprivkey"].as_str().unwrap();
    let signer = KeystoreSigner::from_suiprivkey(text).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let name = &case["name"];
        let coins = case["coins"].as_array().unwrap().iter().map(|coin| {
            let byte = u8::try_from(coin[2].as_u64().unwrap()).unwrap();
            reference(coin[0].as_str().unwrap(), coin[1].as_u64().unwrap(), byte)
        });
        let mut purchase = purchase(&signer, coins.collect());
        let type_argument = case["type_argument"].as_str();
        purchase.type_argument = type_argument.map(|text| text.parse().unwrap());
        let unsigned = contract().build_purchase(&purchase).unwrap();
        assert_eq!(STANDARD.encode(&unsigned.bytes), case["tx_bytes"], "{name}");
        assert_eq!(unsigned.digest.to_string(), case["digest"], "{name}");
        let signed = signer.sign(unsigned).await.unwrap();
        let signature = STANDARD.encode(&signed.signatures[0]);
        assert_eq!(signature, case["signature"], "{name}");
    }
}

#[test]
fn purchases_that_no_network_takes_are_not_built() {
    let vectors = vectors();
    let text = vectors["suiprivkey"].as_str().unwrap();
    let signer = KeystoreSigner::from_suiprivkey(text).unwrap();
    let built = |coins| contract().build_purchase(&purchase(&signer, coins));
    assert!(matches!(built(Vec::new()), Err(BuildError::NoCoins)));
    let coin = |id: u64| reference(&format!("{id:x}"), 1, 1);
    assert!(matches!(
        built(vec![coin(1), coin(2), coin(1)]),
        Err(BuildError::CoinTwice(_))
    ));
    let gas = reference("9a5c0140", 349_223_401, 18);
    assert!(matches!(built(vec![gas]), Err(BuildError::CoinTwice(_))));
    built((1..=512).map(coin).collect()).unwrap();
    assert!(matches!(
        built((1..=513).map(coin).collect()),
        Err(BuildError::Limit { actual: 513, .. })
    ));
}
