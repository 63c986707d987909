//! The environment variables that are settings.

use atoma_api::similar;

use super::error::ConfigError;
use super::names::ENV_PREFIX;

/// What the names of all variables of this program begin with.
const COMMON_PREFIX: &str = "ATOMA_";

/// The variables whose names end with the name of a header.
const HEADERS: &str = "ATOMA__SUI__HEADERS__";

/// The variables that are not keys of the configuration.
const OTHERS: &[&str] = &["ATOMA_LOG_FORMAT"];

/// All keys except those of single headers.
pub(super) const KEYS: &[&str] = &[
    "http_addr",
    "data_dir",
    "allowed_hosts",
    "request_timeout_s",
    "recovery_timeout_s",
    "queue_limit",
    "allow_foreign_use",
    "sui.client_config",
    "sui.rpc_url",
    "sui.headers",
    "sui.ca_file",
    "sui.package_id",
    "sui.atoma_db_id",
    "sui.max_lag_s",
    "sui.start_checkpoint",
    "gas.margin_percent",
    "gas.budget_ceiling_mist",
    "gas.daily_cap_mist",
    "gas.low_balance_mist",
    "breaker.failures",
    "breaker.pause_s",
];

/// Refuses variables that look like settings but are none. A variable of other software may begin
/// with `ATOMA_` too, so only those with two underscores or a similar name count.
///
/// # Errors
/// [`ConfigError::Variable`] for the first such variable.
pub(super) fn check(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let known: Vec<String> = KEYS
        .iter()
        .map(|key| format!("{ENV_PREFIX}{}", key.to_uppercase().replace('.', "__")))
        .chain(OTHERS.iter().map(|name| (*name).to_owned()))
        .collect();
    for name in names {
        let upper = name.to_uppercase();
        if !upper.starts_with(COMMON_PREFIX) || upper.starts_with(HEADERS) || known.contains(&upper)
        {
            continue;
        }
        // What all of them have in common says nothing about which one was meant.
        let rest = |name: &str| name.strip_prefix(COMMON_PREFIX).map(str::to_owned);
        let rests: Vec<_> = known.iter().filter_map(|name| rest(name)).collect();
        let meant = rest(&upper)
            .and_then(|name| similar(&name, rests.iter().map(String::as_str)).map(str::to_owned));
        let advice = match meant {
            Some(meant) => format!("did you mean {COMMON_PREFIX}{meant}?"),
            None if upper.starts_with(ENV_PREFIX) => {
                format!("the settings are {}", known.join(", "))
            }
            None => continue,
        };
        return Err(ConfigError::Variable { name, advice });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> Option<String> {
        check(std::iter::once(name.to_owned()))
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn a_misspelt_variable_is_refused_with_the_nearest_name() {
        for (name, meant) in [
            ("ATOMA__SUI__RPC_URI", "ATOMA__SUI__RPC_URL"),
            ("ATOMA_SUI_RPC_URL", "ATOMA__SUI__RPC_URL"),
            ("ATOMA__SUI_RPC_URL", "ATOMA__SUI__RPC_URL"),
            ("ATOMA_HTTP_ADDR", "ATOMA__HTTP_ADDR"),
            ("ATOMA_LOGFORMAT", "ATOMA_LOG_FORMAT"),
            ("ATOMA__DATADIR", "ATOMA__DATA_DIR"),
        ] {
            let text = refusal(name).unwrap();
            assert!(
                text.contains(name) && text.ends_with(&format!("{meant}?")),
                "{text}"
            );
        }
        let unlike = refusal("ATOMA__FOO").unwrap();
        assert!(!unlike.contains("did you mean"), "{unlike}");
        assert!(unlike.contains("ATOMA__HTTP_ADDR, "), "{unlike}");
        for name in [
            "ATOMA__HTTP_ADDR",
            "ATOMA_LOG_FORMAT",
            "ATOMA_PROXY_TOKEN",
            "HOME",
            "ATOMA__SUI__HEADERS__X-TOKEN__FILE",
            "atoma__http_addr",
        ] {
            assert_eq!(refusal(name), None);
        }
    }
}
