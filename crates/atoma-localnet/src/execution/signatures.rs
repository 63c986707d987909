//! Checking a transaction's signatures.

use sui_crypto::{SuiVerifier, UserSignatureVerifier};
use sui_sdk_types::{Address, SimpleSignature, Transaction, UserSignature};

use super::refusal::TransactionRefusal;

/// Half the order of the secp256k1 group, big-endian: the highest `s` that Sui accepts.
const SECP256K1_HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// Half the order of the secp256r1 (P-256) group, big-endian.
const SECP256R1_HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// Checks that the sender, and the gas owner if different, signed `transaction`.
///
/// # Errors
/// A [`TransactionRefusal`] when a signature is missing, superfluous or invalid, or has a high `s`.
pub(crate) fn verify(
    transaction: &Transaction,
    signatures: &[UserSignature],
) -> Result<(), TransactionRefusal> {
    let mut required = vec![transaction.sender];
    if transaction.gas_payment.owner != transaction.sender {
        required.push(transaction.gas_payment.owner);
    }
    if signatures.len() != required.len() {
        return Err(TransactionRefusal::SignatureCount {
            expected: required.len(),
            actual: signatures.len(),
        });
    }
    let mut present = Vec::with_capacity(signatures.len());
    for signature in signatures {
        let UserSignature::Simple(simple) = signature else {
            return Err(TransactionRefusal::NotOnLocalNetwork(format!(
                "{:?} signatures",
                signature.scheme()
            )));
        };
        check_low_s(simple)?;
        present.extend(address_of(simple));
        UserSignatureVerifier::new()
            .verify_transaction(transaction, signature)
            .map_err(|error| TransactionRefusal::InvalidSignature(error.to_string()))?;
    }
    for address in required {
        if !present.contains(&address) {
            return Err(TransactionRefusal::SignerAbsent {
                required: address,
                present: present.iter().map(Address::to_string).collect(),
            });
        }
    }
    Ok(())
}

fn address_of(signature: &SimpleSignature) -> Option<Address> {
    match signature {
        SimpleSignature::Ed25519 { public_key, .. } => Some(public_key.derive_address()),
        SimpleSignature::Secp256k1 { public_key, .. } => Some(public_key.derive_address()),
        SimpleSignature::Secp256r1 { public_key, .. } => Some(public_key.derive_address()),
        _ => None,
    }
}

/// Checks for the low form of an ECDSA signature. The verifier accepts both forms, but Sui does
/// not.
fn check_low_s(signature: &SimpleSignature) -> Result<(), TransactionRefusal> {
    let (bytes, half_order): (&[u8], _) = match signature {
        SimpleSignature::Secp256k1 { signature, .. } => {
            (signature.as_bytes(), SECP256K1_HALF_ORDER)
        }
        SimpleSignature::Secp256r1 { signature, .. } => {
            (signature.as_bytes(), SECP256R1_HALF_ORDER)
        }
        _ => return Ok(()),
    };
    match bytes.get(32..64) {
        Some(s) if s <= half_order.as_slice() => Ok(()),
        _ => Err(TransactionRefusal::InvalidSignature(
            "s is not in the lower half of the group order".to_owned(),
        )),
    }
}
