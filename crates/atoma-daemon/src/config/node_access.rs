//! The secrets and certificates that a Sui node requires.

use std::ffi::OsString;
use std::path::Path;

use atoma_sui::{Access, NodeUrl, RequestHeader, read_small_file};
use tracing::warn;

use super::error::{ConfigError, Problem};
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
        let mut access = Access::default();
        let mut problems = Vec::new();
        for (name, source) in &self.sui.headers {
            let value = source.read(&variable);
            let header = value.and_then(|value| {
                RequestHeader::new(name, &value).map_err(|error| error.to_string())
            });
            match header {
                Ok(header) => access.headers.push(header),
                Err(text) => problems.push(Problem::new(format!("sui.headers.{name}"), text)),
            }
        }
        let named = variable(SSL_CERT_FILE).filter(|file| !file.is_empty());
        for (key, file, roots) in [
            (
                "sui.ca_file",
                self.sui.ca_file.as_deref(),
                &mut access.further_roots,
            ),
            (
                SSL_CERT_FILE,
                named.as_ref().map(Path::new),
                &mut access.roots,
            ),
        ] {
            match file.map(|file| certificates(key, file)).transpose() {
                Ok(pem) => *roots = pem,
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            return Ok(access);
        }
        let faults: Vec<_> = problems
            .into_iter()
            .map(|problem| self.fault(problem))
            .collect();
        Err(faults.into())
    }

    /// The headers whose values others on the way to this node can read.
    pub(super) fn exposed_headers(&self, rpc_url: &str) -> Vec<&String> {
        let is_exposed = rpc_url.parse::<NodeUrl>().is_ok_and(|url| url.is_exposed());
        let headers = self.sui.headers.keys();
        headers.filter(|_| is_exposed).collect()
    }

    /// Warns about each header whose value others on the way to this node can read.
    pub(crate) fn warn_of_exposed_headers(&self, rpc_url: &str) {
        for header in self.exposed_headers(rpc_url) {
            let key = format!("sui.headers.{header}");
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
