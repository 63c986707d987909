//! Who may use the API, and over which connections.

use std::ffi::OsString;
use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use anyhow::Context as _;
use atoma_api::{ApiAccess, ApiScope, ApiTls, ApiToken, RateLimits};
use atoma_sui::read_small_file;

use super::error::{ConfigError, Problem};
use super::settings::{Config, Scope};

/// The shortest token, in bytes. Shorter ones can be guessed.
pub(super) const TOKEN_MIN: usize = 16;

/// Who may use the API, over which connections and how often: the settings `tokens`, `open_reads`, `tls`,
/// `behind_proxy` and `rate_limits`, with the tokens' values.
#[derive(Clone, Debug)]
pub struct Access {
    /// The tokens. Their names differ, and so do their values.
    pub tokens: Vec<Token>,
    /// Whether reads need no token.
    pub open_reads: bool,
    /// The certificate and its key, if the daemon itself encrypts connections.
    pub tls: Option<TlsFiles>,
    /// Whether a proxy in front of the daemon encrypts them.
    pub behind_proxy: bool,
    /// How many requests callers may send.
    pub rate_limits: RateLimits,
}

/// A token with its value, which is wiped when dropped. `Debug` omits it.
#[derive(Clone)]
pub struct Token {
    /// What logs call it.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    value: Zeroizing<String>,
}

/// The files of the API's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those of authorities, in PEM.
    pub cert_file: PathBuf,
    /// The private key, in PEM.
    pub key_file: PathBuf,
}

impl TlsFiles {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// When they can't be read or used together. The message names both files.
    pub(super) fn read(&self) -> anyhow::Result<ApiTls> {
        let file = |key: &str, path: &Path| {
            read_small_file(path).with_context(|| {
                format!("`tls.{key}` names {}, which can't be read", path.display())
            })
        };
        let chain = file("cert_file", &self.cert_file)?;
        let key = file("key_file", &self.key_file)?;
        ApiTls::from_pem(&chain, &key).with_context(|| {
            format!(
                "can't encrypt connections with `tls.cert_file` {} and `tls.key_file` {}",
                self.cert_file.display(),
                self.key_file.display()
            )
        })
    }
}

impl Token {
    /// The secret that a client sends. At least 16 bytes of printable ASCII without spaces.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// The same for the API, which keeps no values. Reads the certificate.
    ///
    /// # Errors
    /// When the certificate or its key can't be used.
    pub(crate) fn for_api(&self) -> anyhow::Result<ApiAccess> {
        let tokens = self.tokens.iter().map(|token| {
            let scope = match token.scope {
                Scope::Read => ApiScope::Read,
                Scope::Operate => ApiScope::Operate,
            };
            ApiToken::new(&token.name, scope, token.value())
        });
        Ok(ApiAccess {
            tokens: tokens.collect(),
            open_reads: self.open_reads,
            tls: self.tls.as_ref().map(TlsFiles::read).transpose()?,
            behind_proxy: self.behind_proxy,
            rate_limits: self.rate_limits,
        })
    }
}

impl Config {
    /// The files of the API's certificate.
    pub(super) fn tls_files(&self) -> Option<TlsFiles> {
        let files = self.tls.cert_file.clone().zip(self.tls.key_file.clone());
        files.map(|(cert_file, key_file)| TlsFiles {
            cert_file,
            key_file,
        })
    }

    /// Reads the tokens' values. Call it again to take up changed files. `variable` reads the
    /// environment.
    ///
    /// # Errors
    /// When a token can't be read, is too short, has characters that can't be sent, or equals another.
    /// The message names the token but never contains its value.
    pub fn access(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Access, ConfigError> {
        let mut tokens: Vec<Token> = Vec::new();
        let mut faults = Vec::new();
        for token in &self.tokens {
            let read = token.source().read(&variable).and_then(|value| {
                check_value(&value)?;
                match tokens.iter().find(|other| other.value == value) {
                    Some(other) => Err(format!("has the same value as the token `{}`", other.name)),
                    None => Ok(value),
                }
            });
            match read {
                Ok(value) => tokens.push(Token {
                    name: token.name.clone(),
                    scope: token.scope,
                    value,
                }),
                Err(problem) => {
                    let problem = format!("has the token `{}`, which {problem}", token.name);
                    faults.push(self.fault(Problem::new("tokens", problem)));
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults.into());
        }
        Ok(Access {
            tokens,
            open_reads: self.open_reads,
            tls: self.tls_files(),
            behind_proxy: self.behind_proxy,
            rate_limits: RateLimits {
                reads_per_minute: NonZeroU32::new(self.rate_limits.reads_per_minute),
                writes_per_minute: NonZeroU32::new(self.rate_limits.writes_per_minute),
                failures_per_minute: NonZeroU32::new(self.rate_limits.failures_per_minute),
            },
        })
    }
}

fn check_value(value: &str) -> Result<(), String> {
    if value.len() < TOKEN_MIN {
        return Err(format!(
            "has {} characters; use at least {TOKEN_MIN}, better 32 random bytes in base64",
            value.len()
        ));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(String::from(
            "contains a space or a character that HTTP headers can't carry; use letters and digits",
        ));
    }
    Ok(())
}
