//! The errors that a network reports to its owner.

use std::net::SocketAddr;
use std::path::PathBuf;

use atoma_domain::with_causes;

use crate::actions::ActionError;
use crate::chain::LedgerError;
use crate::core::OpenError;
use crate::server::TlsError;
use crate::state::StateError;

/// The network could not start, or a control call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalNetError {
    /// A port can't be opened.
    #[error("can't listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The control calls must not be reachable from other machines.
    #[error(
        "the admin address {0} is not a loopback address; use 127.0.0.1 (only `atoma-localnet` can listen elsewhere, with \
         --admin-beyond-loopback)"
    )]
    AdminNotLoopback(SocketAddr),
    /// TLS or server reflection can't be set up.
    #[error("the server can't be set up: {0}")]
    Server(String),
    /// The ledger can't be read or written.
    #[error("the ledger failed: {0}")]
    Ledger(String),
    /// The seed is not usable.
    #[error("{0}")]
    Seed(String),
    /// A transaction of the network's own accounts was refused or failed.
    #[error("{0}")]
    Action(String),
    /// A key that was given can't be read.
    #[error("the key is not usable: {0}")]
    Key(String),
    /// The contract's state can't be read.
    #[error("the contract's state can't be read: {0}")]
    State(String),
    /// A file can't be written.
    #[error("can't write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

// The causes become text because their types are private to this crate.
impl From<ActionError> for LocalNetError {
    fn from(error: ActionError) -> Self {
        Self::Action(with_causes(&error))
    }
}

impl From<sui_crypto::SignatureError> for LocalNetError {
    fn from(error: sui_crypto::SignatureError) -> Self {
        Self::Key(with_causes(&error))
    }
}

impl From<LedgerError> for LocalNetError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(with_causes(&error))
    }
}

impl From<OpenError> for LocalNetError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Ledger(error) => error.into(),
            OpenError::Key(_) => Self::Seed(with_causes(&error)),
        }
    }
}

impl From<TlsError> for LocalNetError {
    fn from(error: TlsError) -> Self {
        Self::Server(with_causes(&error))
    }
}

impl From<tonic_reflection::server::Error> for LocalNetError {
    fn from(error: tonic_reflection::server::Error) -> Self {
        Self::Server(with_causes(&error))
    }
}

impl From<StateError> for LocalNetError {
    fn from(error: StateError) -> Self {
        Self::State(with_causes(&error))
    }
}
