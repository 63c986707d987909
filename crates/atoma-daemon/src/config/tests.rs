use std::error::Error;
use std::fs;

use super::*;

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

/// The message with its causes, as the program prints it.
fn refusal(text: &str) -> String {
    let error = load(text, Overrides::default()).unwrap_err();
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn paths_are_relative_to_the_file_and_defaults_are_safe() {
    let (config, folder) = load(GOOD, Overrides::default()).unwrap();
    assert_eq!(config.data_dir, folder.join("data"));
    assert_eq!(config.sui.client_config, folder.join("client.yaml"));
    assert_eq!(config.http_addr, default_http_addr());
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
        (with("http_addr = \"nonsense\""), "http_addr"),
        (with("http_addr = \"0.0.0.0:3000\""), "http_addr"),
        (with("request_timeout_s = 0"), "request_timeout_s"),
        (with("request_timeout_s = \"soon\""), "request_timeout_s"),
        (with("recovery_timeout_s = 3601"), "recovery_timeout_s"),
        (GOOD.replace("0xa70a", "pkg"), "package_id"),
        (GOOD.replace("http://", "ftp://"), "sui.rpc_url"),
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
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::load(Path::new("nowhere.toml"), Overrides::default()).unwrap_err();
    assert!(error.to_string().contains("nowhere.toml"));
}
