//! Signing transactions.

use std::fmt::Debug;

use async_trait::async_trait;

use super::SignError;
use crate::Address;
use crate::transaction::{SignedTransaction, UnsignedTransaction};

/// Signs for one address. The key never leaves it.
#[async_trait]
pub trait Signer: Debug + Send + Sync {
    /// The address whose transactions it signs.
    fn address(&self) -> Address;

    /// Signs a transaction.
    ///
    /// # Errors
    /// When the bytes are not a transaction of [`address`](Self::address), or when signing fails.
    async fn sign(&self, transaction: UnsignedTransaction) -> Result<SignedTransaction, SignError>;
}
