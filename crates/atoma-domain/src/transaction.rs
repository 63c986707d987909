//! Transactions as bytes, before and after signing.

use sui_sdk_types::{Digest, ObjectIn, TransactionEffects};

use crate::ObjectId;

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

/// The version of an object that a transaction consumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumedVersion {
    /// The version.
    pub version: u64,
    /// The transactions that the consuming one depends on. The one that wrote the version is among them.
    pub dependencies: Vec<Digest>,
}

/// The version of an object that a transaction consumed, by its effects in BCS; `None` if it consumed none.
///
/// # Errors
/// When the bytes are not the effects of a transaction.
pub fn consumed_version(
    effects: &[u8],
    object: ObjectId,
) -> Result<Option<ConsumedVersion>, bcs::Error> {
    let TransactionEffects::V2(effects) = bcs::from_bytes(effects)? else {
        // The contract is younger than the first form.
        return Ok(None);
    };
    let mut changed = effects.changed_objects.iter();
    let changed = changed.find(|changed| changed.object_id == object);
    Ok(changed.and_then(|changed| match &changed.input_state {
        ObjectIn::Exist { version, .. } => Some(ConsumedVersion {
            version: *version,
            dependencies: effects.dependencies.clone(),
        }),
        _ => None,
    }))
}
