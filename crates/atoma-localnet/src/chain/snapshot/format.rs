//! What a snapshot's file has besides rows.

use std::io;
use std::path::{Path, PathBuf};

use atoma_domain::ObjectId;
use serde::{Deserialize, Serialize};
use sui_sdk_types::{Address, Digest, GasCostSummary, StructTag};

use crate::chain::records::EpochRecord;
use crate::chain::stored::Extent;

/// The first frame. Another format gets another number.
pub(super) const MAGIC: &[u8] = b"atoma-localnet snapshot 1";
pub(super) const FILE_NAME: &str = "ledger.snapshot";
pub(super) const UNFINISHED_NAME: &str = "ledger.snapshot.tmp";

/// A snapshot can't be used.
#[derive(Debug, thiserror::Error)]
pub(in crate::chain) enum SnapshotError {
    /// The file can't be read.
    #[error("the snapshot can't be read")]
    Read(#[from] io::Error),
    /// A checksum or a count doesn't match.
    #[error("the snapshot is damaged or incomplete")]
    Damaged,
    /// Another version made it.
    #[error("the snapshot has another format")]
    Format,
    /// Another network made it.
    #[error("the snapshot has seed {0}")]
    Seed(u64),
    /// The log ends before the snapshot, or has other entries.
    #[error("the snapshot belongs to another ledger log")]
    OtherLog,
}

/// What precedes the rows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) seed: u64,
    /// The log up to here is in the snapshot.
    pub(super) log_length: u64,
    /// The body of the last entry before, and its digest.
    pub(super) last: Extent,
    pub(super) last_digest: Digest,
    pub(super) epochs: Vec<EpochRecord>,
    pub(super) epoch_gas: GasCostSummary,
    pub(super) next_gas_price: u64,
    pub(super) packages: Vec<ObjectId>,
    pub(super) types: Vec<StructTag>,
    /// The owners with the types and numbers of their objects.
    pub(super) groups: Vec<Group>,
    pub(super) live: u64,
    pub(super) superseded: u64,
    pub(super) transactions: u64,
    pub(super) checkpoints: u64,
}

/// The objects of one owner and type.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) owner: Address,
    /// An index of [`Head::types`].
    pub(super) object_type: u32,
    pub(super) count: u64,
}

pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join(FILE_NAME)
}
