//! Why work waits.

use std::fmt;

use atoma_domain::journal::Failure;
use atoma_domain::ports::StoreError;
use atoma_domain::{Digest, with_causes};
use tracing::error;

/// Why nothing is done about unfinished work for now. It controls the engine; callers see the
/// [`Failure`] that it converts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WaitReason {
    /// The daemon has not finished starting.
    Starting,
    /// Signing is stopped until the next start.
    Stopped(Failure),
    /// The circuit breaker is open.
    BreakerOpen {
        /// How many transactions failed in a row.
        failures: u32,
        /// After how many seconds the breaker lets one through.
        retry_after_s: u64,
    },
    /// The cap on gas leaves no room while other transactions run.
    SpendCap(Failure),
    /// The Sui node does not answer, or refuses for a reason that passes.
    SuiNode(Failure),
    /// The database does not answer.
    Database {
        /// The error message.
        reason: String,
    },
    /// The signer fails.
    Signer {
        /// The error message.
        reason: String,
    },
    /// The journal can't store what has happened. The next start takes it up.
    Unwritable {
        /// The error message.
        reason: String,
    },
    /// An attempt whose outcome is not in the journal uses the same version of a badge or coin.
    Unresolved {
        /// Its digest; `None` if the attempt can't be read.
        by: Option<Digest>,
    },
    /// The contract's treasury can't pay the claim yet.
    Treasury,
}

impl WaitReason {
    /// The database failed. Callers learn the kind of failure; its causes are logged here.
    pub(super) fn database(cause: &StoreError) -> Self {
        error!(error = with_causes(cause), "the database failed");
        Self::Database {
            reason: cause.to_string(),
        }
    }
}

impl From<WaitReason> for Failure {
    fn from(reason: WaitReason) -> Self {
        match reason {
            WaitReason::Starting => Self::NotReady {
                reasons: vec![String::from("the daemon is starting")],
            },
            WaitReason::BreakerOpen {
                failures,
                retry_after_s,
            } => Self::BreakerOpen {
                failures,
                retry_after_s,
            },
            WaitReason::Stopped(failure)
            | WaitReason::SpendCap(failure)
            | WaitReason::SuiNode(failure) => failure,
            WaitReason::Database { reason } | WaitReason::Unwritable { reason } => {
                Self::Internal { reason }
            }
            WaitReason::Signer { reason } => Self::Internal {
                reason: format!("can't sign: {reason}"),
            },
            WaitReason::Unresolved { by } => Self::SuiNodeError {
                reason: match by {
                    Some(by) => format!(
                        "transaction {by}, whose outcome is still unknown, uses the same version of a badge or coin"
                    ),
                    None => String::from(
                        "a transaction that can't be read from the journal may use the same version of a badge or coin",
                    ),
                },
            },
            WaitReason::Treasury => Self::TreasuryShort {},
        }
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Failure::from(self.clone()).fmt(f)
    }
}
