//! The secrets and certificates that a Sui node requires.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use atoma_sui::{Access, NodeUrl, RequestHeader, RequestLimit, read_small_file};
use tracing::warn;

use super::error::{ConfigError, Problem};
use super::secret::SecretSource;
use super::settings::Config;

impl Config {
    /// Reads the headers' values and the certificates that the configuration names, and the file that
    /// `SSL_CERT_FILE` names. `variable` reads the environment.
    ///
    /// # Errors
    /// When files or variables can't be read, or when their contents can't be used. The message names
    /// the key and the file or variable of each, but no contents.
    pub fn node_access(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Access, ConfigError> {
        let nodes = self.access_of_nodes(variable)?;
        Ok(nodes.into_iter().next().unwrap_or_default())
    }

    /// The same for each node, in order: that of `sui.rpc_url`, and those of `sui.nodes`.
    ///
    /// # Errors
    /// See [`Self::node_access`].
    pub fn access_of_nodes(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Vec<Access>, ConfigError> {
        let mut authorities = Access::default();
        let mut problems = Vec::new();
        let named = variable(SSL_CERT_FILE).filter(|file| !file.is_empty());
        for (key, file, roots) in [
            (
                "sui.ca_file",
                self.sui.ca_file.as_deref(),
                &mut authorities.further_roots,
            ),
            (
                SSL_CERT_FILE,
                named.as_ref().map(Path::new),
                &mut authorities.roots,
            ),
        ] {
            match file.map(|file| certificates(key, file)).transpose() {
                Ok(pem) => *roots = pem,
                Err(problem) => problems.push(problem),
            }
        }
        let mut nodes = Vec::new();
        for (key, headers) in self.headers_of_nodes() {
            let mut access = authorities.clone();
            for (name, source) in headers {
                let value = source.read(&variable);
                let header = value.and_then(|value| {
                    RequestHeader::new(name, &value).map_err(|error| error.to_string())
                });
                match header {
                    Ok(header) => access.headers.push(header),
                    Err(text) => problems.push(Problem::new(format!("{key}.{name}"), text)),
                }
            }
            nodes.push(access);
        }
        if problems.is_empty() {
            return Ok(nodes);
        }
        let faults: Vec<_> = problems
            .into_iter()
            .map(|problem| self.fault(problem))
            .collect();
        Err(faults.into())
    }

    /// The URLs of the nodes, in order; `in_client` is the one of the client configuration.
    pub(crate) fn urls_of_nodes(&self, in_client: Option<String>) -> Vec<String> {
        let first = match self.sui.nodes.is_empty() {
            true => self.sui.rpc_url.clone().or(in_client),
            false => self.sui.rpc_url.clone(),
        };
        let nodes = self.sui.nodes.iter().map(|node| node.url.clone());
        first.into_iter().chain(nodes).collect()
    }

    /// The limit on requests to each node, in order.
    pub(crate) fn limits_of_nodes(&self) -> Vec<Option<RequestLimit>> {
        let has_first = self.sui.rpc_url.is_some() || self.sui.nodes.is_empty();
        let first = has_first.then_some(self.sui.requests_per_30_s);
        let nodes = self.sui.nodes.iter().map(|node| node.requests_per_30_s);
        let all = first.into_iter().chain(nodes);
        all.map(RequestLimit::in_30_s).collect()
    }

    /// The headers of each node, in order, each with how messages name it.
    fn headers_of_nodes(&self) -> Vec<(String, &BTreeMap<String, SecretSource>)> {
        let has_first = self.sui.rpc_url.is_some() || self.sui.nodes.is_empty();
        let first = has_first.then(|| ("sui.headers".to_owned(), &self.sui.headers));
        let nodes = self.sui.nodes.iter().enumerate();
        let nodes =
            nodes.map(|(place, node)| (format!("sui.nodes.{place}.headers"), &node.headers));
        first.into_iter().chain(nodes).collect()
    }

    /// The headers whose values others on the way to their node can read: how messages name each of them, and
    /// its name.
    pub(super) fn exposed_headers(&self, urls: &[String]) -> Vec<(String, &String)> {
        let mut exposed = Vec::new();
        for (url, (key, headers)) in urls.iter().zip(self.headers_of_nodes()) {
            if url.parse::<NodeUrl>().is_ok_and(|url| url.is_exposed()) {
                let names = headers.keys();
                exposed.extend(names.map(|name| (format!("{key}.{name}"), name)));
            }
        }
        exposed
    }

    /// Warns about each header whose value others on the way to its node can read.
    pub(crate) fn warn_of_exposed_headers(&self, urls: &[String]) {
        for (key, header) in self.exposed_headers(urls) {
            warn!(key, header, "{EXPOSED}");
        }
    }
}

/// The warning about a header's value that others can read.
pub(super) const EXPOSED: &str = "the header's value is sent unencrypted, since the Sui node's URL begins with http://; use https://";

/// The variable that names a file with the authorities to trust in place of the usual ones, as in
/// OpenSSL.
pub(super) const SSL_CERT_FILE: &str = "SSL_CERT_FILE";

/// Reads a file with certificates in PEM.
pub(super) fn certificates(key: &str, file: &Path) -> Result<Vec<u8>, Problem> {
    let about =
        |problem: String| Problem::new(key, format!("names {}, which {problem}", file.display()));
    let pem = read_small_file(file).map_err(|error| about(format!("can't be read: {error}")))?;
    Access::check_certificates(&pem).map_err(|error| about(error.to_string()))?;
    Ok(pem.to_vec())
}
