//! Reading the files that a configuration names.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

use zeroize::Zeroizing;

/// The most bytes of a configuration, key, token or certificate file.
const MOST: u64 = 4 * 1024 * 1024;

/// Reads a regular file of at most 4 MiB. A pipe would wait for somebody to write, and a device may never
/// end. The bytes are wiped when dropped, as many of these files hold secrets.
///
/// # Errors
/// When it can't be read, is larger, or is no regular file.
pub fn read_small_file(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    // Before it is opened: opening a pipe already waits.
    if !path.metadata()?.is_file() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let read = File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read <= MOST) {
        return Ok(bytes);
    }
    Err(Error::new(
        ErrorKind::FileTooLarge,
        "it is larger than 4 MiB",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_small_regular_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, vec![7; 4 * 1024 * 1024]).unwrap();
        assert_eq!(read_small_file(&file).unwrap().len(), 4 * 1024 * 1024);
        std::fs::write(&file, vec![7; 4 * 1024 * 1024 + 1]).unwrap();
        let reason = |path: &Path| read_small_file(path).unwrap_err().to_string();
        assert_eq!(reason(&file), "it is larger than 4 MiB");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for other in [folder.path(), &pipe, Path::new("/dev/zero")] {
            assert_eq!(reason(other), "it is not a regular file");
        }
        let missing = read_small_file(&folder.path().join("missing")).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }
}
