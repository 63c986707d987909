//! The Sui CLI's `client.yaml`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use sui_crypto::simple::SimpleKeypair;
use sui_sdk_types::Address;
use zeroize::Zeroizing;

use super::error::KeystoreError;
use super::secret;
use super::signer::KeystoreSigner;
use crate::node::NodeUrl;
use crate::small_file::read_small_file;
use crate::written::{begins_with_tilde, without_byte_order_mark};

/// The Sui CLI's client configuration: node, active address and keystore.
#[derive(Clone)]
pub struct ClientConfig {
    path: PathBuf,
    keystore: PathBuf,
    active_address: Option<Address>,
    /// The active one.
    environment: Option<EnvironmentYaml>,
}

#[derive(Deserialize)]
struct ClientYaml {
    keystore: Option<KeystoreYaml>,
    #[serde(default)]
    envs: Vec<EnvironmentYaml>,
    active_env: Option<String>,
    active_address: Option<Address>,
}

/// `keystore:` with `File: path` below it.
#[derive(Deserialize)]
struct KeystoreYaml {
    #[serde(rename = "File")]
    file: Option<PathBuf>,
}

#[derive(Clone, Deserialize)]
struct EnvironmentYaml {
    alias: String,
    rpc: String,
    basic_auth: Option<String>,
}

impl ClientConfig {
    /// Reads a `client.yaml`, but no keys yet. The keystore's path is relative to the file's
    /// folder.
    ///
    /// # Errors
    /// When the file can't be read, is not a client configuration, names no keystore file, or
    /// names an active environment that it doesn't define.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, KeystoreError> {
        let path = path.as_ref().to_owned();
        let bytes = read(&path)?;
        let text = text(&path, &bytes)?;
        let yaml: ClientYaml = yaml_serde::from_str(text).map_err(|error| KeystoreError::Yaml {
            path: path.clone(),
            source: error.into(),
        })?;
        let file = yaml.keystore.and_then(|keystore| keystore.file);
        let file = file.ok_or_else(|| KeystoreError::Missing {
            path: path.clone(),
            what: "keystore file",
        })?;
        if begins_with_tilde(&file) {
            return Err(KeystoreError::Home { path });
        }
        let environment = match yaml.active_env {
            None => None,
            Some(alias) => Some(
                yaml.envs
                    .into_iter()
                    .find(|env| env.alias == alias)
                    .ok_or_else(|| KeystoreError::NoEnvironment {
                        path: path.clone(),
                        alias,
                    })?,
            ),
        };
        let keystore = path
            .parent()
            .map_or_else(|| file.clone(), |folder| folder.join(&file));
        Ok(Self {
            path,
            keystore,
            active_address: yaml.active_address,
            environment,
        })
    }

    /// The RPC URL of the active environment.
    ///
    /// # Errors
    /// When no environment is active, or when its URL can't be that of a Sui node or
    /// has `basic_auth`.
    pub fn rpc_url(&self) -> Result<&str, KeystoreError> {
        let environment = self.environment.as_ref();
        let environment = environment.ok_or_else(|| self.missing("active environment"))?;
        if environment.basic_auth.is_some() {
            return Err(KeystoreError::BasicAuth {
                path: self.path.clone(),
                alias: environment.alias.clone(),
            });
        }
        match environment.rpc.parse::<NodeUrl>() {
            Ok(_) => Ok(&environment.rpc),
            Err(source) => Err(KeystoreError::Url {
                path: self.path.clone(),
                alias: environment.alias.clone(),
                source,
            }),
        }
    }

    /// The active address.
    ///
    /// # Errors
    /// When none is active.
    pub fn active_address(&self) -> Result<Address, KeystoreError> {
        self.active_address
            .ok_or_else(|| self.missing("active address"))
    }

    /// The path of the keystore file.
    pub fn keystore_path(&self) -> &Path {
        &self.keystore
    }

    /// Loads the active address's key.
    ///
    /// # Errors
    /// When no address is active, or the keystore can't be read or has no key for it.
    pub fn signer(&self) -> Result<KeystoreSigner, KeystoreError> {
        self.signer_of(self.active_address()?)
    }

    /// Checks that [`signer`](Self::signer) would load a key, without its warning.
    ///
    /// # Errors
    /// Those of [`signer`](Self::signer).
    pub fn check_signer(&self) -> Result<(), KeystoreError> {
        self.find(self.active_address()?).map(drop)
    }

    /// Loads an address's key. Warns about a keystore that every user of the machine can access.
    ///
    /// # Errors
    /// When the keystore can't be read, has an invalid entry, or has no key for the address.
    pub fn signer_of(&self, address: Address) -> Result<KeystoreSigner, KeystoreError> {
        warn_if_readable_by_others(&self.keystore);
        self.find(address)
    }

    fn find(&self, address: Address) -> Result<KeystoreSigner, KeystoreError> {
        let keys = self.keys()?;
        let entries = keys.len();
        keys.into_iter()
            .map(KeystoreSigner::from_key_pair)
            .find(|signer| signer.owner() == address)
            .ok_or_else(|| KeystoreError::NoKey {
                path: self.keystore.clone(),
                address,
                entries,
            })
    }

    fn keys(&self) -> Result<Vec<SimpleKeypair>, KeystoreError> {
        let bytes = read(&self.keystore)?;
        // The library's message could quote a key, so report only the position.
        let entries: Vec<Entry> =
            serde_json::from_str(text(&self.keystore, &bytes)?).map_err(|error| {
                KeystoreError::List {
                    path: self.keystore.clone(),
                    line: error.line(),
                    column: error.column(),
                }
            })?;
        entries
            .iter()
            .enumerate()
            .map(|(index, Entry(entry))| {
                secret::read_entry(entry).map_err(|source| KeystoreError::Entry {
                    path: self.keystore.clone(),
                    index,
                    source,
                })
            })
            .collect()
    }

    fn missing(&self, what: &'static str) -> KeystoreError {
        KeystoreError::Missing {
            path: self.path.clone(),
            what,
        }
    }
}

/// Omits the node's address, which can contain a provider's access token.
impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("path", &self.path)
            .field("keystore", &self.keystore)
            .field("active_address", &self.active_address)
            .finish_non_exhaustive()
    }
}

/// A key of the keystore as it is written. Wiped when dropped, also when a later one is invalid.
struct Entry(Zeroizing<String>);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    read_small_file(path).map_err(|source| KeystoreError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The text of a file.
fn text<'b>(path: &Path, bytes: &'b [u8]) -> Result<&'b str, KeystoreError> {
    let text = std::str::from_utf8(bytes).map_err(|_| KeystoreError::NotText {
        path: path.to_owned(),
    })?;
    Ok(without_byte_order_mark(text))
}

/// Access for the owner's group can be on purpose: a service's user reads a file of root so.
#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    if let Ok(metadata) = fs::metadata(path)
        && metadata.permissions().mode() & 0o007 != 0
    {
        tracing::warn!(
            path = %path.display(),
            mode = format_args!("{:o}", metadata.permissions().mode() & 0o777),
            "every user of this machine can access the keystore: run `chmod o-rwx` on it"
        );
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_path: &Path) {}
