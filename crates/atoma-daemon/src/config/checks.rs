//! The rules that values must meet.

use std::path::Path;

use atoma_api::{AllowedHosts, InvalidHost};
use atoma_sui::{NodeUrl, begins_with_tilde};

use super::error::Problem;
use super::settings::Config;

impl Config {
    /// Checks the paths as they are written.
    pub(super) fn check_paths(&self) -> Result<(), Problem> {
        let sui = &self.sui;
        let headers = sui.headers.iter();
        let secrets = headers.filter_map(|(name, source)| {
            Some((format!("sui.headers.{name}.file"), source.file.as_ref()?))
        });
        let paths = [
            ("data_dir", Some(&self.data_dir)),
            ("sui.client_config", Some(&sui.client_config)),
            ("sui.ca_file", sui.ca_file.as_ref()),
        ];
        paths
            .into_iter()
            .filter_map(|(key, path)| Some((key.to_owned(), path?)))
            .chain(secrets)
            .try_for_each(|(key, path)| check_path(key, path))
    }

    /// Checks what no type can.
    pub(super) fn check_values(&self) -> Result<(), Problem> {
        let broken = |key: &str, problem: &str| Err(Problem::new(key, problem));
        if !self.http_addr.ip().is_loopback() {
            return broken(
                "http_addr",
                "must be a loopback address, because the API spends money and has no authentication",
            );
        }
        AllowedHosts::new(self.allowed_hosts.iter().cloned()).map_err(|InvalidHost(host)| {
            let problem = format!(
                "contains \"{host}\", but an entry must be a host name or an IP address, with or without a \
                 port, as in `node.example:8080`"
            );
            Problem::new("allowed_hosts", problem)
        })?;
        if !(1..=3600).contains(&self.request_timeout_s) {
            return broken("request_timeout_s", "must be between 1 and 3600");
        }
        if self.recovery_timeout_s > 3600 {
            return broken("recovery_timeout_s", "must be at most 3600");
        }
        if !(1..=1_000_000).contains(&self.queue_limit) {
            return broken("queue_limit", "must be between 1 and 1000000");
        }
        if self.gas.margin_percent > 1000 {
            return broken("gas.margin_percent", "must be at most 1000");
        }
        if self.gas.budget_ceiling_mist == 0 {
            return broken("gas.budget_ceiling_mist", "must be greater than 0");
        }
        if !(1..=86_400).contains(&self.breaker.pause_s) {
            return broken("breaker.pause_s", "must be between 1 and 86400");
        }
        if !(10..=604_800).contains(&self.sui.max_lag_s) {
            return broken("sui.max_lag_s", "must be between 10 and 604800");
        }
        if let Some(url) = &self.sui.rpc_url {
            url.parse::<NodeUrl>()
                .map_err(|error| Problem::new("sui.rpc_url", error.to_string()))?;
        }
        Ok(())
    }
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
