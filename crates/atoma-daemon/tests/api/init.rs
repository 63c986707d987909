//! `init`, run as a program against a local network.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use atoma_localnet::{LocalNet, LocalNetConfig};
use tempfile::TempDir;

use crate::support::process::{Output, Process, output, program, serve};
use crate::support::write_operator_files;

/// A network, and a folder with an operator's `client.yaml` and keystore.
async fn world() -> (LocalNet, TempDir) {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_operator_files(&network, dir.path());
    fs::remove_file(dir.path().join("daemon.toml")).unwrap();
    (network, dir)
}

/// `init` with every flag that it needs. Writes to `etc/daemon.toml` in `dir`.
fn init(network: &LocalNet, dir: &Path) -> Command {
    let addresses = network.addresses();
    let mut command = program();
    command
        .args(["init", "--network", "local", "--rpc-url", &network.url()])
        .args(["--package-id", &addresses.package.to_string()])
        .args(["--atoma-db-id", &addresses.atoma_db.to_string()])
        .arg("--sui-client-config")
        .arg(dir.join("client.yaml"))
        .arg("--config")
        .arg(dir.join("etc/daemon.toml"));
    command
}

/// The command with a flag's value replaced.
fn with(mut command: Command, flag: &str, value: &str) -> Output {
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let place = arguments.iter().position(|argument| argument == flag);
    let mut arguments = arguments;
    arguments[place.unwrap() + 1] = value.into();
    command = program();
    output(command.args(arguments))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

// The network must answer while this thread waits for the program.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_private_and_starts_the_daemon() {
    let (network, dir) = world().await;
    let written = output(&mut init(&network, dir.path()));
    assert_eq!(written.code, 0, "{}", written.stderr);
    // Nobody has sent the operator anything.
    assert!(written.stdout.contains("has no SUI"), "{}", written.stdout);
    let etc = dir.path().join("etc");
    let (config, token) = (etc.join("daemon.toml"), etc.join("tokens/operator.token"));
    for (path, expected) in [
        (&etc, 0o700),
        (&config, 0o600),
        (&etc.join("tokens"), 0o700),
        (&token, 0o600),
    ] {
        assert_eq!(mode(path), expected, "{}", path.display());
    }
    let secret = fs::read_to_string(&token).unwrap();
    // 32 bytes.
    assert_eq!(secret.trim().len(), 43);
    assert!(!format!("{}{}", written.stdout, written.stderr).contains(secret.trim()));

    let checked = output(program().args(["config", "check", "--config"]).arg(&config));
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    // What it says to do next works: the daemon that it configured asks for the token.
    let process = Process::run(serve(&etc));
    let told = format!("atoma-daemon status --token-file {}", token.display());
    assert!(written.stdout.contains(&told), "{}", written.stdout);
    let url = format!("http://{}", process.api.addr());
    let status = |flags: &[&str]| output(program().args(["status", "--url", &url]).args(flags));
    let asked = status(&["--token-file", token.to_str().unwrap()]);
    assert!(
        asked.stdout.to_lowercase().contains("ready"),
        "{}",
        asked.stderr
    );
    let refused = status(&[]);
    assert!(refused.stderr.contains("token"), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
    drop(process);

    // Nothing is replaced unasked, and a token never.
    let before = fs::read_to_string(&config).unwrap();
    let again = output(&mut init(&network, dir.path()));
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(&config).unwrap(), before);
    let forced = output(init(&network, dir.path()).args(["--force", "--data-dir", "/elsewhere"]));
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert!(
        fs::read_to_string(&config)
            .unwrap()
            .contains("\"/elsewhere\"")
    );
    assert_eq!(fs::read_to_string(&token).unwrap(), secret);
    assert_eq!(mode(&config), 0o600);
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_node_contradicts_is_refused_and_nothing_is_written() {
    let (network, dir) = world().await;
    let absent = format!("0x{}", "77".repeat(32));
    for (flag, value, code, part) in [
        ("--package-id", absent.as_str(), 1, "`package_id` is wrong"),
        (
            "--atoma-db-id",
            absent.as_str(),
            1,
            "`atoma_db_id` is wrong",
        ),
        ("--atoma-db-id", "0x8", 1, "not the contract's AtomaDb"),
        ("--atoma-db-id", "AtomaDb", 2, "--atoma-db-id"),
        ("--network", "mainnet", 1, "not on mainnet"),
        ("--network", "locl", 2, "local"),
        ("--rpc-url", "http://127.0.0.1:1/secret", 1, "127.0.0.1:1/…"),
        ("--rpc-url", "127.0.0.1:1", 2, "must start with http://"),
        ("--sui-client-config", "/none.yaml", 1, "/none.yaml"),
    ] {
        let refused = with(init(&network, dir.path()), flag, value);
        assert_eq!(refused.code, code, "{flag} {value}: {}", refused.stderr);
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        assert!(!refused.stderr.contains("secret"), "{}", refused.stderr);
    }
    assert!(!dir.path().join("etc").exists());
    network.shutdown().await;
}

#[test]
fn without_a_terminal_all_missing_flags_are_named() {
    let home = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args(["init", "--network", "local"]);
    let refused = output(command.current_dir(home.path()).env("HOME", home.path()));
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    for flag in ["--sui-client-config", "--package-id", "--atoma-db-id"] {
        assert!(refused.stderr.contains(flag), "{flag}: {}", refused.stderr);
    }
    assert!(!refused.stderr.contains("--network,"), "{}", refused.stderr);
}
