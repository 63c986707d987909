//! Reading records from the log file when they are needed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::de::DeserializeOwned;
use sui_sdk_types::Object;

use super::records::TransactionRecord;
use super::stored::Extent;

/// The decoded records that are kept, by their encoded sizes in bytes. In memory an object is several
/// times as large as encoded.
const CACHED_OBJECT_BYTES: u64 = 8 * 1024 * 1024;
const CACHED_TRANSACTION_BYTES: u64 = 32 * 1024 * 1024;

/// The log file, to which one [`Log`](super::log::Log) appends, and which all ledgers with its records
/// read.
#[derive(Debug)]
pub(super) struct Archive {
    file: Mutex<File>,
    /// By offset. What is at an offset never changes.
    objects: Cache<u64, Arc<Object>, ByLength>,
    transactions: Cache<u64, Arc<TransactionRecord>, ByLength>,
    /// Why a record could not be read for the first time.
    failure: OnceLock<String>,
}

/// A record that is kept, and its encoded length.
#[derive(Debug, Clone)]
struct ByLength;

impl<T: Encoded> Weighter<u64, Arc<T>> for ByLength {
    fn weight(&self, _: &u64, record: &Arc<T>) -> u64 {
        record.encoded_length()
    }
}

/// The approximate length of a record when it is encoded.
trait Encoded {
    fn encoded_length(&self) -> u64;
}

impl Encoded for Object {
    fn encoded_length(&self) -> u64 {
        /// Type, owner and the other properties.
        const FIXED: usize = 300;
        let contents = self.as_struct().map_or(0, |data| data.contents().len());
        u64::try_from(FIXED + contents).unwrap_or(u64::MAX)
    }
}

impl Encoded for TransactionRecord {
    fn encoded_length(&self) -> u64 {
        let length = self.signed.len() + self.effects.len() + self.events.len();
        u64::try_from(length).unwrap_or(u64::MAX).max(1)
    }
}

impl Archive {
    pub(super) fn new(file: File) -> Self {
        Self {
            file: Mutex::new(file),
            objects: cache(CACHED_OBJECT_BYTES / 400, CACHED_OBJECT_BYTES),
            transactions: cache(CACHED_TRANSACTION_BYTES / 4_000, CACHED_TRANSACTION_BYTES),
            failure: OnceLock::new(),
        }
    }

    /// Runs `action` with the file, whose position can be anywhere.
    pub(super) fn with_file<T>(&self, action: impl FnOnce(&mut File) -> T) -> T {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        action(&mut file)
    }

    /// Writes bytes at an offset.
    ///
    /// # Errors
    /// When they can't be written.
    pub(super) fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with_file(|file| {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(bytes)
        })
    }

    /// Cuts the file.
    ///
    /// # Errors
    /// When it can't be cut.
    pub(super) fn truncate(&self, length: u64) -> io::Result<()> {
        self.with_file(|file| file.set_len(length))
    }

    /// Copies the end of the file, from `offset` on, into another file.
    ///
    /// # Errors
    /// When it can't be copied.
    pub(super) fn copy_from(&self, offset: u64, path: &Path) -> io::Result<()> {
        let mut copy = File::create(path)?;
        self.with_file(|file| {
            file.seek(SeekFrom::Start(offset))?;
            io::copy(file, &mut copy)
        })?;
        copy.sync_all()
    }

    /// The bytes of a record.
    ///
    /// # Errors
    /// When they can't be read. Then [`check`](Self::check) fails from now on.
    pub(super) fn bytes(&self, extent: Extent) -> io::Result<Vec<u8>> {
        let read = self.peek(extent);
        read.map_err(|error| self.failed(extent, &error))
    }

    /// The bytes at a place of which it is not known whether it has the record.
    ///
    /// # Errors
    /// When they can't be read, or are others.
    pub(super) fn peek(&self, extent: Extent) -> io::Result<Vec<u8>> {
        self.with_file(|file| {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(extent.offset))?;
            file.take(u64::from(extent.length))
                .read_to_end(&mut bytes)?;
            if !extent.has(&bytes) {
                return Err(io::Error::other("the checksum does not match"));
            }
            Ok(bytes)
        })
    }

    /// The object at a place in the file.
    pub(super) fn object(&self, extent: Extent) -> Option<Arc<Object>> {
        if let Some(object) = self.objects.get(&extent.offset) {
            return Some(object);
        }
        let object = self.decode(extent).ok().map(Arc::new)?;
        self.objects.insert(extent.offset, Arc::clone(&object));
        Some(object)
    }

    /// The transaction at a place in the file.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) fn transaction(&self, extent: Extent) -> io::Result<Arc<TransactionRecord>> {
        if let Some(record) = self.transactions.get(&extent.offset) {
            return Ok(record);
        }
        let record = Arc::new(self.decode(extent)?);
        self.transactions.insert(extent.offset, Arc::clone(&record));
        Ok(record)
    }

    /// Keeps an object that was just written.
    pub(super) fn keep_object(&self, extent: Extent, object: Arc<Object>) {
        self.objects.insert(extent.offset, object);
    }

    /// Keeps a transaction that was just written.
    pub(super) fn keep_transaction(&self, extent: Extent, record: TransactionRecord) {
        self.transactions.insert(extent.offset, Arc::new(record));
    }

    /// Makes sure that nothing was unreadable so far: what was executed then must not be committed.
    ///
    /// # Errors
    /// When a record could not be read.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.failure.get() {
            None => Ok(()),
            Some(failure) => Err(io::Error::other(failure.clone())),
        }
    }

    fn decode<T: DeserializeOwned>(&self, extent: Extent) -> io::Result<T> {
        let bytes = self.bytes(extent)?;
        bcs::from_bytes(&bytes).map_err(|error| self.failed(extent, &io::Error::other(error)))
    }

    fn failed(&self, extent: Extent, error: &io::Error) -> io::Error {
        let failure = format!(
            "the ledger log can't be read at byte {}: {error}; start with another data directory",
            extent.offset
        );
        tracing::error!(failure);
        let _ = self.failure.set(failure.clone());
        io::Error::other(failure)
    }
}

fn cache<T>(count: u64, bytes: u64) -> Cache<u64, Arc<T>, ByLength>
where
    ByLength: Weighter<u64, Arc<T>>,
{
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Cache::with_weighter(count, bytes, ByLength)
}
