//! Reading the Sui CLI's keys, and signing with them.

mod client_config;
mod error;
mod secret;
mod signer;

pub use client_config::ClientConfig;
pub use error::{KeyError, KeystoreError};
pub use signer::KeystoreSigner;

#[cfg(test)]
mod tests;
