//! The stored form of every [`Failure`]: journals of earlier versions hold these very texts.

use atoma_domain::contract::Abort;
use atoma_domain::journal::Failure;
use atoma_domain::{
    Address, AlarmId, ComputeUnits, Digest, Epoch, IntentId, Mist, NodeSmallId, ObjectId,
    ReservationId, StackSmallId, TaskSmallId,
};
use serde_json::{Value, json};

const STACK: StackSmallId = StackSmallId::new(42);
const TASK: TaskSmallId = TaskSmallId::new(3);
const NODE: NodeSmallId = NodeSmallId::new(1);
const OTHER_NODE: NodeSmallId = NodeSmallId::new(2);
const TRANSACTION: IntentId = IntentId::new(17);
const RESERVATION: ReservationId = ReservationId::new(5);
const DIGEST: Digest = Digest::ZERO;
const OBJECT: ObjectId = Address::TWO;

fn reason() -> String {
    String::from("why")
}

fn abort() -> Abort {
    Abort {
        module: String::from("db"),
        function: Some(String::from("claim_funds")),
        abort_code: 312_012_031,
        command: Some(0),
    }
}

/// One row a variant: an example of it and its JSON. A variant without a row does not compile.
macro_rules! stored {
    ($( $variant:ident { $($field:ident: $value:expr),* $(,)? } => $json:literal, )*) => {
        fn examples() -> Vec<(Failure, &'static str)> {
            vec![$( (Failure::$variant { $($field: $value),* }, $json), )*]
        }

        const _: fn(&Failure) = |failure| match failure {
            $( Failure::$variant { .. } => (), )*
            Failure::Unrecognized { .. } => (),
        };
    };
}

stored! {
    InvalidRequest { message: reason() } => r#"{"code":"invalid_request","message":"why"}"#,
    AmbiguousNode { nodes: 2 } => r#"{"code":"ambiguous_node","nodes":2}"#,
    NodeMismatch { node_small_id: NODE, node_badge_id: OBJECT } =>
        r#"{"code":"node_mismatch","node_small_id":1,"node_badge_id":"0x0000000000000000000000000000000000000000000000000000000000000002"}"#,
    UnknownStack { stack_small_id: STACK } => r#"{"code":"unknown_stack","stack_small_id":42}"#,
    UnknownTask { task_small_id: TASK } => r#"{"code":"unknown_task","task_small_id":3}"#,
    UnknownNode { node_small_id: NODE } => r#"{"code":"unknown_node","node_small_id":1}"#,
    UnknownBadge { node_badge_id: OBJECT } =>
        r#"{"code":"unknown_badge","node_badge_id":"0x0000000000000000000000000000000000000000000000000000000000000002"}"#,
    NoNodeRegistered {} => r#"{"code":"no_node_registered"}"#,
    UnknownTransaction { transaction: String::from("17") } =>
        r#"{"code":"unknown_transaction","transaction":"17"}"#,
    NoStack { owner_address: OBJECT } =>
        r#"{"code":"no_stack","owner_address":"0x0000000000000000000000000000000000000000000000000000000000000002"}"#,
    UnknownReservation { reservation_id: RESERVATION } =>
        r#"{"code":"unknown_reservation","reservation_id":5}"#,
    UnknownAlarm { alarm_id: AlarmId::new(6) } =>
        r#"{"code":"unknown_alarm","alarm_id":6}"#,
    UnknownPurchase { tx_digest: DIGEST } =>
        r#"{"code":"unknown_purchase","tx_digest":"11111111111111111111111111111111"}"#,
    MessageIdReused { stack_small_id: STACK, message_id: String::from("m-1") } =>
        r#"{"code":"message_id_reused","stack_small_id":42,"message_id":"m-1"}"#,
    StackLocked { stack_small_id: STACK } => r#"{"code":"stack_locked","stack_small_id":42}"#,
    ReservationOfAnotherStack { reservation_id: RESERVATION, stack_small_id: STACK } =>
        r#"{"code":"reservation_of_another_stack","reservation_id":5,"stack_small_id":42}"#,
    NotEnoughUnits {
        num_compute_units: ComputeUnits::new(9),
        free_compute_units: ComputeUnits::new(8),
    } => r#"{"code":"not_enough_units","num_compute_units":9,"free_compute_units":8}"#,
    NotAPurchase { tx_digest: DIGEST, owner_address: OBJECT } =>
        r#"{"code":"not_a_purchase","tx_digest":"11111111111111111111111111111111","owner_address":"0x0000000000000000000000000000000000000000000000000000000000000002"}"#,
    NotSettled { stack_small_id: STACK } => r#"{"code":"not_settled","stack_small_id":42}"#,
    AlreadyRegistered { node_small_id: NODE } => r#"{"code":"already_registered","node_small_id":1}"#,
    AlreadySubscribed { node_small_id: NODE, task_small_id: TASK } =>
        r#"{"code":"already_subscribed","node_small_id":1,"task_small_id":3}"#,
    NotSubscribed { node_small_id: NODE, task_small_id: TASK } =>
        r#"{"code":"not_subscribed","node_small_id":1,"task_small_id":3}"#,
    KeyAlreadyRotated { node_small_id: NODE, device_type: 300, key_rotation_counter: 4 } =>
        r#"{"code":"key_already_rotated","node_small_id":1,"device_type":300,"key_rotation_counter":4}"#,
    NotTheKeyRotation { key_rotation_counter: 4, current_key_rotation_counter: 5 } =>
        r#"{"code":"not_the_key_rotation","key_rotation_counter":4,"current_key_rotation_counter":5}"#,
    NothingToWithdraw { node_small_id: NODE } =>
        r#"{"code":"nothing_to_withdraw","node_small_id":1}"#,
    AlreadySettling { stack_small_id: STACK } => r#"{"code":"already_settling","stack_small_id":42}"#,
    AlreadyAttested { stack_small_id: STACK, node_small_id: NODE } =>
        r#"{"code":"already_attested","stack_small_id":42,"node_small_id":1}"#,
    AlreadyClaimed { stack_small_id: STACK } => r#"{"code":"already_claimed","stack_small_id":42}"#,
    AlreadyInDispute { stack_small_id: STACK } =>
        r#"{"code":"already_in_dispute","stack_small_id":42}"#,
    InFlightWithOtherParameters { transaction_id: TRANSACTION } =>
        r#"{"code":"in_flight_with_other_parameters","transaction_id":17}"#,
    IdempotencyKeyReused {} => r#"{"code":"idempotency_key_reused"}"#,
    MayStillExecute { transaction_id: TRANSACTION, tx_digest: Some(DIGEST) } =>
        r#"{"code":"may_still_execute","transaction_id":17,"tx_digest":"11111111111111111111111111111111"}"#,
    AlreadyFinal { transaction_id: TRANSACTION } => r#"{"code":"already_final","transaction_id":17}"#,
    Abandoned {} => r#"{"code":"abandoned"}"#,
    NeedsNoSettlement { stack_small_id: STACK } =>
        r#"{"code":"needs_no_settlement","stack_small_id":42}"#,
    StackHasNoMessages { stack_small_id: STACK } =>
        r#"{"code":"stack_has_no_messages","stack_small_id":42}"#,
    RequestsInProgress { stack_small_id: STACK } =>
        r#"{"code":"requests_in_progress","stack_small_id":42}"#,
    NothingToAttestWith { stack_small_id: STACK, node_small_id: NODE } =>
        r#"{"code":"nothing_to_attest_with","stack_small_id":42,"node_small_id":1}"#,
    NothingToDispute { stack_small_id: STACK, node_small_id: NODE } =>
        r#"{"code":"nothing_to_dispute","stack_small_id":42,"node_small_id":1}"#,
    NotYetClaimable {
        stack_small_id: STACK,
        claimable_from_epoch: Epoch::new(6),
        epoch: Epoch::new(5),
    } => r#"{"code":"not_yet_claimable","stack_small_id":42,"claimable_from_epoch":6,"epoch":5}"#,
    NodeNotSelected { stack_small_id: STACK, node_small_id: NODE, selected_node_id: OTHER_NODE } =>
        r#"{"code":"node_not_selected","stack_small_id":42,"node_small_id":1,"selected_node_id":2}"#,
    AttestationNotRequested { stack_small_id: STACK, node_small_id: NODE } =>
        r#"{"code":"attestation_not_requested","stack_small_id":42,"node_small_id":1}"#,
    NoAttestationRequested { stack_small_id: STACK } =>
        r#"{"code":"no_attestation_requested","stack_small_id":42}"#,
    AttestationWindowOver { stack_small_id: STACK, last_epoch: Epoch::new(5) } =>
        r#"{"code":"attestation_window_over","stack_small_id":42,"last_epoch":5}"#,
    CommitmentMismatch { stack_small_id: STACK, node_small_id: NODE } =>
        r#"{"code":"commitment_mismatch","stack_small_id":42,"node_small_id":1}"#,
    StackInDispute { stack_small_id: STACK } => r#"{"code":"stack_in_dispute","stack_small_id":42}"#,
    TooManyComputeUnits {
        stack_small_id: STACK,
        num_claimed_compute_units: ComputeUnits::new(9),
        num_compute_units: ComputeUnits::new(8),
    } =>
        r#"{"code":"too_many_compute_units","stack_small_id":42,"num_claimed_compute_units":9,"num_compute_units":8}"#,
    TaskRemoved { task_small_id: TASK } => r#"{"code":"task_removed","task_small_id":3}"#,
    AlreadySubscribedToModel {
        abort: abort(), abort_name: Some(String::from("ENodeAlreadySubscribedToModel")),
    } =>
        r#"{"code":"already_subscribed_to_model","module":"db","function":"claim_funds","abort_code":312012031,"command":0,"abort_name":"ENodeAlreadySubscribedToModel"}"#,
    ContractAbort { abort: abort(), abort_name: Some(String::from("EStackInDispute")) } =>
        r#"{"code":"contract_abort","module":"db","function":"claim_funds","abort_code":312012031,"command":0,"abort_name":"EStackInDispute"}"#,
    TreasuryShort {} => r#"{"code":"treasury_short"}"#,
    ExecutionFailed { reason: reason() } => r#"{"code":"execution_failed","reason":"why"}"#,
    GasBudgetTooLow { gas_budget: Mist::new(5) } => r#"{"code":"gas_budget_too_low","gas_budget":5}"#,
    GasBalanceInsufficient { gas_budget: Mist::new(u64::MAX) } =>
        r#"{"code":"gas_balance_insufficient","gas_budget":18446744073709551615}"#,
    GasPriceTooLow { gas_price: Mist::new(1), reference_gas_price: Mist::new(1000) } =>
        r#"{"code":"gas_price_too_low","gas_price":1,"reference_gas_price":1000}"#,
    ObjectNotUsable { object_id: OBJECT, reason: reason() } =>
        r#"{"code":"object_not_usable","object_id":"0x0000000000000000000000000000000000000000000000000000000000000002","reason":"why"}"#,
    TransactionRefused { reason: reason() } => r#"{"code":"transaction_refused","reason":"why"}"#,
    SuiNodeError { reason: reason() } => r#"{"code":"sui_node_error","reason":"why"}"#,
    NotReady { reasons: vec![reason(), reason()] } =>
        r#"{"code":"not_ready","reasons":["why","why"]}"#,
    BadgeUsedElsewhere { node_small_id: NODE, tx_digest: DIGEST } =>
        r#"{"code":"badge_used_elsewhere","node_small_id":1,"tx_digest":"11111111111111111111111111111111"}"#,
    BreakerOpen { failures: 20, retry_after_s: 300 } =>
        r#"{"code":"breaker_open","failures":20,"retry_after_s":300}"#,
    SpendCapReached {
        daily_cap: Mist::new(9), spent: Mist::new(8), reserved: Mist::new(0), gas_budget: Mist::new(7),
    } => r#"{"code":"spend_cap_reached","daily_cap":9,"spent":8,"reserved":0,"gas_budget":7}"#,
    ShuttingDown {} => r#"{"code":"shutting_down"}"#,
    QueueFull { node_small_id: None } => r#"{"code":"queue_full","node_small_id":null}"#,
    OutcomeUnknown { transaction_id: TRANSACTION, tx_digest: None } =>
        r#"{"code":"outcome_unknown","transaction_id":17,"tx_digest":null}"#,
    Internal { reason: reason() } => r#"{"code":"internal","reason":"why"}"#,
}

#[test]
fn every_variant_keeps_its_code_and_its_fields() {
    for (failure, json) in examples() {
        assert_eq!(serde_json::to_string(&failure).unwrap(), json);
        assert_eq!(serde_json::from_str::<Failure>(json).unwrap(), failure);
    }
}

/// What other versions may have written, each with its code.
const UNRECOGNIZED: [(&str, &str); 6] = [
    ("stack_on_strike", r#"{"code":"stack_on_strike"}"#),
    (
        "stack_on_strike",
        r#"{"code":"stack_on_strike","demands":[{"raise":2.5},null],"stack_small_id":18446744073709551615}"#,
    ),
    ("unknown_stack", r#"{"code":"unknown_stack"}"#),
    (
        "unknown_stack",
        r#"{"code":"unknown_stack","stack_small_id":"forty-two"}"#,
    ),
    (
        "unknown_stack",
        r#"{"code":"unknown_stack","stack_small_id":-42}"#,
    ),
    (
        "contract_abort",
        r#"{"code":"contract_abort","location":"db::claim_funds"}"#,
    ),
];

#[test]
fn what_another_version_wrote_is_kept_as_it_is() {
    for (expected, json) in UNRECOGNIZED {
        let failure: Failure = serde_json::from_str(json).unwrap();
        assert!(
            matches!(&failure, Failure::Unrecognized { code, .. } if code == expected),
            "{failure:?}"
        );
        assert_eq!(serde_json::to_string(&failure).unwrap(), json);
        let (code, details) = failure.code_and_details();
        let mut fields: Value = serde_json::from_str(json).unwrap();
        fields.as_object_mut().unwrap().remove("code");
        assert_eq!((code.as_str(), json!(details)), (expected, fields));
        assert_eq!(
            failure.to_string(),
            format!("the reason has the code `{expected}`, which this version does not know")
        );
    }
}

#[test]
fn a_field_that_a_later_version_added_is_no_obstacle() {
    let json = r#"{"code":"unknown_stack","stack_small_id":42,"since":"yesterday"}"#;
    let failure: Failure = serde_json::from_str(json).unwrap();
    assert_eq!(
        failure,
        Failure::UnknownStack {
            stack_small_id: STACK
        }
    );
}

#[test]
fn what_has_no_code_is_no_reason() {
    for json in [r#"{"reason":"why"}"#, "[]", "null", "\"internal\""] {
        assert!(serde_json::from_str::<Failure>(json).is_err(), "{json}");
    }
}

/// The Rust convention for errors: they are embedded in logs and in other sentences.
#[test]
fn sentences_begin_in_lower_case_and_have_no_full_stop() {
    for (failure, _) in examples() {
        let sentence = failure.to_string();
        assert!(!sentence.starts_with(char::is_uppercase), "{sentence}");
        assert!(!sentence.ends_with('.'), "{sentence}");
    }
}

#[test]
fn an_abort_is_named_and_keeps_its_structured_fields() {
    let (code, details) = Failure::from_abort(abort()).code_and_details();
    assert_eq!(code, "contract_abort");
    assert_eq!(details["abort_code"], 312_012_031);
    assert_eq!(details["abort_name"], "EStackInDispute");
    assert_eq!(details["function"], "claim_funds");
}

#[test]
fn a_short_treasury_is_no_fault_of_the_call() {
    let short = Abort {
        module: String::from("balance"),
        abort_code: 2,
        ..abort()
    };
    assert_eq!(Failure::from_abort(short), Failure::TreasuryShort {});
}
