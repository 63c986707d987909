//! The secrets and certificates that a Sui node requires.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use atoma_sui::{Access, NodeUrl, RequestHeader, without_byte_order_mark};
use tracing::warn;
use zeroize::Zeroizing;

use super::error::{ConfigError, Problem};
use super::settings::{Config, SecretSource};

impl Config {
    /// Reads the headers' values and the certificates that the configuration names, and the file that
    /// `SSL_CERT_FILE` names. `variable` reads the environment.
    ///
    /// # Errors
    /// When a file or variable can't be read, or when its contents can't be used. The message names
    /// the key and the file or variable, but no contents.
    pub fn access(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Access, ConfigError> {
        let read = || {
            let mut access = Access::default();
            for (name, source) in &self.sui.headers {
                let key = format!("sui.headers.{name}");
                let value = source
                    .read(&variable)
                    .map_err(|text| Problem::new(&key, text))?;
                let header = RequestHeader::new(name, &value);
                let header = header.map_err(|error| Problem::new(&key, error.to_string()))?;
                access.headers.push(header);
            }
            if let Some(file) = &self.sui.ca_file {
                access.further_roots = Some(certificates("sui.ca_file", file)?);
            }
            if let Some(file) = variable(SSL_CERT_FILE).filter(|file| !file.is_empty()) {
                access.roots = Some(certificates(SSL_CERT_FILE, Path::new(&file))?);
            }
            Ok(access)
        };
        read().map_err(|Problem { key, problem }| ConfigError::Key {
            place: match key.as_str() {
                SSL_CERT_FILE => "environment".to_owned(),
                _ => self.file.display().to_string(),
            },
            key,
            problem,
        })
    }

    /// Warns about each header whose value others on the way to this node can read.
    pub(crate) fn warn_of_exposed_headers(&self, rpc_url: &str) {
        if !rpc_url.parse::<NodeUrl>().is_ok_and(|url| url.is_exposed()) {
            return;
        }
        for header in self.sui.headers.keys() {
            let key = format!("sui.headers.{header}");
            warn!(
                key,
                header,
                "the header's value is sent unencrypted, since the Sui node's URL begins with http://; use https://"
            );
        }
    }
}

/// The variable that names a file with the authorities to trust in place of the usual ones, as in
/// OpenSSL.
const SSL_CERT_FILE: &str = "SSL_CERT_FILE";

fn certificates(key: &str, file: &Path) -> Result<Vec<u8>, Problem> {
    let about =
        |problem: String| Problem::new(key, format!("names {}, which {problem}", file.display()));
    let pem = fs::read(file).map_err(|error| about(format!("can't be read: {error}")))?;
    Access::check_certificates(&pem).map_err(|error| about(error.to_string()))?;
    Ok(pem)
}

impl SecretSource {
    fn read(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Zeroizing<String>, String> {
        let text = match (&self.file, &self.env) {
            (Some(file), None) => {
                let bytes = fs::read(file).map_err(|error| {
                    format!("names {}, which can't be read: {error}", file.display())
                })?;
                let bytes = Zeroizing::new(bytes);
                let text = std::str::from_utf8(&bytes).map(without_byte_order_mark);
                text.map(|text| Zeroizing::new(text.trim().to_owned()))
                    .map_err(|_| format!("names {}, which is not a text file", file.display()))?
            }
            (None, Some(name)) => {
                let value = variable(name).ok_or_else(|| {
                    format!("names the environment variable {name}, which is not set")
                })?;
                let value = value.into_string().map(Zeroizing::new);
                let value = value.map_err(|_| {
                    format!("names the environment variable {name}, which is not a text")
                })?;
                Zeroizing::new(value.trim().to_owned())
            }
            _ => return Err("must have either `file` or `env`".to_owned()),
        };
        Ok(text)
    }
}
