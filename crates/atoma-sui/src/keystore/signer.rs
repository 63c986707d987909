//! Signing for one address.

use std::fmt;

use async_trait::async_trait;
use atoma_domain::ports::{SignError, SignedTransaction, Signer, UnsignedTransaction};
use sui_crypto::SuiSigner as _;
use sui_crypto::simple::SimpleKeypair;
use sui_sdk_types::{
    Address, PersonalMessage, Secp256r1Signature, SimpleSignature, Transaction, UserSignature,
};
use thiserror::Error;

use super::error::KeystoreError;
use super::secret;

/// Signs for one address with an ed25519, secp256k1 or secp256r1 key.
pub struct KeystoreSigner {
    address: Address,
    key: SimpleKeypair,
}

/// Why a transaction was not signed.
#[derive(Debug, Error)]
enum RefusedToSign {
    #[error("the bytes are not a transaction")]
    Bytes(#[source] bcs::Error),
    #[error("the transaction's digest is {actual}, but {claimed} was given")]
    Digest {
        actual: sui_sdk_types::Digest,
        claimed: sui_sdk_types::Digest,
    },
    #[error("the gas owner is {0}, not the signer")]
    ForeignGas(Address),
}

impl KeystoreSigner {
    /// Signs with the key in a `suiprivkey…` string.
    ///
    /// # Errors
    /// When the text is not such a string.
    pub fn from_suiprivkey(text: &str) -> Result<Self, KeystoreError> {
        Ok(Self::from_key_pair(secret::read_suiprivkey(text)?))
    }

    pub(super) fn from_key_pair(key: SimpleKeypair) -> Self {
        Self {
            address: key.verifying_key().derive_address(),
            key,
        }
    }

    /// The key's address.
    pub fn owner(&self) -> Address {
        self.address
    }

    /// Signs without checking the sender; returns flag ‖ signature ‖ public key.
    pub(crate) fn sign_unchecked(&self, transaction: &Transaction) -> Result<Vec<u8>, SignError> {
        let signature = self
            .key
            .sign_transaction(transaction)
            .map_err(|error| SignError::Failed(error.into()))?;
        Ok(low_s(signature)?.to_bytes())
    }

    /// Signs a personal message; returns flag ‖ signature ‖ public key.
    pub(super) fn sign_message(&self, message: &PersonalMessage<'_>) -> Result<Vec<u8>, SignError> {
        let signature = self
            .key
            .sign_personal_message(message)
            .map_err(|error| SignError::Failed(error.into()))?;
        Ok(low_s(signature)?.to_bytes())
    }
}

impl fmt::Debug for KeystoreSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeystoreSigner")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Signer for KeystoreSigner {
    fn address(&self) -> Address {
        self.address
    }

    async fn sign(&self, unsigned: UnsignedTransaction) -> Result<SignedTransaction, SignError> {
        let transaction: Transaction = bcs::from_bytes(&unsigned.bytes)
            .map_err(|error| SignError::Failed(RefusedToSign::Bytes(error).into()))?;
        if transaction.sender != self.address {
            return Err(SignError::NoKey(transaction.sender));
        }
        if transaction.gas_payment.owner != self.address {
            let refused = RefusedToSign::ForeignGas(transaction.gas_payment.owner);
            return Err(SignError::Failed(refused.into()));
        }
        let actual = transaction.digest();
        if actual != unsigned.digest {
            let claimed = unsigned.digest;
            return Err(SignError::Failed(
                RefusedToSign::Digest { actual, claimed }.into(),
            ));
        }
        Ok(SignedTransaction {
            signatures: vec![self.sign_unchecked(&transaction)?],
            bytes: unsigned.bytes,
            digest: unsigned.digest,
        })
    }
}

/// Normalizes a P-256 signature to low `s`. Sui accepts no other form, and the library does not
/// ensure it.
fn low_s(signature: UserSignature) -> Result<UserSignature, SignError> {
    let UserSignature::Simple(SimpleSignature::Secp256r1 {
        signature: raw,
        public_key,
    }) = &signature
    else {
        return Ok(signature);
    };
    let parsed = p256::ecdsa::Signature::from_slice(raw.inner())
        .map_err(|error| SignError::Failed(error.into()))?;
    let Some(normalized) = parsed.normalize_s() else {
        return Ok(signature);
    };
    Ok(UserSignature::Simple(SimpleSignature::Secp256r1 {
        signature: Secp256r1Signature::new(normalized.to_bytes().into()),
        public_key: *public_key,
    }))
}

/// Whether a P-256 signature has the form that Sui accepts. The library refuses the other form of secp256k1
/// itself, and ed25519 has only one.
pub(super) fn is_low_s(signature: &SimpleSignature) -> bool {
    let SimpleSignature::Secp256r1 { signature: raw, .. } = signature else {
        return true;
    };
    p256::ecdsa::Signature::from_slice(raw.inner())
        .is_ok_and(|parsed| parsed.normalize_s().is_none())
}
