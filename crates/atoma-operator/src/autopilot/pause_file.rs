//! A file that pauses the autopilot while it exists: a switch that needs neither the API nor the database.

use std::io::ErrorKind;
use std::path::Path;

use atoma_domain::autopilot::PauseScope;

/// How much of the file is read.
const MOST: u64 = 64;

/// What the file stops: everything if it says `all`, or can't be read; otherwise all but attestations. `None` without a
/// file.
pub(super) async fn read(file: &Path) -> Option<PauseScope> {
    match tokio::fs::metadata(file).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Ok(found) if found.is_file() && found.len() <= MOST => {}
        // Somebody has put something there.
        _ => return Some(PauseScope::All),
    }
    match tokio::fs::read(file).await {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Ok(says) if says.trim_ascii() != b"all" => Some(PauseScope::AllButAttestations),
        _ => Some(PauseScope::All),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_pauses_while_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pause");
        assert_eq!(read(&file).await, None);
        for (says, stops) in [
            ("", PauseScope::AllButAttestations),
            ("on holiday\n", PauseScope::AllButAttestations),
            (" all\n", PauseScope::All),
        ] {
            std::fs::write(&file, says).unwrap();
            assert_eq!(read(&file).await, Some(stops), "{says}");
        }
        std::fs::write(&file, "x".repeat(65)).unwrap();
        assert_eq!(read(&file).await, Some(PauseScope::All));
        assert_eq!(read(dir.path()).await, Some(PauseScope::All));
    }
}
