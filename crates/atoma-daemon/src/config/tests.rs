use std::error::Error;
use std::fs;
use std::path::PathBuf;

use super::*;

mod alarms;
mod secrets;

const GOOD: &str = r#"
data_dir = "data"
[sui]
client_config = "client.yaml"
rpc_url = "http://127.0.0.1:9000"
package_id = "0xa70a"
atoma_db_id = "0xdb"
"#;

fn load(text: &str, overrides: Overrides) -> Result<(Config, PathBuf), ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daemon.toml");
    fs::write(&file, text).unwrap();
    Ok((Config::load(&file, overrides)?, folder.path().to_path_buf()))
}

/// The message, as the program prints it.
fn refusal(text: &str) -> String {
    let error = load(text, Overrides::default()).unwrap_err();
    assert!(error.source().is_none());
    let message = error.to_string();
    for word in [
        "TOML source",
        "field",
        "struct",
        "u64",
        "u32",
        "key.path",
        "default.",
    ] {
        assert!(!message.contains(word), "{word}: {message}");
    }
    message
}

#[test]
fn paths_are_relative_to_the_file_and_defaults_are_safe() {
    let (config, folder) = load(GOOD, Overrides::default()).unwrap();
    assert_eq!(config.data_dir, folder.join("data"));
    assert_eq!(config.sui.client_config, folder.join("client.yaml"));
    assert_eq!(config.http_addr, "127.0.0.1:3000".parse().unwrap());
    assert_eq!(config.request_timeout_s, 90);
}

#[test]
fn flags_win_over_the_file() {
    let overrides = Overrides {
        http_addr: Some("127.0.0.1:4000".parse().unwrap()),
        data_dir: Some(PathBuf::from("elsewhere")),
        rpc_url: Some(String::from("http://127.0.0.1:9999")),
    };
    let (config, _) = load(GOOD, overrides).unwrap();
    assert_eq!(config.http_addr.port(), 4000);
    assert_eq!(config.data_dir, PathBuf::from("elsewhere"));
    assert_eq!(config.sui.rpc_url.as_deref(), Some("http://127.0.0.1:9999"));
}

#[test]
fn a_bad_configuration_is_refused_with_the_keys_name() {
    let with = |line: &str| format!("{line}\n{GOOD}");
    for (text, key) in [
        (String::from("data_dir = \"data\""), "sui"),
        (with("http_adr = \"127.0.0.1:3000\""), "http_adr"),
        (
            with("http_addr = \"nonsense\""),
            "`http_addr` must be an IP address and a port",
        ),
        (with("http_addr = \"0.0.0.0:3000\""), "http_addr"),
        (with("request_timeout_s = 0"), "request_timeout_s"),
        (with("request_timeout_s = \"soon\""), "request_timeout_s"),
        (with("recovery_timeout_s = 3601"), "recovery_timeout_s"),
        (format!("{GOOD}max_lag_s = 9"), "sui.max_lag_s"),
        (
            GOOD.replace("0xa70a", "pkg"),
            "`sui.package_id` must be an object id: 0x and 1 to 64 hexadecimal digits",
        ),
        (
            GOOD.replace("http://", "ftp://"),
            "`sui.rpc_url` must start",
        ),
        (
            GOOD.replace("http://", "https://user:pw@"),
            "`sui.rpc_url` must not contain a user name",
        ),
        (
            GOOD.replace(":9000", ":9000/?key=1"),
            "`sui.rpc_url` must not contain `?`",
        ),
        (
            GOOD.replace("package_id", "packag_id"),
            "did you mean `package_id`",
        ),
        (
            format!("{GOOD}foo = 1"),
            "`sui.foo` is not a setting; it can be `client_config`, `rpc_url`,",
        ),
        (
            GOOD.replace("package_id = \"0xa70a\"", ""),
            "`sui.package_id` is missing",
        ),
        (
            with("queue_limit = -1"),
            "`queue_limit` must be a whole number",
        ),
        (with("queue_limit = \"many\""), "but it is a text"),
        (
            with("allow_foreign_use = 1"),
            "`allow_foreign_use` must be true or false",
        ),
        (
            with("allowed_hosts = \"node\""),
            "`allowed_hosts` must be a list",
        ),
        (with("http_addr"), "not valid TOML at line 1"),
        (
            format!("{GOOD}\n[gas]\nmargin_percent = 2000"),
            "gas.margin_percent",
        ),
        (format!("{GOOD}\n[breaker]\npause_s = 0"), "breaker.pause_s"),
        (
            format!("{GOOD}\n[gas]\nbudget_ceiling_mist = -1"),
            "budget_ceiling_mist",
        ),
    ] {
        let message = refusal(&text);
        assert!(message.contains(key), "{key} is not named in: {message}");
        assert!(message.contains("daemon.toml"), "{message}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_line() {
    let text = r#"http_addr = "0.0.0.0:3000"
request_timeout_s = 0
recovery_timeout_s = "soon"
data_dir = 5
colour = "red"
[sui]
packag_id = "0xa70a"
atoma_db_id = "nonsense"
headers.x-token.fil = "secret"
[breaker]
failures = 5000000000
[gas]
margin_percent = -1
"#;
    let message = refusal(text);
    let lines: Vec<_> = message.lines().collect();
    for (line, part) in [
        (
            ":1: ",
            "`http_addr` is not a loopback address, so clients must have a token",
        ),
        (":2: ", "`request_timeout_s` must be between 1 and 3600"),
        (":3: ", "`recovery_timeout_s` must be a whole number"),
        (
            ":4: ",
            "`data_dir` must be a text in quotes, but it is a number",
        ),
        (":5: ", "`colour` is not a setting"),
        (
            ":7: ",
            "`sui.packag_id` is not a setting; did you mean `package_id`?",
        ),
        (":8: ", "`sui.atoma_db_id` must be an object id"),
        (
            ":9: ",
            "`sui.headers.x-token.fil` is not a setting; did you mean `file`?",
        ),
        (":11: ", "`breaker.failures` must be at most 4294967295"),
        (
            ":13: ",
            "`gas.margin_percent` must be a whole number that is not negative, but it is a negative number",
        ),
        ("daemon.toml: ", "`sui.client_config` is missing"),
        ("daemon.toml: ", "`sui.package_id` is missing"),
    ] {
        let found = lines
            .iter()
            .any(|told| told.contains(&format!("{line}{part}")));
        assert!(found, "{line}{part} is not in:\n{message}");
    }
    assert_eq!(lines.len(), 12, "{message}");
}

#[test]
fn what_is_shown_has_no_secrets_and_says_where_it_is_from() {
    let text = GOOD.replace("9000", "9000/secret");
    let lines = format!("{text}headers.x-token.file = \"token\"\n[gas]\nmargin_percent = 5\n");
    let overrides = Overrides {
        data_dir: Some(PathBuf::from("elsewhere")),
        ..Overrides::default()
    };
    let (config, _) = load(&lines, overrides).unwrap();
    let shown = config.shown();
    let row = |key: &str| {
        let row = shown.iter().find(|row| row.key == key).unwrap();
        (row.text(), row.place(Path::new("f")))
    };
    let pair = |value: &str, place: &str| (value.to_owned(), place.to_owned());
    assert_eq!(row("sui.rpc_url"), pair("http://127.0.0.1:9000/…", "f:5"));
    assert_eq!(row("gas.margin_percent"), pair("5", "f:10"));
    assert_eq!(row("data_dir"), pair("elsewhere", "flag"));
    assert_eq!(row("http_addr"), pair("127.0.0.1:3000", "default"));
    assert_eq!(row("gas.daily_cap_mist"), pair("(none)", "default"));
    assert_eq!(row("tls.key_file"), pair("(none)", "default"));
    let (value, place) = row("sui.headers.x-token");
    assert!(
        value.contains("\"file\"") && place == "f:8",
        "{value} {place}"
    );
    assert!(!format!("{shown:?}").contains("secret"));
    assert_eq!(shown.len(), keys::all().len());
}

#[test]
fn only_shells_know_a_tilde() {
    for (old, new, key) in [
        ("\"data\"", "\"~/data\"", "`data_dir`"),
        ("client.yaml", "~/client.yaml", "`sui.client_config`"),
        ("[sui]", "[sui]\nca_file = \"~/ca.pem\"", "`sui.ca_file`"),
        (
            "[sui]",
            "[sui]\nheaders.x-token.file = \"~token\"",
            "`sui.headers.x-token.file`",
        ),
    ] {
        let message = refusal(&GOOD.replace(old, new));
        assert!(
            message.contains(key) && message.contains("`~`"),
            "{message}"
        );
    }
    let overrides = Overrides {
        data_dir: Some(PathBuf::from("~/data")),
        ..Overrides::default()
    };
    let message = load(GOOD, overrides).unwrap_err().to_string();
    assert!(message.starts_with("command line: `data_dir`"), "{message}");
}

#[test]
fn allowed_hosts_are_names_that_a_request_can_have() {
    let with = |host: &str| format!("allowed_hosts = [\"{host}\"]\n{GOOD}");
    for host in [
        "node.example",
        "10.0.0.1",
        "[fd00::1]",
        "my_node",
        "node:3000",
    ] {
        load(&with(host), Overrides::default()).unwrap();
    }
    for host in [
        "https://node.example",
        "*",
        "*.example",
        "node:port",
        "node/",
        "",
        "a b",
    ] {
        let message = refusal(&with(host));
        assert!(
            message.contains("`allowed_hosts`") && message.contains(host),
            "{message}"
        );
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    load(&format!("\u{feff}{GOOD}"), Overrides::default()).unwrap();
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::load(Path::new("nowhere.toml"), Overrides::default()).unwrap_err();
    assert!(error.to_string().contains("nowhere.toml"));
}
