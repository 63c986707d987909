//! What can be wrong with a client configuration, a keystore or a key.

use std::path::PathBuf;

use sui_sdk_types::Address;
use thiserror::Error;

use atoma_domain::ports::BoxedError;

/// Keys could not be had. Messages name file and entry, never contents.
#[derive(Debug, Error)]
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
    /// The file is no client configuration of the Sui CLI.
    #[error("{} is no Sui client configuration", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// The configuration lacks something.
    #[error("{} names no {what}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        what: &'static str,
    },
    /// `active_env` is not among the `envs`.
    #[error("{} has no environment `{alias}`, which it names as the active one", path.display())]
    NoEnvironment {
        /// The file.
        path: PathBuf,
        /// The active environment's name.
        alias: String,
    },
    /// The keystore is not a JSON array of strings.
    #[error("{} is not a list of keys: error in line {line}, column {column}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
    },
    /// An entry of the keystore is no private key.
    #[error("entry {index} of {} is no private key", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// Which entry, from 0.
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
        /// The address wanted.
        address: Address,
        /// How many keys there are.
        entries: usize,
    },
    /// A text is no private key.
    #[error("the text is no private key")]
    Key(#[from] KeyError),
}

/// What is wrong with an encoded private key, without any of its contents.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// Neither base64 nor `suiprivkey…`.
    #[error("it is neither base64 nor a suiprivkey string")]
    Encoding,
    /// Not a scheme flag and 32 bytes.
    #[error("it has {0} bytes, not a scheme flag and 32 bytes")]
    Length(usize),
    /// A scheme that has no simple private key.
    #[error("its scheme flag {0} is none of ed25519 (0), secp256k1 (1) and secp256r1 (2)")]
    Scheme(u8),
    /// The number is no scalar of the curve.
    #[error("its number is outside the curve's range")]
    Range,
}
