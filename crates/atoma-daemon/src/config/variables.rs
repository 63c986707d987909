//! The environment variables that are settings.

use atoma_api::similar;

use super::error::Fault;
use super::keys;
use super::names::{ENV_PREFIX, variable};

/// What the names of all variables of this program begin with.
const COMMON_PREFIX: &str = "ATOMA_";

/// The variables whose names end with the name of a header.
const HEADERS: &str = "ATOMA__SUI__HEADERS__";

/// The variables that are not keys of the configuration.
pub(crate) const OTHER_VARIABLES: &[&str] = &[
    "ATOMA_ALLOW_TOKEN_OVER_HTTP",
    "ATOMA_CA_FILE",
    "ATOMA_CONFIG",
    "ATOMA_IMPORT_FROM",
    "ATOMA_LOG_FORMAT",
    "ATOMA_TOKEN_FILE",
    "ATOMA_URL",
];

/// Refuses variables that look like settings but are none. A variable of other software may begin
/// with `ATOMA_` too, so only those with two underscores or a similar name count.
pub(super) fn check(names: impl Iterator<Item = String>) -> Vec<Fault> {
    let known: Vec<String> = keys::all()
        .iter()
        .map(|key| variable(&key.name))
        .chain(OTHER_VARIABLES.iter().map(|name| (*name).to_owned()))
        .collect();
    names.filter_map(|name| fault(name, &known)).collect()
}

fn fault(name: String, known: &[String]) -> Option<Fault> {
    let upper = name.to_uppercase();
    if !upper.starts_with(COMMON_PREFIX) || upper.starts_with(HEADERS) || known.contains(&upper) {
        return None;
    }
    // What all of them have in common says nothing about which one was meant.
    let rest = |name: &str| name.strip_prefix(COMMON_PREFIX).map(str::to_owned);
    let rests: Vec<_> = known.iter().filter_map(|name| rest(name)).collect();
    let meant = rest(&upper)
        .and_then(|name| similar(&name, rests.iter().map(String::as_str)).map(str::to_owned));
    let advice = match meant {
        Some(meant) => format!("did you mean {COMMON_PREFIX}{meant}?"),
        None if upper.starts_with(ENV_PREFIX) => format!("the settings are {}", known.join(", ")),
        None => return None,
    };
    Some(Fault::Variable { name, advice })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> Option<String> {
        check(std::iter::once(name.to_owned()))
            .first()
            .map(ToString::to_string)
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
