//! The append-only log file that persists the ledger.
//!
//! Each entry is a [frame](super::frames) with BCS bytes. Reading stops at the first entry that is
//! incomplete or does not match its checksum, and the file is truncated there, which drops a
//! partially written last entry.

use std::fs::OpenOptions;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sui_sdk_types::{CheckpointSummary, Object};

use super::archive::Archive;
use super::frames;
use super::records::TransactionRecord;
use super::stored::{Body, Extent};
use atoma_domain::ObjectId;

const FORMAT: u32 = 1;
const FILE_NAME: &str = "ledger.log";
/// The bytes read at once during a replay.
const READ_BYTES: usize = 1024 * 1024;

/// An entry of the log.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum LogEntry {
    /// The first entry: the file format, and the seed of genesis.
    Header { format: u32, seed: u64 },
    /// An executed transaction, and the objects that it wrote and deleted.
    Transaction {
        record: TransactionRecord,
        written: Vec<Object>,
        deleted: Vec<ObjectId>,
    },
    /// A checkpoint of all transactions since the previous one.
    Checkpoint(CheckpointSummary),
    /// The reference gas price from the next epoch on.
    NextGasPrice(u64),
}

/// The log file, locked for this process.
#[derive(Debug)]
pub(crate) struct Log {
    archive: Arc<Archive>,
    directory: PathBuf,
    seed: u64,
    /// The length of all complete entries in bytes.
    length: u64,
    /// The body of the last of them.
    last: Extent,
    buffer: Vec<u8>,
}

impl Log {
    /// Opens the log in `directory`. [`replay`](Self::replay) must follow.
    ///
    /// # Errors
    /// When the directory or file can't be used, or another process has the log open.
    pub(crate) fn open(directory: &Path, seed: u64) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(FILE_NAME))?;
        file.try_lock().map_err(|error| {
            io::Error::other(format!("another process has the ledger log open: {error}"))
        })?;
        Ok(Self {
            archive: Arc::new(Archive::new(file)),
            directory: directory.to_owned(),
            seed,
            length: 0,
            last: Extent {
                offset: 0,
                length: 0,
                checksum: 0,
            },
            buffer: Vec::new(),
        })
    }

    /// Reads the records in the log.
    pub(super) fn archive(&self) -> &Arc<Archive> {
        &self.archive
    }

    /// The length of all complete entries in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The body of the last complete entry.
    pub(super) fn last(&self) -> Extent {
        self.last
    }

    /// The seed of genesis.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Skips the entries up to `length`, of which `last` is the body of the last, because a snapshot has
    /// what they say.
    pub(super) fn skip(&mut self, length: u64, last: Extent) {
        self.length = length;
        self.last = last;
    }

    /// Passes every complete entry and its body to `replay`, and truncates the rest. A new log gets its
    /// header.
    ///
    /// # Errors
    /// When the log can't be read or written, has another seed or format, or `replay` fails.
    pub(crate) fn replay(
        &mut self,
        mut replay: impl FnMut(LogEntry, &Body) -> io::Result<()>,
    ) -> io::Result<()> {
        let archive = Arc::clone(&self.archive);
        let unread = Unread {
            archive: &archive,
            offset: self.length,
        };
        let mut reader = BufReader::with_capacity(READ_BYTES, unread);
        while let Some(bytes) = frames::read(&mut reader)? {
            let body = self.next_body(bytes);
            match bcs::from_bytes(&body.bytes).map_err(io::Error::other)? {
                LogEntry::Header { format, seed } => self.check(format, seed)?,
                entry => replay(entry, &body)?,
            }
            self.passed(&body)?;
        }
        let dropped = self
            .archive
            .with_file(|file| file.metadata())?
            .len()
            .saturating_sub(self.length);
        if dropped > 0 {
            let aside = self
                .directory
                .join(format!("{FILE_NAME}.dropped-{}", self.length));
            self.archive.copy_from(self.length, &aside)?;
            tracing::warn!(
                bytes = dropped,
                kept_in = %aside.display(),
                "the end of the ledger log is incomplete or damaged, and is dropped"
            );
            self.archive.truncate(self.length)?;
        }
        if self.length == 0 {
            let seed = self.seed;
            let header = self.encode(&LogEntry::Header {
                format: FORMAT,
                seed,
            })?;
            self.append(&header)?;
        }
        Ok(())
    }

    fn check(&self, format: u32, seed: u64) -> io::Result<()> {
        if format == FORMAT && seed == self.seed {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "the ledger log has format {format} and seed {seed}, but format {FORMAT} and seed \
                 {} are required",
                self.seed
            ),
        ))
    }

    /// The body of an entry that is to be [appended](Self::append) next.
    ///
    /// # Errors
    /// When it can't be encoded.
    pub(crate) fn encode(&self, entry: &LogEntry) -> io::Result<Body> {
        let bytes = bcs::to_bytes(entry).map_err(io::Error::other)?;
        Ok(self.next_body(bytes))
    }

    /// Appends an entry. It is written to the operating system but not synced to disk.
    ///
    /// # Errors
    /// When it can't be written. A partial entry is truncated, because replay would stop there and
    /// ignore later entries.
    pub(crate) fn append(&mut self, body: &Body) -> io::Result<()> {
        self.archive.check()?;
        self.buffer.clear();
        frames::write(&mut self.buffer, &body.bytes)?;
        if let Err(error) = self.archive.write_at(self.length, &self.buffer) {
            self.archive.truncate(self.length)?;
            return Err(error);
        }
        self.passed(body)
    }

    /// Writes everything to the disk.
    ///
    /// # Errors
    /// When that fails.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.archive.with_file(|file| file.sync_data())
    }

    fn next_body(&self, bytes: Vec<u8>) -> Body {
        Body {
            offset: self.length + frames::HEAD_BYTES,
            bytes,
        }
    }

    fn passed(&mut self, body: &Body) -> io::Result<()> {
        let last = Extent::of(body.offset, &body.bytes);
        self.last = last.ok_or_else(|| io::Error::other("a ledger record is too long"))?;
        self.length = body.offset + u64::from(self.last.length);
        Ok(())
    }
}

/// The rest of the file. The log's other readers move the file's position, so each read sets it.
struct Unread<'a> {
    archive: &'a Archive,
    offset: u64,
}

impl Read for Unread<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.archive.with_file(|file| {
            file.seek(SeekFrom::Start(self.offset))?;
            file.read(buffer)
        })?;
        self.offset += u64::try_from(read).map_err(io::Error::other)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(sequence_number: u64) -> LogEntry {
        LogEntry::Checkpoint(CheckpointSummary {
            epoch: 0,
            sequence_number,
            network_total_transactions: 0,
            content_digest: sui_sdk_types::Digest::ZERO,
            previous_digest: None,
            epoch_rolling_gas_cost_summary: sui_sdk_types::GasCostSummary::new(0, 0, 0, 0),
            timestamp_ms: 0,
            checkpoint_commitments: Vec::new(),
            end_of_epoch_data: None,
            version_specific_data: Vec::new(),
        })
    }

    fn replayed(directory: &Path, seed: u64) -> io::Result<(Vec<u64>, Log)> {
        let mut seen = Vec::new();
        let mut log = Log::open(directory, seed)?;
        log.replay(|entry, _| {
            if let LogEntry::Checkpoint(summary) = entry {
                seen.push(summary.sequence_number);
            }
            Ok(())
        })?;
        Ok((seen, log))
    }

    fn append(log: &mut Log, sequence_number: u64) {
        let body = log.encode(&checkpoint(sequence_number)).unwrap();
        log.append(&body).unwrap();
    }

    #[test]
    fn a_partial_last_entry_is_dropped_and_later_appends_work() {
        let directory = tempfile::tempdir().unwrap();
        let (_, mut log) = replayed(directory.path(), 7).unwrap();
        for n in 0..3 {
            append(&mut log, n);
        }
        log.archive.truncate(log.length - 5).unwrap();
        drop(log);
        let (seen, mut log) = replayed(directory.path(), 7).unwrap();
        assert_eq!(seen, [0, 1]);
        append(&mut log, 9);
        drop(log);
        assert_eq!(replayed(directory.path(), 7).unwrap().0, [0, 1, 9]);
    }

    #[test]
    fn a_log_of_another_seed_is_rejected() {
        let directory = tempfile::tempdir().unwrap();
        drop(replayed(directory.path(), 7).unwrap());
        let error = replayed(directory.path(), 8).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
