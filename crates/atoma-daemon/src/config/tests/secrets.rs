//! Tokens, headers, certificates and the files that hold them.

use std::fs;
use std::sync::LazyLock;

use atoma_domain::TimestampMs;
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;

use super::{GOOD, load, refusal};
use crate::config::{Config, Overrides, Scope, Token};

#[test]
fn tokens_are_read_and_checked() {
    let tokens = |lines: &str| format!("{GOOD}\n{lines}");
    let entry = |name: &str, place: &str| {
        format!("[[tokens]]\nname = \"{name}\"\nscope = \"read\"\n{place}\n")
    };
    for (lines, why) in [
        (
            entry("a", "file = \"t\"") + &entry("a", "file = \"u\""),
            "has two tokens named `a`",
        ),
        (
            entry("loopback", "file = \"t\""),
            "has a token named `loopback`",
        ),
        (entry("anybody", "file = \"t\""), "give it another name"),
        (entry("a", ""), "must have either `file` or `env`"),
        (
            entry("a", "file = \"t\"\nenv = \"T\""),
            "must have either `file` or `env`",
        ),
        (
            entry("a", "env = \"Bearer secret\""),
            "the name of an environment variable",
        ),
        (
            entry("not a name", "file = \"t\""),
            "has a `name` that is not",
        ),
        (entry("a", "file = \"~/t\""), "must not begin with `~`"),
        (
            entry("a", "file = \"t\"").replace("read", "all"),
            ":11: `tokens.scope` must be `read` or `operate`",
        ),
        (
            "[[tokens]]\nname = \"a\"\nfile = \"t\"".to_owned(),
            ":9: `tokens.scope` is missing",
        ),
        (entry("a", "fil = \"t\""), "did you mean `file`?"),
        (
            "[tls]\ncert_file = \"c\"".to_owned(),
            "`tls.cert_file` needs `tls.key_file` too",
        ),
    ] {
        let message = refusal(&tokens(&lines));
        assert!(message.contains(why), "{why} is not in: {message}");
        assert!(!message.contains("secret"), "{message}");
    }

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daemon.toml");
    fs::write(folder.path().join("t"), "0123456789abcdef\n").unwrap();
    let lines = entry("a", "file = \"t\"") + &entry("b", "env = \"B\"");
    fs::write(&file, tokens(&lines)).unwrap();
    let config = Config::load(&file, Overrides::default()).unwrap();
    let access = |value: &str| config.access(|_| Some(value.into()));
    let read = access("another-secret-token").unwrap();
    let values: Vec<_> = read.tokens.iter().map(Token::value).collect();
    assert_eq!(values, ["0123456789abcdef", "another-secret-token"]);
    assert_eq!(read.tokens[0].scope, Scope::Read);
    assert!(!format!("{read:?}").contains("secret"));
    for (value, why) in [
        ("short-secret", "has 12 characters"),
        ("secret with a space in it", "contains a space"),
        ("0123456789abcdef", "same value as the token `a`"),
    ] {
        let message = access(value).unwrap_err().to_string();
        assert!(
            message.contains("`b`") && message.contains(why),
            "{message}"
        );
        assert!(!message.contains("secret"), "{message}");
    }
}

/// A proxy on the same machine lets other machines in.
#[test]
fn a_proxy_needs_a_token_at_every_address() {
    for addr in ["", "http_addr = \"[::1]:3000\"\n"] {
        let message = refusal(&format!("behind_proxy = true\n{addr}{GOOD}"));
        let why = ":1: `behind_proxy` lets other machines in, so clients must have a token: add one to `tokens`";
        assert!(message.contains(why), "{message}");
        let token = "tokens = [{ name = \"a\", scope = \"read\", file = \"t\" }]";
        load(
            &format!("behind_proxy = true\n{addr}{token}{GOOD}"),
            Overrides::default(),
        )
        .unwrap();
    }
}

/// The files of an operator whose keystore is open to everybody, and findings in them.
#[test]
fn the_files_are_checked_all_at_once() {
    let lines = format!(
        "open_reads = true\n{GOOD}ca_file = \"none.pem\"\nheaders.x-token.env = \"NONE\"\n[tls]\ncert_file = \"c\"\nkey_file = \"k\"\n"
    );
    let (config, folder) = load(&lines, Overrides::default()).unwrap();
    let found = config.check_files(|_| None, TimestampMs::new(0));
    let text: Vec<_> = found.faults.iter().map(ToString::to_string).collect();
    let text = text.join("\n");
    for part in [
        ":5: `sui.client_config` can't be used",
        ":9: `sui.ca_file` names",
        "`sui.headers.x-token` names the environment variable NONE",
        ":12: `tls.cert_file` names",
        ":13: `tls.key_file` names",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    assert_eq!(found.faults.len(), 5, "{text}");
    assert!(
        found
            .warnings
            .iter()
            .all(|warning| !warning.contains("tls"))
    );
    assert!(!folder.join("data").exists(), "a check changes nothing");
}

/// A certificate for 2020, and its key.
fn certificate() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn a_certificate_is_checked_with_its_key_and_the_time() {
    let ((cert, key), (_, other)) = (certificate(), certificate());
    let lines = format!("{GOOD}[tls]\ncert_file = \"c.pem\"\nkey_file = \"k.pem\"\n");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("daemon.toml"), lines).unwrap();
    let config = Config::load(&file("daemon.toml"), Overrides::default()).unwrap();
    fs::write(file("c.pem"), &cert).unwrap();
    let check = |key: &str, seconds: u64| {
        fs::write(file("k.pem"), key).unwrap();
        let found = config.check_files(|_| None, TimestampMs::new(seconds * 1_000));
        let faults = found.faults.iter().map(ToString::to_string);
        let tls = |text: &String| text.contains("c.pem");
        let faults: Vec<_> = faults.filter(tls).collect();
        let warnings: Vec<_> = found.warnings.into_iter().filter(tls).collect();
        (faults, warnings)
    };
    let in_2020 = 1_590_000_000;
    assert_eq!(check(&key, in_2020), (vec![], vec![]));
    let (faults, warnings) = check(&other, in_2020);
    assert!(faults[0].contains("`tls.key_file` names"), "{faults:?}");
    for part in ["k.pem", "c.pem", "the private key is not the certificate's"] {
        assert!(faults[0].contains(part), "{faults:?}");
    }
    assert!(warnings.is_empty());
    for (seconds, why) in [(0, "is not valid yet"), (1_700_000_000, "has expired")] {
        let (faults, warnings) = check(&key, seconds);
        assert!(faults.is_empty(), "{faults:?}");
        assert!(warnings[0].contains(why), "{warnings:?}");
    }
}

/// The access that a configuration with these lines and files describes.
fn access(lines: &str, secret: &str) -> Result<atoma_sui::Access, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daemon.toml");
    fs::write(folder.path().join("secret"), secret).unwrap();
    fs::write(&file, GOOD.replace("[sui]", &format!("[sui]\n{lines}"))).unwrap();
    let config = Config::load(&file, Overrides::default()).map_err(|error| error.to_string())?;
    let variable = |name: &str| match name {
        "TOKEN" => Some("from-environment".into()),
        "SSL_CERT_FILE" if lines.contains("#ssl") => Some(folder.path().join("secret").into()),
        _ => None,
    };
    config
        .node_access(variable)
        .map_err(|error| error.to_string())
}

/// Two nodes, of which the second has a header of its own.
const NODES: &str = r#"
[[sui.nodes]]
url = "http://127.0.0.1:9000/secret"
[[sui.nodes]]
url = "https://node.example"
headers.x-token.file = "secret"
requests_per_30_s = 100
"#;

#[test]
fn each_node_of_a_list_has_its_own_headers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daemon.toml");
    fs::write(folder.path().join("secret"), "from-file").unwrap();
    let without_url = GOOD.replace("rpc_url = \"http://127.0.0.1:9000\"\n", "");
    fs::write(&file, format!("{without_url}{NODES}")).unwrap();
    let config = Config::load(&file, Overrides::default()).unwrap();
    let access = config.access_of_nodes(|_| None).unwrap();
    let headers: Vec<_> = access.iter().map(|access| access.headers.len()).collect();
    assert_eq!(headers, [0, 1]);
    let limits = config.limits_of_nodes();
    let limits: Vec<_> = limits
        .iter()
        .map(|limit| limit.map(|limit| limit.get()))
        .collect();
    assert_eq!(limits, [None, Some(100)]);
    let shown = config.shown();
    let row = shown.iter().find(|row| row.key == "sui.nodes").unwrap();
    assert!(row.text().contains("http://127.0.0.1:9000/…"), "{row:?}");
    assert!(row.text().contains("https://node.example"), "{row:?}");
    let told = format!("{shown:?} {config:?} {access:?}");
    for secret in ["9000/secret", "from-file"] {
        assert!(!told.contains(secret), "{told}");
    }
    fs::remove_file(folder.path().join("secret")).unwrap();
    let error = config.access_of_nodes(|_| None).unwrap_err().to_string();
    assert!(
        error.contains("`sui.nodes.1.headers.x-token` names"),
        "{error}"
    );
    // A flag replaces the list.
    let flag = Overrides {
        rpc_url: Some(String::from("http://127.0.0.1:1")),
        ..Overrides::default()
    };
    let config = Config::load(&file, flag).unwrap();
    assert!(config.sui.nodes.is_empty());
}

#[test]
fn what_is_wrong_with_a_list_of_nodes_is_said_without_its_urls() {
    let without_url = GOOD.replace("rpc_url = \"http://127.0.0.1:9000\"\n", "");
    for (text, part) in [
        (
            format!("{without_url}headers.a.file = \"secret\"{NODES}"),
            "without `sui.rpc_url`, so `sui.headers` is for no node",
        ),
        (
            format!("{GOOD}[[sui.nodes]]\nurl = \"http://127.0.0.1:9000\""),
            "the node number 1, which is there already",
        ),
        (
            format!(
                "{without_url}{}",
                NODES.replace("https://node", "ftp://node")
            ),
            "the node number 2, whose `url` must start with",
        ),
        (
            format!("{without_url}{NODES}{NODES}"),
            "the node number 3, which is there already",
        ),
        (
            format!(
                "{without_url}{}",
                NODES.replace("x-token.file", "x-token.fil")
            ),
            "did you mean `file`",
        ),
        (
            format!("{without_url}{}", NODES.replace("= 100", "= 39")),
            "the node number 2, whose `requests_per_30_s` must be at least 40",
        ),
        (
            format!("{GOOD}requests_per_30_s = 1"),
            "`sui.requests_per_30_s` must be at least 40",
        ),
        (
            format!("{without_url}{}", NODES.repeat(5)),
            "more than 8 nodes",
        ),
    ] {
        let message = refusal(&text);
        assert!(message.contains(part), "{part}: {message}");
        assert!(!message.contains("9000/"), "{message}");
    }
}

#[test]
fn headers_come_from_files_and_variables() {
    let read = access(
        "headers.x-token.file = \"secret\"\nheaders.authorization.env = \"TOKEN\"",
        "from-file\n",
    )
    .unwrap();
    assert_eq!(read.headers.len(), 2);
    // Some editors put one before a text.
    access("headers.x-token.file = \"secret\"", "\u{feff}from-file").unwrap();
    assert!(!format!("{read:?}").contains("from-"), "{read:?}");
    for (lines, secret, why) in [
        ("headers.x-token = {}", "", "either `file` or `env`"),
        (
            "headers.x-token.file = \"none\"",
            "",
            "none, which can't be read",
        ),
        (
            "headers.x-token.env = \"NONE\"",
            "",
            "NONE, which is not set",
        ),
        ("headers.x-token.file = \"secret\"", "", "is empty"),
        (
            "headers.x-token.file = \"secret\"",
            "se\ncret",
            "line break",
        ),
        (
            "headers.te.file = \"secret\"",
            "secret",
            "gRPC uses this header",
        ),
        (
            "headers.\"x token\".file = \"secret\"",
            "secret",
            "not the name",
        ),
    ] {
        let message = access(lines, secret).unwrap_err();
        assert!(
            message.contains("`sui.headers.") && message.contains(why),
            "{message}"
        );
        assert!(!message.contains("cret\n"), "{message}");
    }
}

/// What is logged while `action` runs.
fn logged(action: impl FnOnce()) -> String {
    // With a single subscriber, tracing asks only the first thread that comes by a log line whether
    // anybody wants it: a test without a subscriber would silence the line for all.
    static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
    LazyLock::force(&SECOND);
    let file = tempfile::NamedTempFile::new().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::sync::Arc::new(file.reopen().unwrap()))
        .finish();
    tracing::subscriber::with_default(subscriber, action);
    fs::read_to_string(file.path()).unwrap()
}

#[test]
fn headers_that_others_can_read_are_named_at_start() {
    let headers = "[sui.headers]\nx-token.env = \"TOKEN\"\nauthorization.file = \"secret\"";
    let (config, _) = load(&format!("{GOOD}{headers}"), Overrides::default()).unwrap();
    let warned =
        logged(|| config.warn_of_exposed_headers(&["http://node.example:9000".to_owned()]));
    assert_eq!(warned.lines().count(), 2, "{warned}");
    for header in ["x-token", "authorization"] {
        let line = warned.lines().find(|line| {
            line.contains(&format!("header=\"{header}\""))
                && line.contains(&format!("key=\"sui.headers.{header}\""))
        });
        assert!(line.unwrap().contains("WARN"), "{warned}");
    }
    for url in ["https://node.example", "http://127.0.0.1:9000"] {
        assert_eq!(
            logged(|| config.warn_of_exposed_headers(&[url.to_owned()])),
            ""
        );
    }
    let (config, _) = load(GOOD, Overrides::default()).unwrap();
    let url = "http://node.example";
    assert_eq!(
        logged(|| config.warn_of_exposed_headers(&[url.to_owned()])),
        ""
    );
}

#[test]
fn authorities_come_from_files() {
    let pem = include_str!("../../../../atoma-sui/tests/network/tls/authority.pem");
    let read = access("ca_file = \"secret\"", pem).unwrap();
    assert!(read.further_roots.is_some() && read.roots.is_none());
    let read = access("#ssl", pem).unwrap();
    assert!(read.roots.is_some() && read.further_roots.is_none());
    for (lines, key) in [
        ("ca_file = \"secret\"", "`sui.ca_file`"),
        ("#ssl", "`SSL_CERT_FILE`"),
    ] {
        let message = access(lines, "no certificate").unwrap_err();
        assert!(
            message.contains(key) && message.contains("no certificate in PEM"),
            "{message}"
        );
    }
}
