//! Transactions as bytes, before and after signing.

use sui_sdk_types::Digest;

/// A transaction that is ready to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedTransaction {
    /// `TransactionData` in BCS.
    pub bytes: Vec<u8>,
    /// Its digest, which identifies it on chain.
    pub digest: Digest,
}

/// A transaction that is ready to be submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    /// `TransactionData` in BCS.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub digest: Digest,
    /// User signatures: flag ‖ signature ‖ public key.
    pub signatures: Vec<Vec<u8>>,
}
