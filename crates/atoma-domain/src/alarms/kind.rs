//! The kinds of alarms.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How bad it is. Ordered: critical is more than warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a look today.
    Warning,
    /// Money is lost within hours.
    Critical,
}

impl Severity {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Warning, Self::Critical];

    /// Its name in the configuration, the API and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Defines the kinds with their code, severity and patience in seconds.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident, $patience_s:literal;)*) => {
        /// A rule: what can be wrong. Codes are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum AlarmKind {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl AlarmKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its stable code in the database, the API and messages.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),* }
            }

            /// How long the condition must last before it is an alarm.
            pub const fn patience(self) -> Duration {
                match self { $(Self::$name => Duration::from_secs($patience_s)),* }
            }
        }
    };
}

kinds! {
    /// A node of the operator must attest a settlement, and the epoch ends soon.
    AttestationDue = "attestation_due", Critical, 120;
    /// The epoch in which the attestation was safe is over.
    AttestationOverdue = "attestation_overdue", Critical, 0;
    /// A node must attest a settlement, and there is no record to attest from. Reported by the autopilot.
    NothingToAttestWith = "nothing_to_attest_with", Critical, 0;
    /// A stack of a node of the operator is in dispute.
    DisputeAgainstUs = "dispute_against_us", Critical, 0;
    /// The operator's coins hold little.
    GasLow = "gas_low", Critical, 300;
    /// At the last day's rate, gas lasts a few days only.
    GasRunsOut = "gas_runs_out", Warning, 1800;
    /// No Sui node answers.
    SuiNodeDown = "sui_node_down", Critical, 300;
    /// The Sui node's newest checkpoint is old.
    SuiNodeStale = "sui_node_stale", Warning, 300;
    /// One of several Sui nodes is left aside.
    SuiNodeLeftAside = "sui_node_left_aside", Warning, 900;
    /// The mirror is behind the Sui node.
    MirrorLags = "mirror_lags", Warning, 600;
    /// Events that this version can't read were set aside.
    EventsSetAside = "events_set_aside", Warning, 300;
    /// A brake stops new transactions.
    BrakeHeld = "brake_held", Critical, 300;
    /// Other software uses a badge of the operator.
    ForeignUse = "foreign_use", Critical, 0;
    /// A transaction has waited for a long time.
    TransactionsStuck = "transactions_stuck", Warning, 300;
    /// Several transactions in a row failed.
    TransactionsFail = "transactions_fail", Warning, 0;
    /// Claims wait because the contract's treasury can't pay them.
    ClaimsStuck = "claims_stuck", Warning, 3600;
    /// The database can't be read or written.
    DatabaseUnusable = "database_unusable", Critical, 300;
    /// The autopilot is paused. Reported by the autopilot.
    AutopilotPaused = "autopilot_paused", Critical, 0;
    /// The autopilot can't see what is due. Reported by the autopilot.
    AutopilotBlind = "autopilot_blind", Critical, 300;
    /// The books don't add up. Reported by the books.
    BooksDiffer = "books_differ", Critical, 0;
    /// Nothing is wrong: somebody tests the receivers. Never stored.
    Test = "test", Critical, 0;
}

impl AlarmKind {
    /// Whether a condition is told anew at once if it has changed, or was gone for a moment: it is another event then, of which
    /// nobody knows who knows of the first.
    pub const fn is_told_anew(self) -> bool {
        matches!(self, Self::AutopilotPaused | Self::ForeignUse)
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

impl fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
