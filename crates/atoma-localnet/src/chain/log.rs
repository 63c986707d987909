//! The append-only log file that persists the ledger.
//!
//! Each entry is stored as length, checksum and BCS bytes. Reading stops at the first entry that is
//! incomplete or does not match its checksum, and the file is truncated there, which drops a
//! partially written last entry.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sui_sdk_types::{CheckpointSummary, Object, hash::Hasher};

use super::records::TransactionRecord;
use atoma_domain::ObjectId;

const FORMAT: u32 = 1;
const FILE_NAME: &str = "ledger.log";
const CHECKSUM_BYTES: usize = 8;
/// The maximum length of an entry. Real entries are far shorter; a greater length is a sign of
/// damage.
const MAX_ENTRY_BYTES: u32 = 256 * 1024 * 1024;

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

/// The open log file.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    /// The length of all complete entries in bytes.
    length: u64,
    buffer: Vec<u8>,
}

impl Log {
    /// Opens the log in `directory`, passes every complete entry to `replay`, and truncates the
    /// rest.
    ///
    /// Returns the log and whether it was empty.
    ///
    /// # Errors
    /// When the directory or file can't be used, another process has the log open, the log has
    /// another seed or format, or `replay` fails.
    pub(crate) fn open(
        directory: &Path,
        seed: u64,
        mut replay: impl FnMut(LogEntry) -> io::Result<()>,
    ) -> io::Result<(Self, bool)> {
        std::fs::create_dir_all(directory)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(FILE_NAME))?;
        file.try_lock().map_err(|error| {
            io::Error::other(format!("another process has the ledger log open: {error}"))
        })?;
        let mut reader = BufReader::new(&mut file);
        let mut intact = 0;
        let mut entries = 0_u64;
        while let Some((entry, length)) = read_entry(&mut reader)? {
            match entry {
                LogEntry::Header {
                    format,
                    seed: found,
                } if format == FORMAT && found == seed => {}
                LogEntry::Header {
                    format,
                    seed: found,
                } => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!(
                            "the ledger log has format {format} and seed {found}, but format \
                             {FORMAT} and seed {seed} are required"
                        ),
                    ));
                }
                entry => replay(entry)?,
            }
            intact += length;
            entries += 1;
        }
        file.set_len(intact)?;
        file.seek(SeekFrom::Start(intact))?;
        let mut log = Self {
            file,
            length: intact,
            buffer: Vec::new(),
        };
        let is_new = entries <= 1;
        if entries == 0 {
            log.append(&LogEntry::Header {
                format: FORMAT,
                seed,
            })?;
        }
        Ok((log, is_new))
    }

    /// Appends an entry. It is written to the operating system but not synced to disk.
    ///
    /// # Errors
    /// When it can't be written. A partial entry is truncated, because replay would stop there and
    /// ignore later entries.
    pub(crate) fn append(&mut self, entry: &LogEntry) -> io::Result<()> {
        let body = bcs::to_bytes(entry).map_err(io::Error::other)?;
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        self.buffer.clear();
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(&checksum(&body));
        self.buffer.extend_from_slice(&body);
        let written = self.file.write_all(&self.buffer);
        if written.is_ok() {
            self.length += u64::try_from(self.buffer.len()).unwrap_or_default();
        } else {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
        }
        written
    }
}

fn read_entry(reader: &mut impl Read) -> io::Result<Option<(LogEntry, u64)>> {
    let mut length = [0; 4];
    let mut sum = [0; CHECKSUM_BYTES];
    if !fill(reader, &mut length)? || !fill(reader, &mut sum)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_ENTRY_BYTES {
        return Ok(None);
    }
    let mut body = Vec::new();
    let read = reader.take(u64::from(length)).read_to_end(&mut body)?;
    if u32::try_from(read) != Ok(length) || checksum(&body) != sum {
        return Ok(None);
    }
    let entry = bcs::from_bytes(&body).map_err(io::Error::other)?;
    Ok(Some((entry, 12 + u64::from(length))))
}

/// Fills `buffer`, or returns false at the end of the file.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut sum = [0; CHECKSUM_BYTES];
    for (to, from) in sum.iter_mut().zip(Hasher::digest(body).inner()) {
        *to = *from;
    }
    sum
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
        let (log, _) = Log::open(directory, seed, |entry| {
            if let LogEntry::Checkpoint(summary) = entry {
                seen.push(summary.sequence_number);
            }
            Ok(())
        })?;
        Ok((seen, log))
    }

    #[test]
    fn a_partial_last_entry_is_dropped_and_later_appends_work() {
        let directory = tempfile::tempdir().unwrap();
        let (_, mut log) = replayed(directory.path(), 7).unwrap();
        for n in 0..3 {
            log.append(&checkpoint(n)).unwrap();
        }
        let length = log.file.metadata().unwrap().len();
        log.file.set_len(length - 5).unwrap();
        drop(log);
        let (seen, mut log) = replayed(directory.path(), 7).unwrap();
        assert_eq!(seen, [0, 1]);
        log.append(&checkpoint(9)).unwrap();
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
