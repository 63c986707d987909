//! The frames of the log and of snapshots: length, checksum and body.

use std::io::{self, Read, Write};

use sui_sdk_types::hash::Hasher;

const CHECKSUM_BYTES: usize = 8;
/// The bytes before the body of a frame.
pub(super) const HEAD_BYTES: u64 = 12;
/// The maximum length of a body. Real bodies are far shorter; a greater length is a sign of damage.
const MAX_BODY_BYTES: u32 = 256 * 1024 * 1024;

/// Reads the body of the next frame. `None` at the end, and for a frame that is incomplete or doesn't
/// match its checksum.
///
/// # Errors
/// When the reader fails.
pub(super) fn read(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let mut sum = [0; CHECKSUM_BYTES];
    if !fill(reader, &mut length)? || !fill(reader, &mut sum)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_BODY_BYTES {
        return Ok(None);
    }
    let mut body = Vec::new();
    let read = reader.take(u64::from(length)).read_to_end(&mut body)?;
    if u32::try_from(read) != Ok(length) || checksum(&body) != sum {
        return Ok(None);
    }
    Ok(Some(body))
}

/// Writes a frame.
///
/// # Errors
/// When the body is too long or the writer fails.
pub(super) fn write(writer: &mut impl Write, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len())
        .ok()
        .filter(|length| *length <= MAX_BODY_BYTES)
        .ok_or_else(|| io::Error::other("a ledger record is too long"))?;
    writer.write_all(&length.to_le_bytes())?;
    writer.write_all(&checksum(body))?;
    writer.write_all(body)
}

/// Fills `buffer`, or returns false at the end of the file.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The first bytes of the digest.
pub(super) fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut sum = [0; CHECKSUM_BYTES];
    for (to, from) in sum.iter_mut().zip(Hasher::digest(body).inner()) {
        *to = *from;
    }
    sum
}
