//! The brakes on spending.

use atoma_domain::Mist;
use atoma_operator::LimitStatus;
use serde::Serialize;

use crate::error::ErrorBody;

/// How far the brakes are from holding.
#[derive(Debug, Serialize)]
pub(crate) struct BrakesView {
    /// Gas paid in the last 24 hours, in MIST.
    gas_spent: Mist,
    /// The budgets of what is on its way, in MIST.
    gas_reserved: Mist,
    /// The most that both together may be, in MIST; `null` is no cap.
    daily_gas_cap: Option<Mist>,
    /// How many transactions in a row have failed.
    failures_in_a_row: u32,
    /// At how many of them writes are paused; 0 is never.
    breaker_failures: u32,
    /// Why nothing is signed now.
    held: Option<ErrorBody>,
}

impl From<LimitStatus> for BrakesView {
    fn from(brakes: LimitStatus) -> Self {
        Self {
            gas_spent: brakes.spent,
            gas_reserved: brakes.reserved,
            daily_gas_cap: brakes.daily_cap,
            failures_in_a_row: brakes.failures_in_a_row,
            breaker_failures: brakes.breaker_failures,
            held: brakes.held.as_ref().map(ErrorBody::from),
        }
    }
}
