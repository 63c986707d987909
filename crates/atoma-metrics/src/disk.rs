//! The space left for the database.

use std::io;
use std::path::{Path, PathBuf};

use prometheus::Gauge;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use crate::written::float;

/// The bytes that this user can still write to a directory's file system.
///
/// # Errors
/// The system's.
pub fn free_space(directory: &Path) -> io::Result<u128> {
    let disk = rustix::fs::statvfs(directory)?;
    Ok(u128::from(disk.f_bavail) * u128::from(disk.f_frsize))
}

/// Looks at a directory's file system when metrics are collected. Absent if it can't be looked at.
#[derive(Debug)]
pub(crate) struct DiskSpace {
    directory: PathBuf,
    free: Gauge,
}

impl DiskSpace {
    pub(crate) fn of(directory: PathBuf) -> prometheus::Result<Self> {
        let free = Gauge::new(
            "atoma_disk_free_bytes",
            "The space that the daemon can still use on the disk of its database.",
        )?;
        Ok(Self { directory, free })
    }
}

impl Collector for DiskSpace {
    fn desc(&self) -> Vec<&Desc> {
        self.free.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Ok(free) = free_space(&self.directory) else {
            return Vec::new();
        };
        self.free.set(float(free));
        self.free.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_space_and_a_missing_one_tells_nothing() {
        let space = |directory: &str| DiskSpace::of(directory.into()).unwrap().collect();
        let families = space(env!("CARGO_MANIFEST_DIR"));
        assert!(families[0].get_metric()[0].get_gauge().get_value() > 0.0);
        assert!(space("/no/such/directory").is_empty());
    }
}
