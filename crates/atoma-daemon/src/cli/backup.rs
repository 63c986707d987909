//! The commands `backup` and `restore`. They work on the database's file and need no daemon.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use atoma_state::backup::{self, BackupContents, BackupError};
use clap::Args;
use serde_json::json;

use super::database::DatabaseArgs;
use super::progress::waiting;
use crate::output::print;
use atoma_state::{DataDirLock, database_file};

/// The flags of `backup`.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The file to write. It must not exist.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// The flags of `restore`.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Move a database that is there to a folder beside it.
    #[arg(long)]
    replace: bool,
}

impl BackupArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let database = database_file(&self.database.data_dir()?);
        let copied = backup::back_up(&database, &self.to);
        let contents = waiting("Copying and checking the database", copied).await;
        let contents = contents.context("there is no backup")?;
        if self.database.json {
            return print(&format!("{:#}\n", described(&self.to, &contents)));
        }
        let sentence = format!(
            "Backed up {} to {}: {}.\n",
            database.display(),
            self.to.display(),
            summary(&contents)
        );
        print(&sentence)
    }
}

impl RestoreArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let dir = self.database.data_dir()?;
        check_owner(&dir, is_superuser())?;
        // No daemon starts meanwhile.
        let lock = DataDirLock::take(&dir)?;
        let file = database_file(&dir);
        let restored = backup::restore(&self.from, &file, self.replace);
        let restored = match waiting("Checking and copying the backup", restored).await {
            // It says itself what is done by now.
            Err(error @ BackupError::Unfinished { .. }) => return Err(error.into()),
            restored => restored.context("nothing is restored")?,
        };
        lock.release();
        if self.database.json {
            let mut answer = described(&self.from, &restored.contents);
            answer["kept_in"] = json!(restored.kept_in);
            return print(&format!("{answer:#}\n"));
        }
        let mut sentence = format!(
            "Restored {} from {}: {}.\n",
            file.display(),
            self.from.display(),
            summary(&restored.contents)
        );
        if let Some(kept_in) = &restored.kept_in {
            sentence += &format!("The database that was there is in {}.\n", kept_in.display());
        }
        sentence += "What happened after the backup is missing from it: read docs/backups.md before you start \
                     the daemon.\n";
        print(&sentence)
    }
}

#[cfg(unix)]
fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
const fn is_superuser() -> bool {
    false
}

/// Refuses to create the data directory as the superuser. The daemon runs as another user and couldn't use it.
fn check_owner(dir: &Path, is_superuser: bool) -> anyhow::Result<()> {
    anyhow::ensure!(
        dir.exists() || !is_superuser,
        "the data directory {} does not exist; create it for the daemon's user first, or restore as that user",
        dir.display()
    );
    Ok(())
}

fn described(file: &Path, contents: &BackupContents) -> serde_json::Value {
    json!({
        "file": file,
        "bytes": contents.bytes,
        "covered_checkpoint": contents.covered,
        "transactions": contents.transactions,
        "served_stacks": contents.served_stacks,
    })
}

fn summary(contents: &BackupContents) -> String {
    let mirror = contents.covered.map_or_else(
        || String::from("nothing mirrored"),
        |covered| format!("the mirror up to checkpoint {covered}"),
    );
    format!(
        "{} bytes, {} transactions, {} stacks with served work, {mirror}",
        contents.bytes, contents.transactions, contents.served_stacks
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_superuser_restores_into_a_directory_that_has_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("data");
        assert!(check_owner(dir.path(), true).is_ok());
        assert!(check_owner(&missing, false).is_ok());
        let refused = check_owner(&missing, true).unwrap_err().to_string();
        assert!(
            refused.contains("create it for the daemon's user first"),
            "{refused}"
        );
    }
}
