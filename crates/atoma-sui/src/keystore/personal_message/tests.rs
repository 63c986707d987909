use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;

fn vectors() -> Value {
    let text = include_str!("../../../../../tests/vectors/personal_messages.json");
    serde_json::from_str(text).unwrap()
}

/// Each key with its name, signing.
fn signers(vectors: &Value) -> Vec<(String, KeystoreSigner)> {
    let keys = vectors["keys"].as_object().unwrap().iter();
    let signers = keys.map(|(scheme, key)| {
        let text = key["suiprivkey"].as_str().unwrap();
        let signer = KeystoreSigner::from_suiprivkey(text).unwrap();
        assert_eq!(signer.owner().to_string(), key["address"].as_str().unwrap());
        (scheme.clone(), signer)
    });
    signers.collect()
}

fn message(case: &Value) -> Vec<u8> {
    let once = hex::decode(case["message_hex"].as_str().unwrap()).unwrap();
    once.repeat(usize::try_from(case["times"].as_u64().unwrap()).unwrap())
}

#[test]
fn signatures_are_those_of_the_typescript_sdk() {
    let vectors = vectors();
    let signers = signers(&vectors);
    assert_eq!(signers.len(), 3);
    for case in vectors["cases"].as_array().unwrap() {
        let message = message(case);
        for (scheme, signer) in &signers {
            let theirs = case["signatures"][scheme].as_str().unwrap();
            let ours = signer.sign_personal_message(&message).unwrap();
            assert_eq!(
                STANDARD.encode(&ours),
                theirs,
                "{} by {scheme}",
                case["name"]
            );
            verify_personal_message(&message, &ours, signer.owner()).unwrap();
        }
    }
}

#[test]
fn a_changed_bit_of_message_or_signature_is_found() {
    let vectors = vectors();
    for (_, signer) in signers(&vectors) {
        let message = b"pay 1".to_vec();
        let signature = signer.sign_personal_message(&message).unwrap();
        let check = |message: &[u8], signature: &[u8]| {
            verify_personal_message(message, signature, signer.owner())
        };
        check(&message, &signature).unwrap();
        assert!(matches!(
            check(b"pay 2", &signature),
            Err(PersonalMessageError::Invalid)
        ));
        for bit in 0..signature.len() * 8 {
            let mut changed = signature.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(check(&message, &changed).is_err(), "bit {bit}");
        }
        for length in 0..signature.len() {
            assert!(check(&message, &signature[..length]).is_err(), "{length}");
        }
        let longer = [signature.as_slice(), &[0]].concat();
        assert!(check(&message, &longer).is_err());
    }
}

#[test]
fn another_signer_is_named() {
    let vectors = vectors();
    let signers = signers(&vectors);
    let [(_, one), (_, other), ..] = signers.as_slice() else {
        panic!("{signers:?}");
    };
    let signature = one.sign_personal_message(b"m").unwrap();
    let error = verify_personal_message(b"m", &signature, other.owner()).unwrap_err();
    assert!(matches!(
        error,
        PersonalMessageError::OtherSigner { actual, expected }
            if actual == one.owner() && expected == other.owner()
    ));
}

/// Sui takes only the lower of the two values of `s` that fit a message.
#[test]
fn the_other_value_of_s_is_refused() {
    let vectors = vectors();
    for (scheme, signer) in signers(&vectors) {
        if scheme == "ed25519" {
            continue;
        }
        let signature = signer.sign_personal_message(b"m").unwrap();
        let mut other = signature.clone();
        let order = match scheme.as_str() {
            "secp256k1" => "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
            _ => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        };
        subtract_from(&hex::decode(order).unwrap(), &mut other[33..65]);
        assert_ne!(signature, other);
        let error = verify_personal_message(b"m", &other, signer.owner()).unwrap_err();
        assert!(matches!(error, PersonalMessageError::Invalid), "{scheme}");
    }
}

/// `value = from - value`, both with the highest byte first.
fn subtract_from(from: &[u8], value: &mut [u8]) {
    let mut borrow = 0;
    for (from, value) in from.iter().zip(value).rev() {
        let difference = i16::from(*from) - i16::from(*value) - borrow;
        borrow = i16::from(difference < 0);
        *value = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
}

#[test]
fn a_transactions_signature_is_none_of_a_message() {
    let vectors = vectors();
    let transactions: Value = serde_json::from_str(include_str!(
        "../../../../../tests/vectors/transactions.json"
    ))
    .unwrap();
    let case = &transactions["cases"][0];
    let bytes = STANDARD.decode(case["tx_bytes"].as_str().unwrap()).unwrap();
    for (scheme, signer) in signers(&vectors) {
        let signature = case["signatures"][&scheme].as_str().unwrap();
        let signature = STANDARD.decode(signature).unwrap();
        let error = verify_personal_message(&bytes, &signature, signer.owner()).unwrap_err();
        assert!(matches!(error, PersonalMessageError::Invalid), "{error:?}");
    }
}

#[test]
fn one_byte_too_many_is_refused() {
    let vectors = vectors();
    let (_, signer) = signers(&vectors).remove(0);
    let message = vec![0; MAX_PERSONAL_MESSAGE_BYTES + 1];
    assert!(matches!(
        signer.sign_personal_message(&message),
        Err(PersonalMessageError::TooLong(16_385))
    ));
    assert!(matches!(
        verify_personal_message(&message, &[0; 97], signer.owner()),
        Err(PersonalMessageError::TooLong(16_385))
    ));
}

#[test]
fn other_schemes_are_called_that() {
    for flag in [3, 4, 5, 6, 255] {
        let error = verify_personal_message(b"m", &[flag; 100], Address::ZERO).unwrap_err();
        assert!(matches!(error, PersonalMessageError::Scheme), "{flag}");
    }
    let error = verify_personal_message(b"m", &[], Address::ZERO).unwrap_err();
    assert!(matches!(error, PersonalMessageError::Scheme));
}
