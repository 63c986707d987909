//! The data directory: one daemon at a time, and a warning when others can read it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use atoma_localnet::{LocalNet, LocalNetConfig};

use crate::support::process::{Process, dev, in_time, serve, temporary_dev};
use crate::support::write_operator_files;

/// Runs a second daemon, which must end and name the first and the directory.
fn assert_refused(mut second: Command, first: &Process, dir: &Path) {
    let ended = second.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    let holder = format!("process {}", first.id());
    for part in [holder, dir.display().to_string()] {
        assert!(said.contains(&part), "{part}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_directory_is_refused_until_the_first_is_gone() {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_operator_files(&network, dir.path());
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();

    let first = Process::start(dir.path());
    assert_refused(serve(dir.path()), &first, &data);
    assert_refused(serve(dir.path()), &first, &data);
    // A killed daemon releases the directory, too.
    let log = first.kill().join("\n");
    assert!(log.contains("chmod 700"), "{log}");

    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
    let second = Process::start(dir.path());
    assert_refused(serve(dir.path()), &second, &data);
    let log = second.kill().join("\n");
    assert!(!log.contains("chmod 700"), "{log}");
}

#[test]
fn a_second_demo_in_the_same_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = Process::run(dev(dir.path()));
    assert_refused(dev(dir.path()), &first, dir.path());
    drop(first);
    Process::run(dev(dir.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_starts_without_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = temporary_dev();
    // Removed even though the process is killed.
    command.env("TMPDIR", dir.path());
    let demo = Process::run(command);
    let api = demo.api.clone();
    in_time(async { while api.get("/ready").await.0 != 200 {} }).await;
    let log = demo.kill();
    let is_alarming = |line: &&String| line.contains(" WARN ") || line.contains("ERROR");
    assert_eq!(log.iter().find(is_alarming), None, "{log:#?}");
    let noted = log.iter().filter(|line| line.contains("as expected"));
    assert_eq!(noted.count(), 2, "{log:#?}");
}
