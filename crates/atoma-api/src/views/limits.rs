//! The limits on spending and the circuit breaker.

use atoma_api_types::SpendingLimitsView;
use atoma_operator::LimitStatus;

use crate::error::error_body;

/// How close the daemon is to its limits.
pub(crate) fn spending_limits_view(limits: &LimitStatus) -> SpendingLimitsView {
    SpendingLimitsView {
        gas_spent: limits.spent,
        gas_reserved: limits.reserved,
        daily_gas_cap: limits.daily_cap,
        failures_in_a_row: limits.failures_in_a_row,
        breaker_failures: limits.breaker_failures,
        held: limits.held.as_ref().map(error_body),
    }
}
