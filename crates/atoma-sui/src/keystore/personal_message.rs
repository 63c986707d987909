//! Signing and verifying personal messages: texts that wallets and services sign to prove who they are. Their
//! intent keeps them apart from transactions, so a signature of one is never valid for the other.

use std::borrow::Cow;

use atoma_domain::ports::{BoxedError, SignError};
use sui_crypto::SuiVerifier as _;
use sui_crypto::simple::SimpleVerifier;
use sui_sdk_types::{Address, PersonalMessage, SimpleSignature, UserSignature};
use thiserror::Error;

use super::signer::{KeystoreSigner, is_low_s};

/// The longest personal message that is signed or verified, in bytes. Far more than services sign to prove who they are.
pub const MAX_PERSONAL_MESSAGE_BYTES: usize = 16_384;

/// Bytes of the longest signature by one key: flag, 64 bytes of signature, 33 bytes of public key.
const MAX_SIGNATURE_BYTES: usize = 1 + 64 + 33;

/// Why a personal message was not signed, or its signature is not valid.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PersonalMessageError {
    /// It is longer than [`MAX_PERSONAL_MESSAGE_BYTES`].
    #[error("the message has {0} bytes, more than the {MAX_PERSONAL_MESSAGE_BYTES} allowed")]
    TooLong(usize),
    /// The signing library failed.
    #[error("the message could not be signed")]
    Signing(#[source] SignError),
    /// The bytes are not a signature, or its public key is none.
    #[error("the bytes are not a Sui signature")]
    NotASignature(#[source] BoxedError),
    /// The signature is by several keys, by zkLogin or by a passkey.
    #[error("the signature is not by one ed25519, secp256k1 or secp256r1 key")]
    Scheme,
    /// The signature is by another address's key.
    #[error("the signature is by {actual}, not by {expected}")]
    OtherSigner {
        /// Whose key it was made with.
        actual: Address,
        /// Whose was asked for.
        expected: Address,
    },
    /// The signature is not of this message.
    #[error("the signature is not of this message")]
    Invalid,
}

impl KeystoreSigner {
    /// Signs a personal message; returns flag ‖ signature ‖ public key, which wallets write in Base64.
    ///
    /// # Errors
    /// When the message is longer than [`MAX_PERSONAL_MESSAGE_BYTES`].
    pub fn sign_personal_message(&self, message: &[u8]) -> Result<Vec<u8>, PersonalMessageError> {
        self.sign_message(&bounded(message)?)
            .map_err(PersonalMessageError::Signing)
    }
}

/// Verifies that the key of `signer` signed a personal message. The signature is flag ‖ signature ‖ public key,
/// which wallets write in Base64.
///
/// # Errors
/// When it is not such a signature by `signer` of `message`, or the message is longer than
/// [`MAX_PERSONAL_MESSAGE_BYTES`].
pub fn verify_personal_message(
    message: &[u8],
    signature: &[u8],
    signer: Address,
) -> Result<(), PersonalMessageError> {
    let message = bounded(message)?;
    // The other schemes' signatures may be longer, and are not read at all.
    if !matches!(signature.first(), Some(0..=2)) {
        return Err(PersonalMessageError::Scheme);
    }
    if signature.len() > MAX_SIGNATURE_BYTES {
        return Err(PersonalMessageError::NotASignature(
            format!("{} bytes", signature.len()).into(),
        ));
    }
    let signature = UserSignature::from_bytes(signature)
        .map_err(|error| PersonalMessageError::NotASignature(error.into()))?;
    let UserSignature::Simple(simple) = &signature else {
        return Err(PersonalMessageError::Scheme);
    };
    let actual = address_of(simple).ok_or(PersonalMessageError::Scheme)?;
    if actual != signer {
        let expected = signer;
        return Err(PersonalMessageError::OtherSigner { actual, expected });
    }
    let verified = SimpleVerifier.verify_personal_message(&message, &signature);
    if verified.is_err() || !is_low_s(simple) {
        return Err(PersonalMessageError::Invalid);
    }
    Ok(())
}

fn bounded(message: &[u8]) -> Result<PersonalMessage<'_>, PersonalMessageError> {
    if message.len() > MAX_PERSONAL_MESSAGE_BYTES {
        return Err(PersonalMessageError::TooLong(message.len()));
    }
    Ok(PersonalMessage(Cow::Borrowed(message)))
}

/// The address of the key that a signature names. `None` for a scheme that the library has learnt since.
fn address_of(signature: &SimpleSignature) -> Option<Address> {
    match signature {
        SimpleSignature::Ed25519 { public_key, .. } => Some(public_key.derive_address()),
        SimpleSignature::Secp256k1 { public_key, .. } => Some(public_key.derive_address()),
        SimpleSignature::Secp256r1 { public_key, .. } => Some(public_key.derive_address()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
