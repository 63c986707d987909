//! The network's own accounts, whose keys are derived from the seed, and those that it was given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sui_crypto::SuiSigner;
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_crypto::secp256k1::Secp256k1PrivateKey;
use sui_crypto::secp256r1::Secp256r1PrivateKey;
use sui_crypto::simple::SimpleKeypair;
use sui_sdk_types::hash::Hasher;
use sui_sdk_types::{
    Address, MultisigMemberPublicKey, Secp256r1Signature, SignedTransaction, SimpleSignature,
    Transaction, UserSignature,
};

/// Derives 32 bytes for a purpose from the seed.
pub(crate) fn derive(seed: u64, purpose: &str) -> [u8; 32] {
    let mut hasher = Hasher::new();
    hasher.update(b"atoma-localnet ");
    hasher.update(purpose.as_bytes());
    hasher.update(seed.to_le_bytes());
    hasher.finalize().into_inner()
}

/// An account whose key the network holds. `Debug` does not show the key.
pub(crate) struct Account {
    key: SimpleKeypair,
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
    /// The account of a key.
    pub(crate) fn new(key: SimpleKeypair) -> Result<Self, sui_crypto::SignatureError> {
        let address = match key.public_key() {
            MultisigMemberPublicKey::Ed25519(key) => key.derive_address(),
            MultisigMemberPublicKey::Secp256k1(key) => key.derive_address(),
            MultisigMemberPublicKey::Secp256r1(key) => key.derive_address(),
            _ => return Err(sui_crypto::SignatureError::from_source("unknown scheme")),
        };
        Ok(Self { key, address })
    }

    /// The account of an Ed25519 key.
    pub(crate) fn from_key(key: [u8; 32]) -> Self {
        let key = Ed25519PrivateKey::new(key);
        let address = key.public_key().derive_address();
        Self {
            key: key.into(),
            address,
        }
    }

    /// The key as an entry of `sui.keystore`.
    pub(crate) fn to_keystore(&self) -> String {
        self.key.to_base64()
    }

    /// Signs a transaction.
    ///
    /// # Errors
    /// When signing fails.
    pub(crate) fn sign(
        &self,
        transaction: Transaction,
    ) -> Result<SignedTransaction, sui_crypto::SignatureError> {
        let signature = low_s(self.key.sign_transaction(&transaction)?)?;
        Ok(SignedTransaction {
            transaction,
            signatures: vec![signature],
        })
    }
}

/// The low form of a P-256 signature. Sui accepts no other, and the library makes both.
fn low_s(signature: UserSignature) -> Result<UserSignature, sui_crypto::SignatureError> {
    let UserSignature::Simple(SimpleSignature::Secp256r1 {
        signature: raw,
        public_key,
    }) = &signature
    else {
        return Ok(signature);
    };
    let parsed = p256::ecdsa::Signature::from_slice(raw.inner())?;
    Ok(match parsed.normalize_s() {
        None => signature,
        Some(low) => UserSignature::Simple(SimpleSignature::Secp256r1 {
            signature: Secp256r1Signature::new(low.to_bytes().into()),
            public_key: *public_key,
        }),
    })
}

/// The network's accounts.
#[derive(Debug)]
pub(crate) struct Accounts {
    /// Holds the contract's manager badge. Its key is of the scheme secp256r1.
    pub(crate) manager: Arc<Account>,
    /// Buys stacks. Its key is of the scheme secp256k1.
    pub(crate) buyer: Arc<Account>,
    /// Funds other addresses.
    pub(crate) faucet: Account,
    /// Run the nodes of the demonstration world. Their keys are of the scheme Ed25519.
    pub(crate) operators: [Arc<Account>; 2],
    /// Accounts by address that act when a control call names them.
    held: Mutex<BTreeMap<Address, Arc<Account>>>,
}

impl Accounts {
    /// The accounts of a seed.
    ///
    /// # Errors
    /// When a derived key is not valid.
    pub(crate) fn new(seed: u64) -> Result<Self, sui_crypto::SignatureError> {
        let manager = Secp256r1PrivateKey::new(derive(seed, "manager"));
        let buyer = Secp256k1PrivateKey::new(derive(seed, "buyer"))?;
        let accounts = Self {
            manager: Arc::new(Account::new(manager.into())?),
            buyer: Arc::new(Account::new(buyer.into())?),
            faucet: Account::from_key(derive(seed, "faucet")),
            operators: [0, 1].map(|index| Arc::new(Account::from_key(operator_key(seed, index)))),
            held: Mutex::default(),
        };
        for (_, account) in accounts.named() {
            accounts.hold(account);
        }
        Ok(accounts)
    }

    /// The accounts that others may use, by name.
    pub(crate) fn named(&self) -> [(&'static str, Arc<Account>); 4] {
        let [first, second] = &self.operators;
        [
            ("manager", Arc::clone(&self.manager)),
            ("buyer", Arc::clone(&self.buyer)),
            ("operator-1", Arc::clone(first)),
            ("operator-2", Arc::clone(second)),
        ]
    }

    /// Lets an account act in control calls.
    pub(crate) fn hold(&self, account: Arc<Account>) {
        self.lock().insert(account.address, account);
    }

    /// Adds an account by its key, an entry of `sui.keystore` or `suiprivkey1…`.
    ///
    /// # Errors
    /// When the key can't be read.
    pub(crate) fn add(&self, key: &str) -> Result<Address, sui_crypto::SignatureError> {
        let key = match key.starts_with("suiprivkey") {
            true => SimpleKeypair::from_suiprivkey(key)?,
            false => SimpleKeypair::from_base64(key)?,
        };
        let account = Account::new(key)?;
        let address = account.address;
        self.hold(Arc::new(account));
        Ok(address)
    }

    /// The account at an address, if the network holds its key.
    pub(crate) fn at(&self, address: &Address) -> Option<Arc<Account>> {
        self.lock().get(address).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Address, Arc<Account>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of an operator of the demonstration world.
pub(crate) fn operator_key(seed: u64, index: usize) -> [u8; 32] {
    derive(seed, &format!("operator {index}"))
}

#[cfg(test)]
mod tests {
    use sui_sdk_types::{
        Argument, Digest, GasPayment, ObjectReference, ProgrammableTransaction,
        TransactionExpiration, TransactionKind,
    };

    use super::*;
    use crate::action_builder::ActionBuilder;
    use crate::execution;

    /// By chance, half of all P-256 signatures are in the high form, which Sui refuses.
    #[test]
    fn the_signatures_of_all_accounts_are_valid() {
        let accounts = Accounts::new(3).unwrap();
        for amount in 1..=16 {
            for (name, account) in accounts.named() {
                let mut builder = ActionBuilder::default();
                builder.pay(Argument::Gas, amount, account.address).unwrap();
                let coin = ObjectReference::new(Address::TWO, 1, Digest::ZERO);
                let transaction = Transaction {
                    kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
                        inputs: builder.inputs,
                        commands: builder.commands,
                    }),
                    sender: account.address,
                    gas_payment: GasPayment {
                        objects: vec![coin],
                        owner: account.address,
                        price: 1_000,
                        budget: 10_000_000,
                    },
                    expiration: TransactionExpiration::None,
                };
                let signed = account.sign(transaction).unwrap();
                let checked = execution::precheck(&signed.transaction, &signed.signatures);
                assert!(checked.is_ok(), "{name}: {checked:?}");
            }
        }
    }
}
