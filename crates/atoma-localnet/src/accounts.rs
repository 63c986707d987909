//! The network's own accounts, whose keys are derived from the seed.

use sui_crypto::SuiSigner;
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_sdk_types::hash::Hasher;
use sui_sdk_types::{Address, SignedTransaction, Transaction};

/// Derives 32 bytes for a purpose from the seed.
pub(crate) fn derive(seed: u64, purpose: &str) -> [u8; 32] {
    let mut hasher = Hasher::new();
    hasher.update(b"atoma-localnet ");
    hasher.update(purpose.as_bytes());
    hasher.update(seed.to_le_bytes());
    hasher.finalize().into_inner()
}

/// An account whose key the network holds.
pub(crate) struct Account {
    key: Ed25519PrivateKey,
    /// The key's address.
    pub(crate) address: Address,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Account {
    fn new(seed: u64, role: &str) -> Self {
        Self::from_key(derive(seed, role))
    }

    /// The account of an Ed25519 key.
    pub(crate) fn from_key(key: [u8; 32]) -> Self {
        let key = Ed25519PrivateKey::new(key);
        let address = key.public_key().derive_address();
        Self { key, address }
    }

    /// Signs a transaction.
    ///
    /// # Errors
    /// When signing fails.
    pub(crate) fn sign(
        &self,
        transaction: Transaction,
    ) -> Result<SignedTransaction, sui_crypto::SignatureError> {
        let signature = self.key.sign_transaction(&transaction)?;
        Ok(SignedTransaction {
            transaction,
            signatures: vec![signature],
        })
    }
}

/// The network's own accounts.
#[derive(Debug)]
pub(crate) struct Accounts {
    /// Holds the contract's manager badge.
    pub(crate) manager: Account,
    /// Buys stacks.
    pub(crate) buyer: Account,
    /// Funds other addresses.
    pub(crate) faucet: Account,
}

impl Accounts {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            manager: Account::new(seed, "manager"),
            buyer: Account::new(seed, "buyer"),
            faucet: Account::new(seed, "faucet"),
        }
    }
}
