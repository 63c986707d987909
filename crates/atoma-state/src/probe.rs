//! Whether the disk of the database takes a write.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::files::private_file;

/// What a probe writes, in bytes: more than a file system keeps free for a small file on a full disk.
const SIZE: usize = 64 << 10;

/// A file beside the database, which exists only while it is written.
#[derive(Clone, Debug)]
pub(crate) struct DiskProbe(PathBuf);

impl DiskProbe {
    /// The probe of a database file.
    pub(crate) fn beside(database: &Path) -> Self {
        let mut path = OsString::from(database);
        path.push(".probe");
        Self(path.into())
    }

    /// Writes the file through to the disk and removes it.
    pub(crate) fn write(&self) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let written = private_file(&mut options).open(&self.0).and_then(fill);
        let removed = match remove_file(&self.0) {
            // Somebody else removed it; the write is what counts.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        written.and(removed)
    }
}

fn fill(mut file: File) -> io::Result<()> {
    file.write_all(&vec![0; SIZE])?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_at_once_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let probe = DiskProbe::beside(&folder.path().join("state.sqlite"));
        std::thread::scope(|scope| {
            let probes: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..8).try_for_each(|_| probe.write())))
                .collect();
            for probe in probes {
                probe.join().unwrap().unwrap();
            }
        });
    }

    #[test]
    fn a_probe_leaves_nothing_and_says_what_fails() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("state.sqlite");
        let probe = DiskProbe::beside(&database);
        probe.write().unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        // Left by a daemon that was killed.
        std::fs::write(&probe.0, "old").unwrap();
        probe.write().unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        std::fs::create_dir(&probe.0).unwrap();
        assert!(probe.write().is_err());
    }
}
