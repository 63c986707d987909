//! The limits on spending and the circuit breaker.

use atoma_domain::Mist;
use atoma_operator::LimitStatus;
use serde::Serialize;

use crate::error::ErrorBody;

/// How close the daemon is to its limits.
#[derive(Debug, Serialize)]
pub(crate) struct SpendingLimitsView {
    /// Gas paid in the last 24 hours, in MIST.
    gas_spent: Mist,
    /// The gas budgets of transactions in flight, in MIST.
    gas_reserved: Mist,
    /// The cap on the sum of both, in MIST; `null` without a cap.
    daily_gas_cap: Option<Mist>,
    /// How many transactions in a row failed.
    failures_in_a_row: u32,
    /// At how many of them the circuit breaker opens and pauses writes; 0 means never.
    breaker_failures: u32,
    /// Why nothing is signed at present.
    held: Option<ErrorBody>,
}

impl From<LimitStatus> for SpendingLimitsView {
    fn from(limits: LimitStatus) -> Self {
        Self {
            gas_spent: limits.spent,
            gas_reserved: limits.reserved,
            daily_gas_cap: limits.daily_cap,
            failures_in_a_row: limits.failures_in_a_row,
            breaker_failures: limits.breaker_failures,
            held: limits.held.as_ref().map(ErrorBody::from),
        }
    }
}
