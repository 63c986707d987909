//! The rules that values must meet and that no type and no range expresses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use atoma_api::{AllowedHosts, InvalidHost, RESERVED_NAMES, Unprotected};
use atoma_sui::{NodeUrl, begins_with_tilde};

use super::error::Problem;
use super::secret::SecretSource;
use super::settings::{Settings, SuiConfig, TokenConfig};

/// Sui nodes in the list at most. Each of them is looked at all the time.
const NODES_MAX: usize = 8;

/// The lowest limit on requests in 30 seconds with which the daemon can work: it reads the epoch every two seconds and
/// looks at each of several nodes every 15.
const REQUESTS_MIN: u32 = 40;
const TOO_LOW: &str = "must be at least 40, or 0 for no limit";

/// The longest name of a token, which goes to logs.
const TOKEN_NAME_MAX: usize = 64;

impl Settings {
    /// All rules that the settings break, as they are written.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<_> = self
            .paths()
            .into_iter()
            .filter_map(|(key, path)| check_path(key, path).err())
            .collect();
        let mut broken = |key: &str, problem: String| problems.push(Problem::new(key, problem));
        if let Err(lack) = Unprotected::at(
            self.http_addr,
            !self.tokens.is_empty(),
            self.tls.cert_file.is_some(),
            self.behind_proxy,
        ) {
            broken(lack.key(), lack.rule().to_owned());
        }
        if let Err(InvalidHost(host)) = AllowedHosts::new(self.allowed_hosts.iter().cloned()) {
            broken(
                "allowed_hosts",
                format!(
                    "contains \"{host}\", but an entry must be a host name or an IP address, with or without a \
                     port, as in `node.example:8080`"
                ),
            );
        }
        if let Some(Err(error)) = self.sui.rpc_url.as_ref().map(|url| url.parse::<NodeUrl>()) {
            broken("sui.rpc_url", error.to_string());
        }
        for (name, source) in &self.sui.headers {
            if let Some(problem) = source.problem() {
                broken(&format!("sui.headers.{name}"), problem.to_owned());
            }
        }
        if is_too_low(self.sui.requests_per_30_s) {
            broken("sui.requests_per_30_s", TOO_LOW.to_owned());
        }
        for problem in node_problems(&self.sui) {
            broken("sui.nodes", problem);
        }
        let pause_file = self.autopilot.pause_file.as_ref();
        if pause_file.is_some_and(|file| file.file_name().is_none()) {
            broken("autopilot.pause_file", "must name a file".to_owned());
        }
        for problem in self.autopilot.problems() {
            broken("autopilot.tasks", problem);
        }
        match (&self.tls.cert_file, &self.tls.key_file) {
            (Some(_), None) => broken("tls.cert_file", "needs `tls.key_file` too".to_owned()),
            (None, Some(_)) => broken("tls.key_file", "needs `tls.cert_file` too".to_owned()),
            _ => {}
        }
        for problem in self.alarms.problems() {
            broken("alarms.receivers", problem);
        }
        let tokens = token_problems(&self.tokens).into_iter();
        problems.extend(tokens.map(|problem| Problem::new("tokens", problem)));
        problems
    }

    /// All paths, by their keys.
    fn paths(&self) -> Vec<(String, &PathBuf)> {
        let sui = &self.sui;
        let headers = sui.headers.iter().filter_map(|(name, source)| {
            Some((format!("sui.headers.{name}.file"), source.file.as_ref()?))
        });
        let nodes = sui.nodes.iter().flat_map(|node| node.headers.values());
        let of_nodes = nodes.filter_map(|source| source.file.as_ref());
        let tokens = self.tokens.iter().filter_map(|token| token.file.as_ref());
        let receivers = self.alarms.sources();
        let receivers = receivers.filter_map(|(_, source)| source.file.as_ref());
        let paths = [
            ("data_dir", Some(&self.data_dir)),
            ("sui.client_config", Some(&sui.client_config)),
            ("sui.ca_file", sui.ca_file.as_ref()),
            ("autopilot.pause_file", self.autopilot.pause_file.as_ref()),
            ("tls.cert_file", self.tls.cert_file.as_ref()),
            ("tls.key_file", self.tls.key_file.as_ref()),
        ];
        paths
            .into_iter()
            .filter_map(|(key, path)| Some((key.to_owned(), path?)))
            .chain(headers)
            .chain(of_nodes.map(|path| ("sui.nodes".to_owned(), path)))
            .chain(tokens.map(|path| ("tokens".to_owned(), path)))
            .chain(receivers.map(|path| ("alarms.receivers".to_owned(), path)))
            .collect()
    }
}

const fn is_too_low(requests_per_30_s: u32) -> bool {
    requests_per_30_s != 0 && requests_per_30_s < REQUESTS_MIN
}

fn node_problems(sui: &SuiConfig) -> Vec<String> {
    let mut problems = Vec::new();
    if sui.nodes.is_empty() {
        return problems;
    }
    if sui.rpc_url.is_none() && !sui.headers.is_empty() {
        problems.push(
            "is set without `sui.rpc_url`, so `sui.headers` is for no node; give each node its own `headers`"
                .to_owned(),
        );
    }
    if sui.nodes.len() > NODES_MAX {
        problems.push(format!("has more than {NODES_MAX} nodes"));
    }
    let mut urls: BTreeSet<_> = sui.rpc_url.iter().collect();
    for (place, node) in sui.nodes.iter().enumerate() {
        let number = place + 1;
        if let Err(error) = node.url.parse::<NodeUrl>() {
            problems.push(format!("has the node number {number}, whose `url` {error}"));
        }
        if !urls.insert(&node.url) {
            problems.push(format!(
                "has the node number {number}, which is there already; remove one of the two"
            ));
        }
        if is_too_low(node.requests_per_30_s) {
            problems.push(format!(
                "has the node number {number}, whose `requests_per_30_s` {TOO_LOW}"
            ));
        }
        for (name, source) in &node.headers {
            if let Some(problem) = source.problem() {
                problems.push(format!(
                    "has the node number {number}, whose header `{name}` {problem}"
                ));
            }
        }
    }
    problems
}

fn token_problems(tokens: &[TokenConfig]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for token in tokens {
        let name = &token.name;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > TOKEN_NAME_MAX || !name.chars().all(is_plain) {
            // Not repeated: somebody may have put the token itself there.
            problems.push(format!(
                "has a `name` that is not 1 to {TOKEN_NAME_MAX} letters, digits, `-`, `_` or `.`"
            ));
            continue;
        }
        if RESERVED_NAMES.contains(&name.as_str()) {
            problems.push(format!(
                "has a token named `{name}`, which is what logs call callers without a token; give it another name"
            ));
        }
        if !names.insert(name) {
            problems.push(format!(
                "has two tokens named `{name}`; give each its own name"
            ));
        }
        if let Some(problem) = token.source().problem() {
            problems.push(format!("has the token `{name}`, which {problem}"));
        }
    }
    problems
}

impl SecretSource {
    /// What is wrong with how the place is written, as the end of a sentence.
    pub(super) fn problem(&self) -> Option<&'static str> {
        match (&self.file, &self.env) {
            (Some(_), None) => None,
            (None, Some(name)) if is_variable_name(name) => None,
            // Not repeated: somebody may have put the value itself there.
            (None, Some(_)) => Some(
                "must have the name of an environment variable in `env`: letters, digits and `_`, not the value",
            ),
            _ => Some("must have either `file` or `env`"),
        }
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

pub(super) fn check_path(key: String, path: &Path) -> Result<(), Problem> {
    if begins_with_tilde(path) {
        return Err(Problem::new(
            key,
            "must not begin with `~`; write the whole path",
        ));
    }
    Ok(())
}
