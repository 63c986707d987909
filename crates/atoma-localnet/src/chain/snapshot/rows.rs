//! The rows of a snapshot. They have a fixed width, because a million are read at a start, which has to be
//! fast in unoptimised builds too.

use atoma_domain::ObjectId;
use bytes::{Buf, BufMut};
use sui_sdk_types::{Address, Digest};

use crate::chain::stored::Extent;

/// A row of a section.
pub(super) trait Row: Sized {
    /// The length of each row.
    const BYTES: usize;

    fn write(&self, bytes: &mut Vec<u8>);

    /// Reads a row of [`BYTES`](Self::BYTES); fewer would panic.
    fn read(bytes: &mut &[u8]) -> Self;
}

const EXTENT: usize = 16;

fn write_extent(extent: Extent, bytes: &mut Vec<u8>) {
    bytes.put_u64_le(extent.offset);
    bytes.put_u32_le(extent.length);
    bytes.put_u32_le(extent.checksum);
}

fn read_extent(bytes: &mut &[u8]) -> Extent {
    Extent {
        offset: bytes.get_u64_le(),
        length: bytes.get_u32_le(),
        checksum: bytes.get_u32_le(),
    }
}

fn read_array(bytes: &mut &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    bytes.copy_to_slice(&mut array);
    array
}

/// A version of an object, live or superseded.
#[derive(Debug, Clone, Copy)]
pub(super) struct VersionRow {
    pub(super) id: ObjectId,
    pub(super) version: u64,
    pub(super) extent: Extent,
}

impl Row for VersionRow {
    const BYTES: usize = 32 + 8 + EXTENT;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.put_slice(self.id.as_bytes());
        bytes.put_u64_le(self.version);
        write_extent(self.extent, bytes);
    }

    fn read(bytes: &mut &[u8]) -> Self {
        Self {
            id: Address::new(read_array(bytes)),
            version: bytes.get_u64_le(),
            extent: read_extent(bytes),
        }
    }
}

/// An object of the present group.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnedRow {
    pub(super) rank: u64,
    pub(super) id: ObjectId,
}

impl Row for OwnedRow {
    const BYTES: usize = 8 + 32;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.put_u64_le(self.rank);
        bytes.put_slice(self.id.as_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Self {
        Self {
            rank: bytes.get_u64_le(),
            id: Address::new(read_array(bytes)),
        }
    }
}

/// An executed transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct TransactionRow {
    pub(super) digest: Digest,
    pub(super) extent: Extent,
}

impl Row for TransactionRow {
    const BYTES: usize = 32 + EXTENT;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.put_slice(self.digest.as_bytes());
        write_extent(self.extent, bytes);
    }

    fn read(bytes: &mut &[u8]) -> Self {
        Self {
            digest: Digest::new(read_array(bytes)),
            extent: read_extent(bytes),
        }
    }
}

/// A checkpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckpointRow {
    pub(super) digest: Digest,
    pub(super) extent: Extent,
    pub(super) timestamp_ms: u64,
    pub(super) epoch: u64,
    pub(super) transactions: u64,
}

impl Row for CheckpointRow {
    const BYTES: usize = 32 + EXTENT + 3 * 8;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.put_slice(self.digest.as_bytes());
        write_extent(self.extent, bytes);
        bytes.put_u64_le(self.timestamp_ms);
        bytes.put_u64_le(self.epoch);
        bytes.put_u64_le(self.transactions);
    }

    fn read(bytes: &mut &[u8]) -> Self {
        Self {
            digest: Digest::new(read_array(bytes)),
            extent: read_extent(bytes),
            timestamp_ms: bytes.get_u64_le(),
            epoch: bytes.get_u64_le(),
            transactions: bytes.get_u64_le(),
        }
    }
}
