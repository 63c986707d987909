//! The Sui side of the Atoma node daemon.

mod abi;
mod builder;
mod keystore;

pub use keystore::{ClientConfig, KeyError, KeystoreError, KeystoreSigner};
