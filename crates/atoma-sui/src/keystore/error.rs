//! Errors in a client configuration, a keystore or a key.

use std::path::PathBuf;

use sui_sdk_types::Address;
use thiserror::Error;

use atoma_domain::ports::BoxedError;

use crate::node::InvalidUrl;

/// A key could not be loaded. Messages name the file and the entry, never their contents.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// The file can't be read.
    #[error("{} can't be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not UTF-8.
    #[error("{} is not a text file in UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The path of the keystore begins with `~`, which only a shell replaces.
    #[error("{}: the keystore's path must not begin with `~`; write the whole path", path.display())]
    Home {
        /// The client configuration.
        path: PathBuf,
    },
    /// The active environment has `basic_auth`, which would be dropped.
    #[error(
        "{}: the environment `{alias}` has `basic_auth`, which is not supported; send an \
         `authorization` header instead, see `sui.headers`",
        path.display()
    )]
    BasicAuth {
        /// The client configuration.
        path: PathBuf,
        /// The environment.
        alias: String,
    },
    /// The URL of the active environment can't be used.
    #[error("{}: `rpc` of the environment `{alias}` {source}", path.display())]
    Url {
        /// The client configuration.
        path: PathBuf,
        /// The environment.
        alias: String,
        /// Why, as the end of a sentence.
        source: InvalidUrl,
    },
    /// The file is not a client configuration of the Sui CLI.
    #[error("{} is not a Sui client configuration", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// A setting is missing from the configuration.
    #[error("{} names no {what}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The missing setting.
        what: &'static str,
    },
    /// `active_env` is not defined in `envs`.
    #[error("{} sets `{alias}` as active_env but does not define it in envs", path.display())]
    NoEnvironment {
        /// The file.
        path: PathBuf,
        /// The value of `active_env`.
        alias: String,
    },
    /// The keystore is not a JSON array of strings.
    #[error("{} is not a list of keys: error in line {line}, column {column}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error, from 1.
        column: usize,
    },
    /// An entry of the keystore is not a private key.
    #[error("entry {index} of {} is not a private key", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry's position, from 0.
        index: usize,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// The keystore has no key for the address.
    #[error("{} has no key for {address} among its {entries} entries", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// The address.
        address: Address,
        /// The number of keys in the keystore.
        entries: usize,
    },
    /// The text is not a private key.
    #[error("the text is not a private key")]
    Key(#[from] KeyError),
}

/// Why an encoded private key is invalid. Never contains any of its contents.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Neither base64 nor `suiprivkey…`.
    #[error("it is neither base64 nor a suiprivkey string")]
    Encoding,
    /// Not a scheme flag and 32 bytes.
    #[error("it has {0} bytes, not a scheme flag and 32 bytes")]
    Length(usize),
    /// A signature scheme that is not supported.
    #[error("its scheme flag {0} is not ed25519 (0), secp256k1 (1) or secp256r1 (2)")]
    Scheme(u8),
    /// The number is not a valid scalar of the curve.
    #[error("its value is outside the curve's range")]
    Range,
}
