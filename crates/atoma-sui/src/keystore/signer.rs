//! Signing for one address.

use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use atoma_domain::ports::{SignError, SignedTransaction, Signer, UnsignedTransaction};
use sui_crypto::SuiSigner as _;
use sui_crypto::simple::SimpleKeypair;
use sui_sdk_types::{Address, Secp256r1Signature, SimpleSignature, Transaction, UserSignature};
use thiserror::Error;

use super::client_config::ClientConfig;
use super::error::KeystoreError;
use super::secret;

/// Signs for one address with a key of any simple scheme: ed25519, secp256k1, secp256r1.
pub struct KeystoreSigner {
    address: Address,
    key: SimpleKeypair,
}

/// Why a transaction was not signed.
#[derive(Debug, Error)]
enum RefusedToSign {
    #[error("the bytes are no transaction")]
    Bytes(#[source] bcs::Error),
    #[error("the transaction's digest is {actual}, not {told}")]
    Digest {
        actual: sui_sdk_types::Digest,
        told: sui_sdk_types::Digest,
    },
    #[error("{0} would pay for the transaction")]
    ForeignGas(Address),
}

impl KeystoreSigner {
    /// Signs for the active address of a Sui CLI `client.yaml`.
    ///
    /// # Errors
    /// When configuration or keystore can't be read, or hold no key of that address.
    pub fn from_client_config(path: impl AsRef<Path>) -> Result<Self, KeystoreError> {
        ClientConfig::load(path)?.signer()
    }

    /// Signs with the key of a `suiprivkey…` string.
    ///
    /// # Errors
    /// When the text is no such string.
    pub fn from_suiprivkey(text: &str) -> Result<Self, KeystoreError> {
        Ok(Self::from_key_pair(secret::read_suiprivkey(text)?))
    }

    pub(super) fn from_key_pair(key: SimpleKeypair) -> Self {
        Self {
            address: key.verifying_key().derive_address(),
            key,
        }
    }

    /// Whose key it is.
    pub fn owner(&self) -> Address {
        self.address
    }

    /// Signs whatever the sender: flag ‖ signature ‖ public key.
    pub(crate) fn sign_unchecked(&self, transaction: &Transaction) -> Result<Vec<u8>, SignError> {
        let signature = self
            .key
            .sign_transaction(transaction)
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
            let told = unsigned.digest;
            return Err(SignError::Failed(
                RefusedToSign::Digest { actual, told }.into(),
            ));
        }
        Ok(SignedTransaction {
            signatures: vec![self.sign_unchecked(&transaction)?],
            bytes: unsigned.bytes,
            digest: unsigned.digest,
        })
    }
}

/// Sui accepts of a P-256 signature's two forms only the one with the low `s`, which the library
/// does not see to.
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
