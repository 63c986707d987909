//! A file that pauses the autopilot while it exists: a switch that needs neither the API nor the database.

use std::io::ErrorKind;
use std::path::Path;
use std::time::UNIX_EPOCH;

use atoma_domain::TimestampMs;
use atoma_domain::autopilot::PauseScope;

/// How much of the file is read.
const MOST: u64 = 64;

/// What the file stops, and since when: everything if it says `all` or can't be read, otherwise all but attestations. `None`
/// without a file.
pub(super) async fn read(file: &Path) -> Option<(PauseScope, Option<TimestampMs>)> {
    // Not what a link names: one that leads nowhere was put there, too.
    match tokio::fs::symlink_metadata(file).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        _ => {}
    }
    let Ok(found) = tokio::fs::metadata(file).await else {
        return Some((PauseScope::All, None));
    };
    let since = found.modified().ok().and_then(|at| {
        let since_epoch = at.duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(since_epoch.as_millis()).ok()
    });
    let since = since.map(TimestampMs::new);
    if !found.is_file() || found.len() > MOST {
        return Some((PauseScope::All, since));
    }
    let scope = match tokio::fs::read(file).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Ok(says) if !says.trim_ascii().eq_ignore_ascii_case(b"all") => {
            PauseScope::AllButAttestations
        }
        _ => PauseScope::All,
    };
    Some((scope, since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_pauses_while_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pause");
        let stops = async |file: &Path| read(file).await.map(|(scope, _)| scope);
        assert_eq!(stops(&file).await, None);
        for (says, expected) in [
            ("", PauseScope::AllButAttestations),
            ("on holiday\n", PauseScope::AllButAttestations),
            (" ALL\n", PauseScope::All),
        ] {
            std::fs::write(&file, says).unwrap();
            assert_eq!(stops(&file).await, Some(expected), "{says}");
        }
        std::fs::write(&file, "x".repeat(65)).unwrap();
        assert_eq!(stops(&file).await, Some(PauseScope::All));
        assert_eq!(stops(dir.path()).await, Some(PauseScope::All));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_that_leads_nowhere_pauses_everything() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pause");
        std::os::unix::fs::symlink("nowhere", &file).unwrap();
        assert_eq!(read(&file).await, Some((PauseScope::All, None)));
    }
}
