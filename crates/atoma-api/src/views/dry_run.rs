//! The fields that mark the response of a dry run.

use atoma_domain::Mist;
use serde::Serialize;

/// The fields that a dry run adds to a response.
#[derive(Debug, Serialize)]
pub(super) struct DryRun {
    dry_run: bool,
    /// In MIST, before any margin; `None` where each result has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_gas: Option<Mist>,
}

impl DryRun {
    /// The mark alone.
    pub(super) const fn mark() -> Self {
        Self {
            dry_run: true,
            estimated_gas: None,
        }
    }

    /// The mark and the gas of the one transaction.
    pub(super) const fn with_gas(estimated_gas: Mist) -> Self {
        Self {
            dry_run: true,
            estimated_gas: Some(estimated_gas),
        }
    }
}
