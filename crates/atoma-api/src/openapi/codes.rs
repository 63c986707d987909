//! Error codes that operations have in common.

/// Of every operation.
pub(crate) const ALWAYS: &[&str] = &[
    "invalid_request",
    "forbidden",
    "not_acceptable",
    "internal",
    "unrecognized",
];
/// Of what counts towards the limits of its caller.
pub(crate) const LIMITED: &[&str] = &["rate_limited"];
/// Of what needs a token, if there are any.
pub(crate) const TOKEN: &[&str] = &["unauthorized"];
/// Of what a token for reads doesn't allow.
pub(crate) const WRITE: &[&str] = &["insufficient_scope"];
/// Of lists.
pub(crate) const LIST: &[&str] = &["busy"];
/// Of requests with a body.
pub(crate) const BODY: &[&str] = &["body_too_large", "not_json", "body_timeout", "busy"];
/// Of what needs a mirror that has caught up.
pub(crate) const STATE: &[&str] = &["not_ready"];
/// Of what names or chooses one of the operator's nodes.
pub(crate) const NODE: &[&str] = &["unknown_node", "no_node_registered"];
/// Of every request for transactions, besides its own.
pub(crate) const TRANSACTION: &[&str] = &[
    "ambiguous_node",
    "node_mismatch",
    "unknown_node",
    "unknown_badge",
    "no_node_registered",
    "in_flight_with_other_parameters",
    "abandoned",
    "contract_abort",
    "execution_failed",
    "gas_budget_too_low",
    "gas_balance_insufficient",
    "gas_price_too_low",
    "object_not_usable",
    "transaction_refused",
    "queue_full",
    "spend_cap_reached",
    "sui_node_error",
    "not_ready",
    "badge_used_elsewhere",
    "breaker_open",
    "shutting_down",
    "outcome_unknown",
];
