//! Reading the Sui CLI's keys, and signing with them.

mod client_config;
mod error;
mod personal_message;
mod secret;
mod signer;

pub use client_config::ClientConfig;
pub use error::{KeyError, KeystoreError};
pub use personal_message::{
    MAX_PERSONAL_MESSAGE_BYTES, PersonalMessageError, verify_personal_message,
};
pub use signer::KeystoreSigner;

#[cfg(test)]
mod tests;
