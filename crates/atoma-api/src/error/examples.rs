//! An example of every failure, as the journal stores it: what the document and the page of error codes show. The
//! tests next door fail if a failure has no example.

use atoma_domain::journal::Failure;

/// One of each, in the order of [`Failure`].
pub(super) const FAILURES: &[&str] = &[
    r#"{"code":"invalid_request","message":"`limit` must be from 1 to 10000."}"#,
    r#"{"code":"ambiguous_node","nodes":2}"#,
    r#"{"code":"node_mismatch","node_small_id":1,"node_badge_id":"0x0000000000000000000000000000000000000000000000000000000000000002"}"#,
    r#"{"code":"unknown_stack","stack_small_id":42}"#,
    r#"{"code":"unknown_task","task_small_id":3}"#,
    r#"{"code":"unknown_node","node_small_id":1}"#,
    r#"{"code":"unknown_badge","node_badge_id":"0x0000000000000000000000000000000000000000000000000000000000000002"}"#,
    r#"{"code":"no_node_registered"}"#,
    r#"{"code":"unknown_transaction","transaction":"17"}"#,
    r#"{"code":"no_stack","owner_address":"0x0000000000000000000000000000000000000000000000000000000000000002"}"#,
    r#"{"code":"unknown_reservation","reservation_id":5}"#,
    r#"{"code":"unknown_purchase","tx_digest":"11111111111111111111111111111111"}"#,
    r#"{"code":"message_id_reused","stack_small_id":42,"message_id":"m-1"}"#,
    r#"{"code":"stack_locked","stack_small_id":42}"#,
    r#"{"code":"reservation_of_another_stack","reservation_id":5,"stack_small_id":42}"#,
    r#"{"code":"not_enough_units","num_compute_units":9,"free_compute_units":8}"#,
    r#"{"code":"not_a_purchase","tx_digest":"11111111111111111111111111111111","owner_address":"0x0000000000000000000000000000000000000000000000000000000000000002"}"#,
    r#"{"code":"not_settled","stack_small_id":42}"#,
    r#"{"code":"already_registered","node_small_id":1}"#,
    r#"{"code":"already_subscribed","node_small_id":1,"task_small_id":3}"#,
    r#"{"code":"already_subscribed_to_model","module":"db","function":"add_node_to_model","abort_code":312012002,"command":0,"abort_name":"ENodeAlreadySubscribedToModel"}"#,
    r#"{"code":"not_subscribed","node_small_id":1,"task_small_id":3}"#,
    r#"{"code":"already_settling","stack_small_id":42}"#,
    r#"{"code":"already_attested","stack_small_id":42,"node_small_id":1}"#,
    r#"{"code":"already_claimed","stack_small_id":42}"#,
    r#"{"code":"already_in_dispute","stack_small_id":42}"#,
    r#"{"code":"in_flight_with_other_parameters","transaction_id":17}"#,
    r#"{"code":"idempotency_key_reused"}"#,
    r#"{"code":"may_still_execute","transaction_id":17,"tx_digest":"11111111111111111111111111111111"}"#,
    r#"{"code":"already_final","transaction_id":17}"#,
    r#"{"code":"abandoned"}"#,
    r#"{"code":"needs_no_settlement","stack_small_id":42}"#,
    r#"{"code":"stack_has_no_messages","stack_small_id":42}"#,
    r#"{"code":"requests_in_progress","stack_small_id":42}"#,
    r#"{"code":"nothing_to_attest_with","stack_small_id":42,"node_small_id":1}"#,
    r#"{"code":"nothing_to_dispute","stack_small_id":42,"node_small_id":1}"#,
    r#"{"code":"not_yet_claimable","stack_small_id":42,"claimable_from_epoch":6,"epoch":5}"#,
    r#"{"code":"node_not_selected","stack_small_id":42,"node_small_id":1,"selected_node_id":2}"#,
    r#"{"code":"attestation_not_requested","stack_small_id":42,"node_small_id":1}"#,
    r#"{"code":"no_attestation_requested","stack_small_id":42}"#,
    r#"{"code":"attestation_window_over","stack_small_id":42,"last_epoch":5}"#,
    r#"{"code":"commitment_mismatch","stack_small_id":42,"node_small_id":1}"#,
    r#"{"code":"stack_in_dispute","stack_small_id":42}"#,
    r#"{"code":"too_many_compute_units","stack_small_id":42,"num_claimed_compute_units":9,"num_compute_units":8}"#,
    r#"{"code":"task_removed","task_small_id":3}"#,
    r#"{"code":"contract_abort","module":"db","function":"claim_funds","abort_code":312012031,"command":0,"abort_name":"EStackInDispute"}"#,
    r#"{"code":"treasury_short"}"#,
    r#"{"code":"execution_failed","reason":"why"}"#,
    r#"{"code":"gas_budget_too_low","gas_budget":5}"#,
    r#"{"code":"gas_balance_insufficient","gas_budget":18446744073709551615}"#,
    r#"{"code":"gas_price_too_low","gas_price":1,"reference_gas_price":1000}"#,
    r#"{"code":"object_not_usable","object_id":"0x0000000000000000000000000000000000000000000000000000000000000002","reason":"why"}"#,
    r#"{"code":"transaction_refused","reason":"why"}"#,
    r#"{"code":"sui_node_error","reason":"why"}"#,
    r#"{"code":"not_ready","reasons":["why","why"]}"#,
    r#"{"code":"badge_used_elsewhere","node_small_id":1,"tx_digest":"11111111111111111111111111111111"}"#,
    r#"{"code":"breaker_open","failures":20,"retry_after_s":300}"#,
    r#"{"code":"spend_cap_reached","daily_cap":9,"spent":8,"reserved":1,"gas_budget":7}"#,
    r#"{"code":"shutting_down"}"#,
    r#"{"code":"queue_full","node_small_id":null}"#,
    r#"{"code":"outcome_unknown","transaction_id":17,"tx_digest":null}"#,
    r#"{"code":"internal","reason":"why"}"#,
    r#"{"code":"stack_on_strike","stack_small_id":42}"#,
];

/// The failures of [`FAILURES`].
pub(crate) fn failures() -> impl Iterator<Item = Failure> {
    FAILURES
        .iter()
        .filter_map(|json| serde_json::from_str(json).ok())
}
