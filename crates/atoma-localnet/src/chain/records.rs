//! The outputs of an execution, and the compact records kept of transactions, checkpoints and
//! epochs.

use std::io;

use atoma_domain::ObjectId;
use serde::{Deserialize, Serialize};
use sui_sdk_types::{Digest, Object, SignedTransaction, TransactionEffects, TransactionEvents};

use super::stored::{Body, Extent, Stored};

/// The outputs of one executed transaction, before they are committed.
#[derive(Debug, Clone)]
pub(crate) struct TransactionOutputs {
    /// The transaction and its signatures.
    pub(crate) signed: SignedTransaction,
    /// The effects, always of version 2.
    pub(crate) effects: TransactionEffects,
    /// The events, if any.
    pub(crate) events: Option<TransactionEvents>,
    /// The child objects that were read and left unchanged, with the version read.
    pub(crate) loaded: Vec<(ObjectId, u64)>,
    /// The objects written, at their new version.
    pub(crate) written: Vec<Object>,
    /// The objects deleted.
    pub(crate) deleted: Vec<ObjectId>,
}

/// The record of one transaction: BCS bytes, decoded on demand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TransactionRecord {
    /// The transaction's digest.
    pub(crate) digest: Digest,
    /// BCS of the [`SignedTransaction`].
    #[serde(with = "serde_bytes_vec")]
    pub(crate) signed: Vec<u8>,
    /// BCS of the [`TransactionEffects`].
    #[serde(with = "serde_bytes_vec")]
    pub(crate) effects: Vec<u8>,
    /// BCS of the [`TransactionEvents`], empty if there are none.
    #[serde(with = "serde_bytes_vec")]
    pub(crate) events: Vec<u8>,
    /// See [`TransactionOutputs::loaded`].
    pub(crate) loaded: Vec<(ObjectId, u64)>,
}

impl TransactionRecord {
    pub(crate) fn new(outputs: &TransactionOutputs) -> Result<Self, bcs::Error> {
        Ok(Self {
            digest: outputs.signed.transaction.digest(),
            signed: encode_signed(&outputs.signed)?,
            effects: bcs::to_bytes(&outputs.effects)?,
            events: match &outputs.events {
                Some(events) => bcs::to_bytes(events)?,
                None => Vec::new(),
            },
            loaded: outputs.loaded.clone(),
        })
    }

    pub(crate) fn signed(&self) -> Result<SignedTransaction, bcs::Error> {
        let (transaction, signatures) = bcs::from_bytes(&self.signed)?;
        Ok(SignedTransaction {
            transaction,
            signatures,
        })
    }

    pub(crate) fn effects(&self) -> Result<TransactionEffects, bcs::Error> {
        bcs::from_bytes(&self.effects)
    }

    pub(crate) fn events(&self) -> Result<Option<TransactionEvents>, bcs::Error> {
        if self.events.is_empty() {
            return Ok(None);
        }
        bcs::from_bytes(&self.events).map(Some)
    }
}

fn encode_signed(signed: &SignedTransaction) -> Result<Vec<u8>, bcs::Error> {
    bcs::to_bytes(&(&signed.transaction, &signed.signatures))
}

/// An executed transaction: its digest, and where its record is.
#[derive(Debug, Clone)]
pub(super) struct StoredTransaction {
    pub(super) digest: Digest,
    pub(super) place: Stored<TransactionRecord>,
}

/// The places in the log of a transaction's record and of the objects that it wrote.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) record: Extent,
    pub(super) written: Vec<Extent>,
}

impl Places {
    /// Where they are in the body of the transaction's [`LogEntry`](super::log::LogEntry).
    ///
    /// # Errors
    /// When the body is another entry's.
    pub(super) fn of(
        body: &Body,
        record: &TransactionRecord,
        written: &[Object],
    ) -> io::Result<Self> {
        // The variant of the enum comes first.
        let mut at = 1;
        let record = next(body, &mut at, record)?;
        at += length_bytes(written.len());
        let written = written
            .iter()
            .map(|object| next(body, &mut at, object))
            .collect::<io::Result<_>>()?;
        Ok(Self { record, written })
    }
}

/// The place of the record that begins at a byte of the body, which is moved to the next.
fn next(body: &Body, at: &mut usize, record: &impl Serialize) -> io::Result<Extent> {
    let length = bcs::serialized_size(record).map_err(io::Error::other)?;
    let range = *at..*at + length;
    *at = range.end;
    let place = body.part(range);
    place.ok_or_else(|| io::Error::other("a ledger record is longer than its entry"))
}

/// The bytes of a sequence's length in BCS (ULEB128), seven bits each.
const fn length_bytes(mut count: usize) -> usize {
    let mut bytes = 1;
    while count > 0x7f {
        count >>= 7;
        bytes += 1;
    }
    bytes
}

/// The record of one checkpoint. Its contents are rebuilt from its transactions.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointRecord {
    /// The summary's digest.
    pub(crate) digest: Digest,
    /// BCS of the [`CheckpointSummary`](sui_sdk_types::CheckpointSummary).
    pub(super) summary: Stored<Vec<u8>>,
    /// Milliseconds since the Unix epoch.
    pub(crate) timestamp_ms: u64,
    /// The epoch that it belongs to.
    pub(crate) epoch: u64,
    /// The position of its first transaction among all transactions of the network.
    pub(crate) first_transaction: usize,
    /// Its number of transactions.
    pub(crate) transactions: usize,
}

/// The record of one epoch.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct EpochRecord {
    /// Its number, from 0.
    pub(crate) epoch: u64,
    /// Its start in milliseconds since the Unix epoch.
    pub(crate) start_ms: u64,
    /// Its end in milliseconds since the Unix epoch; `None` for the current epoch.
    pub(crate) end_ms: Option<u64>,
    /// Its first checkpoint.
    pub(crate) first_checkpoint: u64,
    /// Its last checkpoint; `None` for the current epoch.
    pub(crate) last_checkpoint: Option<u64>,
    /// The lowest gas price that is accepted in it, in MIST per computation unit.
    pub(crate) reference_gas_price: u64,
}

/// Serializes byte vectors as bytes instead of sequences.
mod serde_bytes_vec {
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        struct Blob;
        impl serde::de::Visitor<'_> for Blob {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
        }
        d.deserialize_byte_buf(Blob)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::log::LogEntry;
    use sui_sdk_types::{Address, MoveStruct, ObjectData, Owner, StructTag};

    #[test]
    fn places_are_where_the_encoding_has_them() {
        for count in [0_u8, 1, 127, 128, 200] {
            let written: Vec<Object> = (0..count)
                .map(|byte| {
                    let contents = vec![byte; 40];
                    let coin = MoveStruct::new(StructTag::gas_coin(), true, 1, contents).unwrap();
                    let owner = Owner::Address(Address::TWO);
                    Object::new(ObjectData::Struct(coin), owner, Digest::ZERO, 0)
                })
                .collect();
            let record = TransactionRecord {
                digest: Digest::ZERO,
                signed: vec![1; 300],
                effects: vec![2; 5],
                events: Vec::new(),
                loaded: vec![(Address::TWO, 7)],
            };
            let entry = LogEntry::Transaction {
                record: record.clone(),
                written: written.clone(),
                deleted: vec![Address::TWO],
            };
            let body = Body {
                offset: 1_000,
                bytes: bcs::to_bytes(&entry).unwrap(),
            };
            let places = Places::of(&body, &record, &written).unwrap();
            let at = |place: &Extent| {
                let from = usize::try_from(place.offset - body.offset).unwrap();
                let bytes = &body.bytes[from..][..usize::try_from(place.length).unwrap()];
                assert!(place.has(bytes));
                bytes.to_vec()
            };
            assert_eq!(at(&places.record), bcs::to_bytes(&record).unwrap());
            for (place, object) in places.written.iter().zip(&written) {
                assert_eq!(at(place), bcs::to_bytes(object).unwrap());
            }
        }
    }
}
