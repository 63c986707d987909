//! This machine: configuration, files, data directory, disk, database.

use std::io;
use std::path::Path;
use std::time::Duration;

use atoma_domain::ports::{ChainEvents as _, Clock as _, Journal as _};
use atoma_domain::with_causes;
use atoma_metrics::free_space;
use atoma_state::{Access, OpenError, SqliteState, StateOptions};

use super::Finding;
use super::mirror::Mirror;
use crate::config::Config;
use atoma_operator::SystemClock;
use atoma_state::{DataDirLock, database_file};

/// Less space than this stops writes soon.
const LITTLE_SPACE: u128 = 2 << 30;
/// With less, a write of the database can fail.
const LEAST_SPACE: u128 = 64 << 20;
/// How long to wait for another program's lock.
const PATIENCE: Duration = Duration::from_secs(2);

/// The files that the configuration names, with their modes.
pub(super) fn files(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "files";
    let found = config.check_files(|name| std::env::var_os(name), SystemClock.now());
    let faults = found.faults.iter();
    let faults = faults.map(|fault| Finding::problem(CHECK, fault.to_string()));
    let warnings = found.warnings.into_iter();
    let mut findings: Vec<_> = faults
        .chain(warnings.map(|warning| Finding::warning(CHECK, warning)))
        .collect();
    if findings.is_empty() {
        findings.push(Finding::ok(
            CHECK,
            "the files that the configuration names can be used, by nobody else",
        ));
    }
    findings
}

/// What to do about a file that can't be looked at.
const AS_DAEMON: &str = "Run this as the daemon's user.";

/// The data directory, and whether a daemon uses it, if that is known.
pub(super) fn data_dir(config: &Config) -> (Finding, Option<bool>) {
    const CHECK: &str = "data directory";
    let dir = config.data_dir.display();
    match config.data_dir.metadata() {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            let found = Finding::problem(CHECK, format!("{dir} is not a directory"));
            return (found.advise("Set another `data_dir`."), Some(false));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let found = format!("{dir} does not exist yet; the first start creates it");
            return (Finding::ok(CHECK, found), Some(false));
        }
        Err(error) => {
            let found = Finding::problem(CHECK, format!("can't look at {dir}: {error}"));
            return (found.advise(AS_DAEMON), None);
        }
    }
    match DataDirLock::holder_of(&config.data_dir) {
        Ok(None) => {
            let found = format!("{dir}; no daemon uses it");
            (Finding::ok(CHECK, found), Some(false))
        }
        Ok(Some(holder)) => {
            let found = format!("{dir}; a daemon uses it ({holder})");
            (Finding::ok(CHECK, found), Some(true))
        }
        Err(error) => {
            let found = format!("{dir}: its lock can't be read: {error}");
            (Finding::problem(CHECK, found).advise(AS_DAEMON), None)
        }
    }
}

/// The space left for the database.
pub(super) fn disk(config: &Config) -> Finding {
    const CHECK: &str = "disk";
    // The first start creates what is missing of the path. Another error may hide another disk.
    let is_missing = |dir: &&Path| {
        let error = dir.metadata().err();
        error.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    let path = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
    let dir = path.ancestors().find(|dir| !is_missing(dir));
    let Some(free) = dir.and_then(|dir| free_space(dir).ok()) else {
        return Finding::skipped(CHECK, "the space left can't be read");
    };
    space(free)
}

/// Judges the bytes that are free.
fn space(free: u128) -> Finding {
    const CHECK: &str = "disk";
    let found = format!("{} MiB are free", free >> 20);
    let advice = "Free some space: on a full disk nothing is signed and no served work recorded.";
    match free {
        ..LEAST_SPACE => Finding::problem(CHECK, found).advise(advice),
        LEAST_SPACE..LITTLE_SPACE => Finding::warning(CHECK, found).advise(advice),
        _ => Finding::ok(CHECK, found),
    }
}

/// Which of these the user who runs this can't write, and why.
#[cfg(unix)]
fn unwritable(paths: [&Path; 2]) -> Option<(&Path, io::Error)> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};

    paths.into_iter().find_map(|path| {
        let refused = accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).err()?;
        Some((path, refused.into()))
    })
}

#[cfg(not(unix))]
const fn unwritable(_: [&Path; 2]) -> Option<(&Path, io::Error)> {
    None
}

/// The database, open for reading.
pub(super) async fn database(config: &Config) -> (Vec<Finding>, Mirror) {
    const CHECK: &str = "database";
    let path = database_file(&config.data_dir);
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => {
            let found = "there is none yet; the first start creates it";
            return (vec![Finding::ok(CHECK, found)], Mirror::Missing);
        }
        Err(error) => {
            let found = format!("can't look at {}: {error}", path.display());
            let found = Finding::problem(CHECK, found).advise(AS_DAEMON);
            return (vec![found], Mirror::Unreadable);
        }
    }
    if let Some((path, error)) = unwritable([&config.data_dir, &path]) {
        let found = format!("{} can't be written: {error}", path.display());
        let found = Finding::problem(CHECK, found).advise(
            "Run this as the daemon's user. If you did, give that user the data directory and all files in it: \
             `chown -R`.",
        );
        return (vec![found], Mirror::Unreadable);
    }
    let options = StateOptions {
        access: Access::ReadOnly,
        busy_timeout: PATIENCE,
        ..StateOptions::default()
    };
    let state = match SqliteState::open(&path, options).await {
        Ok(state) => state,
        Err(error @ OpenError::NotMigrated { .. }) => {
            let found = Finding::warning(CHECK, error.to_string());
            return (vec![found], Mirror::Unreadable);
        }
        Err(error) => {
            let found = Finding::problem(CHECK, with_causes(&error));
            return (vec![found], Mirror::Unreadable);
        }
    };
    (contents(&state).await, Mirror::Open(state))
}

async fn contents(state: &SqliteState) -> Vec<Finding> {
    const CHECK: &str = "database";
    match state.find_damage().await {
        Ok(None) => {}
        Ok(Some(damage)) => {
            let damaged = Finding::problem(CHECK, format!("it is damaged ({damage})"));
            return vec![damaged.advise("Stop the daemon and restore a backup: docs/backups.md.")];
        }
        Err(error) => return vec![Finding::problem(CHECK, with_causes(&error))],
    }
    let mut findings = Vec::new();
    match state.progress().await {
        Ok(progress) if progress.set_aside > 0 => {
            let found = format!(
                "the mirror may lack something: {} events that this version can't read are set aside",
                progress.set_aside
            );
            let advice = "Install a version that knows them, and rebuild the mirror: docs/reconciliation.md.";
            findings.push(Finding::warning(CHECK, found).advise(advice));
        }
        Ok(_) => {}
        Err(error) => findings.push(Finding::problem(CHECK, with_causes(&error))),
    }
    match (state.unreadable().await, state.unfinished().await) {
        (Ok(unreadable), Ok(unfinished)) => {
            findings.push(Finding::ok(
                CHECK,
                match unfinished.len() {
                    1 => String::from("undamaged; 1 transaction is unfinished"),
                    many => format!("undamaged; {many} transactions are unfinished"),
                },
            ));
            let rows = unreadable.into_iter();
            findings.extend(rows.map(|row| {
                Finding::warning(CHECK, format!("a row of the journal can't be read: {row}"))
            }));
        }
        (Err(error), _) | (_, Err(error)) => {
            findings.push(Finding::problem(CHECK, with_causes(&error)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_full_disk_is_a_problem_and_one_that_fills_up_a_warning() {
        for (free, verdict) in [
            (0, Verdict::Problem),
            (LEAST_SPACE - 1, Verdict::Problem),
            (LEAST_SPACE, Verdict::Warning),
            (LITTLE_SPACE - 1, Verdict::Warning),
            (LITTLE_SPACE, Verdict::Ok),
        ] {
            assert_eq!(space(free).verdict, verdict, "{free}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_database_of_another_user_is_found_to_be_unwritable() {
        use std::os::unix::fs::PermissionsExt as _;

        use rustix::process::{Uid, geteuid};
        use rustix::thread::set_thread_res_uid;

        let set_mode = |path: &Path, mode| {
            let rights = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(path, rights).unwrap();
        };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("atoma.sqlite");
        std::fs::write(&file, "").unwrap();
        let looked =
            |dir: &Path, file: &Path| unwritable([dir, file]).map(|(path, _)| path.to_owned());
        assert_eq!(looked(dir.path(), &file), None);
        set_mode(&file, 0o444);
        set_mode(dir.path(), 0o777);
        let other = std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                // Nothing is forbidden to the superuser. This thread alone becomes somebody else.
                if geteuid().is_root() {
                    let nobody = Uid::from_raw(65_534);
                    set_thread_res_uid(nobody, nobody, nobody).unwrap();
                }
                looked(dir.path(), &file)
            });
            other.join().unwrap()
        });
        assert_eq!(other, Some(file));
    }
}
