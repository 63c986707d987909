//! `config check`, `config show` and `config example`, run as programs. None needs a Sui node.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{output, program};
use crate::support::{ADDRESS, KEY};

/// A token in the path of the Sui node's URL.
const SECRET: &str = "0123456789-secret";

/// An operator's files for a node that nobody reaches.
fn files() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
    write("sui.keystore", format!("[\"{KEY}\"]"));
    write(
        "client.yaml",
        format!(
            "keystore:\n  File: sui.keystore\nenvs:\n  - alias: a\n    rpc: \"http://127.0.0.1:1/{SECRET}\"\nactive_env: a\nactive_address: \"{ADDRESS}\"\n"
        ),
    );
    write("x-token", SECRET.to_owned());
    write("operator.token", SECRET.to_owned());
    write(
        "daemon.toml",
        "data_dir = \"data\"\n[sui]\nclient_config = \"client.yaml\"\npackage_id = \"0xa\"\natoma_db_id = \"0xdb\"\n\
         headers.x-token.file = \"x-token\"\n[[tokens]]\nname = \"operator\"\nscope = \"operate\"\nfile = \"operator.token\"\n"
            .to_owned(),
    );
    for name in ["sui.keystore", "x-token", "operator.token", "daemon.toml"] {
        set_mode(&dir.path().join(name), 0o600);
    }
    dir
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn config(command: &str, dir: &Path) -> Command {
    let mut program = program();
    program
        .args(["config", command, "--config"])
        .arg(dir.join("daemon.toml"));
    program
}

#[test]
fn a_valid_configuration_is_called_valid_with_warnings() {
    let dir = files();
    let checked = output(&mut config("check", dir.path()));
    assert_eq!(
        (
            checked.code,
            checked.stdout.as_str(),
            checked.stderr.as_str()
        ),
        (0, "the configuration is valid\n", "")
    );
    for (name, mode) in [
        ("sui.keystore", 0o604),
        ("x-token", 0o644),
        ("operator.token", 0o604),
    ] {
        set_mode(&dir.path().join(name), mode);
    }
    fs::create_dir(dir.path().join("data")).unwrap();
    set_mode(&dir.path().join("data"), 0o750);
    let checked = output(&mut config("check", dir.path()));
    assert_eq!(
        checked.stdout,
        "the configuration is valid, with 4 warnings\n"
    );
    for part in [
        "can access the keystore (mode 604); run: chmod o-rwx ",
        "can access the value of the header `x-token` (mode 644)",
        "can access the token `operator` (mode 604)",
        "can access the data directory (mode 750); run: chmod go-rwx ",
    ] {
        assert!(checked.stderr.contains(part), "{part}: {}", checked.stderr);
    }
    assert!(!checked.stderr.contains(SECRET));
}

#[test]
fn all_faults_are_told_at_once() {
    let dir = files();
    let path = dir.path();
    fs::remove_file(path.join("sui.keystore")).unwrap();
    fs::remove_file(path.join("x-token")).unwrap();
    fs::write(path.join("operator.token"), "short").unwrap();
    fs::write(path.join("data"), "a file").unwrap();
    let checked = output(&mut config("check", path));
    assert_eq!((checked.code, checked.stdout.as_str()), (3, ""));
    for part in [
        "daemon.toml:1: `data_dir` is ",
        "daemon.toml:3: `sui.client_config` names ",
        "daemon.toml:6: `sui.headers.x-token` names ",
        "daemon.toml:7: `tokens` has the token `operator`, which has 5 characters",
    ] {
        assert!(checked.stderr.contains(part), "{part}: {}", checked.stderr);
    }
    let errors = checked.stderr.lines();
    assert_eq!(errors.filter(|line| line.starts_with("error: ")).count(), 4);
    // `serve` finds the same.
    let mut serve = program();
    serve
        .arg("serve")
        .env("ATOMA_CONFIG", path.join("daemon.toml"));
    let served = output(&mut serve);
    assert_eq!(served.code, 3);
    assert!(served.stderr.contains("`sui.headers.x-token` names "));
}

#[test]
fn what_is_wrong_in_a_variable_is_told_once_by_its_name() {
    let dir = files();
    let checked = output(config("check", dir.path()).envs([
        ("ATOMA__FOO", "1"),
        ("ATOMA__QUEUE_LIMIT", "0"),
        (
            "ATOMA__TOKENS",
            r#"[{name="operator",scope="all",env="TOKEN"}]"#,
        ),
        ("ATOMA__SUI__HEADERS__X-TOKEN", SECRET),
    ]));
    assert_eq!(checked.code, 3);
    let errors: Vec<_> = checked.stderr.lines().collect();
    for (line, part) in [
        ("the environment variable ATOMA__FOO ", "is not a setting"),
        (
            "environment variable ATOMA__QUEUE_LIMIT: ",
            "`queue_limit` must be between 1 and 1000000",
        ),
        (
            "environment variable ATOMA__TOKENS: ",
            "`tokens.scope` must be `read` or `operate`",
        ),
        (
            "environment variable ATOMA__SUI__HEADERS__X-TOKEN: ",
            "must be a table",
        ),
    ] {
        let is_told =
            |error: &&str| error.starts_with(&format!("error: {line}")) && error.contains(part);
        assert!(errors.iter().any(is_told), "{line}: {errors:#?}");
    }
    assert_eq!(errors.len(), 4, "{errors:#?}");
    assert!(!checked.stderr.contains(SECRET));
}

#[test]
fn a_missing_file_and_a_missing_flag_have_different_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let missing = output(&mut config("check", dir.path()));
    assert_eq!(missing.code, 3);
    assert!(missing.stderr.contains("daemon.toml"), "{}", missing.stderr);
    let unnamed = output(program().args(["config", "check"]));
    assert_eq!(unnamed.code, 2);
    assert!(unnamed.stderr.contains("--config"), "{}", unnamed.stderr);
}

#[test]
fn what_is_in_effect_is_shown_without_secrets() {
    let dir = files();
    let with = |command: &mut Command| {
        command
            .args(["--http-addr", "127.0.0.1:4000"])
            .env("ATOMA__GAS__MARGIN_PERCENT", "7");
        output(command)
    };
    let table = with(&mut config("show", dir.path()));
    let json = with(config("show", dir.path()).arg("--json"));
    for shown in [&table, &json] {
        assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
        assert!(!shown.stdout.contains(SECRET), "{}", shown.stdout);
    }
    let line = |key: &str| {
        let mut lines = table.stdout.lines();
        let line = lines.find(|line| line.split(' ').next() == Some(key));
        line.unwrap_or_else(|| panic!("{key}: {}", table.stdout))
    };
    assert!(line("http_addr").ends_with(" flag"));
    assert!(line("gas.margin_percent").ends_with(" ATOMA__GAS__MARGIN_PERCENT"));
    assert!(line("sui.package_id").ends_with("daemon.toml:4"));
    assert!(line("sui.headers.x-token").ends_with("daemon.toml:6"));
    assert!(line("queue_limit").ends_with(" default"));
    assert!(line("sui.rpc_url").contains(" http://127.0.0.1:1/… "));
    assert!(line("sui.rpc_url").ends_with(" client configuration"));
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let settings = json["settings"].as_array().unwrap();
    let row = |key: &str| settings.iter().find(|row| row["key"] == key).unwrap();
    assert_eq!(row("gas.margin_percent")["value"], 7);
    assert_eq!(row("gas.margin_percent")["origin"], "environment");
    assert_eq!(row("sui.package_id")["line"], 4);
    assert_eq!(row("gas.daily_cap_mist")["value"], Value::Null);
}

#[test]
fn the_example_is_the_file_in_the_repository() {
    let printed = output(program().args(["config", "example"]));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/daemon.example.toml");
    assert_eq!(printed.stdout, fs::read_to_string(file).unwrap());
}
