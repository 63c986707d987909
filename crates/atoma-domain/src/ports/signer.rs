//! Signing transactions.

use std::fmt::Debug;

use async_trait::async_trait;

use super::SignError;
use crate::{Address, Digest};

/// A transaction ready to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedTransaction {
    /// `TransactionData` in BCS.
    pub bytes: Vec<u8>,
    /// Its digest, which identifies it on chain.
    pub digest: Digest,
}

/// A transaction ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    /// `TransactionData` in BCS.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub digest: Digest,
    /// User signatures: flag ‖ signature ‖ public key.
    pub signatures: Vec<Vec<u8>>,
}

/// Signs for one address. The key stays inside.
#[async_trait]
pub trait Signer: Debug + Send + Sync {
    /// Whose transactions it signs.
    fn address(&self) -> Address;

    /// Signs.
    ///
    /// # Errors
    /// When the bytes are no transaction of [`address`](Self::address), or the key can't be used.
    async fn sign(&self, transaction: UnsignedTransaction) -> Result<SignedTransaction, SignError>;
}
