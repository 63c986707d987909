//! Checking a transaction's signatures.

use std::collections::BTreeSet;

use sui_crypto::{SuiVerifier, UserSignatureVerifier};
use sui_sdk_types::{
    Address, MultisigMemberPublicKey, MultisigMemberSignature, SimpleSignature, Transaction,
    UserSignature,
};

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

/// Checks that the sender, and the gas owner if different, signed `transaction`. A committee signs with
/// as many of its members as its threshold needs.
///
/// # Errors
/// A [`TransactionRefusal`] when a signature is missing, superfluous or invalid, has a high `s`, or is of a
/// scheme that the network does not verify.
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
    signatures.iter().try_for_each(supported)?;
    // In the order of their addresses, as Sui lists them.
    let present: BTreeSet<Address> = signatures
        .iter()
        .flat_map(UserSignature::derive_addresses)
        .collect();
    for address in required {
        if !present.contains(&address) {
            return Err(TransactionRefusal::SignerAbsent {
                required: address,
                present: present.iter().map(Address::to_string).collect(),
            });
        }
    }
    for signature in signatures {
        low_s_of(signature)?;
        UserSignatureVerifier::new()
            .verify_transaction(transaction, signature)
            .map_err(|error| TransactionRefusal::InvalidSignature(error.to_string()))?;
    }
    Ok(())
}

/// Checks that the network can verify the signature. zkLogin needs the keys of the issuers of identities,
/// and a passkey's signature is about a web page's request.
fn supported(signature: &UserSignature) -> Result<(), TransactionRefusal> {
    let scheme = match signature {
        UserSignature::Simple(_) => return Ok(()),
        UserSignature::Multisig(multisig) => {
            let mut members = multisig.committee().members().iter();
            match members.find_map(|member| unsupported_member(member.public_key())) {
                Some(scheme) => scheme,
                None => return Ok(()),
            }
        }
        UserSignature::ZkLogin(_) => "zkLogin signatures",
        UserSignature::Passkey(_) => "passkey signatures",
        _ => "signatures of this scheme",
    };
    Err(TransactionRefusal::NotOnLocalNetwork(scheme.to_owned()))
}

const fn unsupported_member(key: &MultisigMemberPublicKey) -> Option<&'static str> {
    match key {
        MultisigMemberPublicKey::Ed25519(_)
        | MultisigMemberPublicKey::Secp256k1(_)
        | MultisigMemberPublicKey::Secp256r1(_) => None,
        MultisigMemberPublicKey::ZkLogin(_) => Some("multisig with a zkLogin member"),
        MultisigMemberPublicKey::Passkey(_) => Some("multisig with a passkey member"),
        _ => Some("multisig with a member of this scheme"),
    }
}

/// Checks all ECDSA signatures in a user's signature for their low form. The verifier accepts both forms, but
/// Sui does not.
fn low_s_of(signature: &UserSignature) -> Result<(), TransactionRefusal> {
    match signature {
        UserSignature::Simple(SimpleSignature::Secp256k1 { signature, .. }) => {
            low_s(signature.as_bytes(), &SECP256K1_HALF_ORDER)
        }
        UserSignature::Simple(SimpleSignature::Secp256r1 { signature, .. }) => {
            low_s(signature.as_bytes(), &SECP256R1_HALF_ORDER)
        }
        UserSignature::Multisig(multisig) => {
            multisig
                .signatures()
                .iter()
                .try_for_each(|member| match member {
                    MultisigMemberSignature::Secp256k1(signature) => {
                        low_s(signature.as_bytes(), &SECP256K1_HALF_ORDER)
                    }
                    MultisigMemberSignature::Secp256r1(signature) => {
                        low_s(signature.as_bytes(), &SECP256R1_HALF_ORDER)
                    }
                    _ => Ok(()),
                })
        }
        _ => Ok(()),
    }
}

fn low_s(signature: &[u8], half_order: &[u8; 32]) -> Result<(), TransactionRefusal> {
    match signature.get(32..64) {
        Some(s) if s <= half_order.as_slice() => Ok(()),
        _ => Err(TransactionRefusal::InvalidSignature(
            "s is not in the lower half of the group order".to_owned(),
        )),
    }
}
