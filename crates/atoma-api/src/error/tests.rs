//! Everything that clients are told about failures: a change of a status, code or sentence shows here.

use actix_web::body::MessageBody;
use actix_web::http::Method;
use actix_web::http::header::RETRY_AFTER;
use actix_web::test::TestRequest;
use actix_web::{HttpResponse, ResponseError};
use atoma_domain::IntentId;
use atoma_domain::journal::Failure;
use atoma_operator::Unsuccessful;
use serde_json::{Value, json};

use super::ApiError;
use super::examples::FAILURES;

/// A row for each variant: the status and the sentence of its example. A variant without a row does not
/// compile.
macro_rules! failures {
    ($( $variant:ident => $status:literal $sentence:literal; )*) => {
        const ROWS: &[(&str, u16, &str)] = &[
            $( (stringify!($variant), $status, $sentence), )*
        ];

        fn variant(failure: &Failure) -> &'static str {
            match failure {
                $( Failure::$variant { .. } => stringify!($variant), )*
            }
        }
    };
}

failures! {
    InvalidRequest => 400
        "`limit` must be from 1 to 10000.";
    AmbiguousNode => 400
        "The operator runs 2 nodes, and the request does not say which one acts. Name it with `node_small_id` or `node_badge_id`.";
    NodeMismatch => 400
        "Badge 0x0000000000000000000000000000000000000000000000000000000000000002 is not the badge of node 1. Send only one of `node_small_id` and `node_badge_id`, or two that belong together.";
    UnknownStack => 404
        "Stack 42 is not known to this daemon. Check the id; a new stack is known once the daemon has processed its purchase.";
    UnknownTask => 404
        "Task 3 is not known to this daemon. GET /tasks lists the tasks.";
    UnknownNode => 404
        "Node 1 is not one of the operator's nodes. GET /nodes lists them.";
    UnknownBadge => 404
        "Badge 0x0000000000000000000000000000000000000000000000000000000000000002 does not belong to any of the operator's nodes. GET /nodes lists their badges.";
    NoNodeRegistered => 404
        "No node is registered for the operator's address. Register one first with POST /register.";
    UnknownTransaction => 404
        "Transaction 17 is not in the journal. GET /transactions lists the journal.";
    NoStack => 404
        "Address 0x0000000000000000000000000000000000000000000000000000000000000002 has no open stack that one of the operator's nodes serves and that matches the request. Buy a stack, or name the purchase of a new one with `purchase_tx_digest`.";
    UnknownReservation => 404
        "Reservation 5 is not open. It was released or consumed, or its lease has expired; GET /reservations lists the open ones.";
    UnknownAlarm => 404
        "There is no alarm 6. GET /alarms lists them; of those that are resolved, the latest 1,000 are kept.";
    UnknownPurchase => 404
        "The Sui node does not know the purchase 11111111111111111111111111111111. Check the digest; a new transaction is known in a moment.";
    MessageIdReused => 409
        "A message with another hash is recorded for stack 42 under the id m-1. Use a `message_id` of its own for each message.";
    StackLocked => 409
        "Stack 42 is in settlement or claimed, so no units can be reserved. Use another stack of the same owner.";
    ReservationOfAnotherStack => 409
        "Reservation 5 is not one for the selected node of stack 42. Leave `reservation_id` out to record the message without it.";
    NotEnoughUnits => 422
        "No matching stack of the owner has more than 8 compute units for this reservation, fewer than the 9 needed. The owner must buy another stack.";
    NotAPurchase => 422
        "Transaction 11111111111111111111111111111111 did not buy an open stack of address 0x0000000000000000000000000000000000000000000000000000000000000002 for one of the operator's nodes. Name the transaction that bought the stack, and the address that owns it.";
    NotSettled => 409
        "Stack 42 has not been settled. Its selected node must settle it first, with POST /try_settle_stack_ids.";
    AlreadyRegistered => 409
        r#"The operator's address already owns the badge of node 1. Send "additional": true to register another node."#;
    AlreadySubscribed => 409
        "Node 1 is already subscribed to task 3. Change the price with POST /task_update_subscription.";
    AlreadySubscribedToModel => 409
        "The node is already subscribed to the model. GET /transactions?kind=subscribe_to_model lists what was done.";
    NotSubscribed => 409
        "Node 1 is not subscribed to task 3. Subscribe it first with POST /task_subscribe.";
    KeyAlreadyRotated => 409
        "Node 1 has already committed to a key for device type 300 in key rotation 4, and the contract would keep that one. GET /node_keys lists the keys. A device commits to a key once in each of the network's key rotations.";
    NotTheKeyRotation => 409
        "Key rotation 4 is not the network's current one, 5. Make the evidence for the current key rotation, or leave `key_rotation_counter` out.";
    NothingToWithdraw => 409
        "The contract owes node 1 no shares. Shares are credited when a settlement that the node attested is claimed; the node's own claims pay them too.";
    AlreadySettling => 409
        "Stack 42 is already in settlement. See GET /transactions?stack_small_id=42 and GET /claimed_stacks.";
    AlreadyAttested => 409
        "Node 1 has already attested stack 42. A node attests a stack only once.";
    AlreadyClaimed => 409
        "Stack 42 has already been claimed. Nothing more can be done for it.";
    AlreadyInDispute => 409
        "Stack 42 is already in dispute. The contract has no way to resolve a dispute; contact the network's operators.";
    InFlightWithOtherParameters => 409
        "Transaction 17 is already doing this with different parameters. Wait for it with GET /transactions/17, or repeat its parameters to join it.";
    IdempotencyKeyReused => 409
        "The request's key was already used for a different request. Use a new `Idempotency-Key` for a new request.";
    MayStillExecute => 409
        "Transaction 17 may still execute, so it can't be abandoned. Poll GET /transactions/17, and try again once its attempt has expired.";
    AlreadyFinal => 409
        "Transaction 17 has already finished, so it can't be abandoned. See its outcome with GET /transactions/17.";
    Abandoned => 409
        "The operator abandoned the transaction before it executed. Send a new request to start over.";
    NeedsNoSettlement => 409
        "Stack 42 belongs to a confidential task and needs no settlement. Claim it with POST /claim_funds.";
    StackHasNoMessages => 409
        "No message is recorded for stack 42. Record what was served for it with POST /stack_messages.";
    RequestsInProgress => 409
        "Stack 42 still has requests in progress. Try again once they are served; GET /reservations?stack_small_id=42 shows who holds them and until when.";
    NothingToAttestWith => 409
        r#"The daemon has no record of stack 42, neither from node 1 nor from the stack's selected node. Run the stack's requests again and record them with POST /stack_messages and "node_small_id": 1."#;
    NothingToDispute => 409
        "The record of node 1 confirms the settlement of stack 42: both give the same commitment. There is nothing to dispute.";
    NotYetClaimable => 409
        "Stack 42 can't be claimed before epoch 6; the current epoch is 5. Claim it again in epoch 6.";
    NodeNotSelected => 422
        "The selected node of stack 42 is node 2, not node 1. Leave out `node_small_id` and `node_badge_id` to act with the selected node.";
    AttestationNotRequested => 422
        "Node 1 was not drawn to attest stack 42. Leave out `node_small_id` and `node_badge_id` to attest with every node that was drawn.";
    NoAttestationRequested => 422
        "None of the operator's nodes was drawn to attest stack 42. No attestation is needed; to dispute the settlement, name a node with `node_small_id`.";
    AttestationWindowOver => 422
        "The time to attest stack 42 ended with epoch 5. It can no longer be attested.";
    CommitmentMismatch => 422
        r#"The record of node 1 gives a different commitment for stack 42 than its settlement ticket; attesting would open a dispute, which freezes the stack's funds permanently. Find out which record is right; send "allow_dispute": true to submit it anyway."#;
    StackInDispute => 422
        "Stack 42 is in dispute, and its funds are frozen. The contract has no way to resolve a dispute; contact the network's operators.";
    TooManyComputeUnits => 422
        "Stack 42 holds 8 compute units, fewer than the 9 to be claimed. Send a `num_claimed_compute_units` of at most 8.";
    TaskRemoved => 422
        "Task 3 was removed from the contract; its stacks can no longer be settled or claimed. Nothing more can be done for them.";
    ContractAbort => 422
        "The contract aborted the call: the stack is in dispute, and its funds are frozen (EStackInDispute). The contract has no way to resolve a dispute; contact the network's operators.";
    TreasuryShort => 422
        "The contract's treasury holds too little to pay. It can pay once more stacks have been bought.";
    ExecutionFailed => 422
        "The transaction failed on chain: why. Send a new request once the cause is gone.";
    GasBudgetTooLow => 422
        "The gas budget of 5 MIST is too low. Raise `gas_budget`, or leave it out to let the daemon estimate it.";
    GasBalanceInsufficient => 422
        "No SUI coin of the operator's address covers the gas budget of 18446744073709551615 MIST. Send SUI to the address, or lower `gas_budget`.";
    GasPriceTooLow => 422
        "The gas price of 1 MIST is below the reference gas price of 1000 MIST. Raise `gas_price`, or leave it out to pay the reference gas price.";
    ObjectNotUsable => 422
        "Object 0x0000000000000000000000000000000000000000000000000000000000000002 can't be used: why. Name another one, or leave `gas` out to let the daemon choose a coin.";
    TransactionRefused => 422
        "The Sui network refused the transaction: why. Send a new request once the cause is gone.";
    SuiNodeError => 502
        "Why. GET /ready shows whether the node at `sui.rpc_url` answers.";
    NotReady => 503
        "The daemon is not ready: why; why. Poll GET /ready until it answers 200.";
    BadgeUsedElsewhere => 503
        "Transaction 11111111111111111111111111111111 used the badge of node 1 but is not in this daemon's journal: another daemon runs with the same key, or the database is new or an old copy. Stop the other daemon, or restore a newer copy of the database. If you know of the use and it is harmless, restart once with `allow_foreign_use = true`.";
    BreakerOpen => 503
        "20 transactions in a row failed, so writes are paused. GET /transactions?status=failed shows why they failed.";
    SpendCapReached => 429
        "The gas budget of 7 MIST does not fit under the daily cap of 9 MIST: 8 MIST were spent in the last 24 hours, and running transactions may spend 1 MIST more. Wait until earlier spending is more than 24 hours old, or raise `gas.daily_cap_mist`.";
    ShuttingDown => 503
        "The daemon is shutting down. Try again once it has restarted.";
    QueueFull => 429
        "The queue of the operator's address is full. Try again later.";
    OutcomeUnknown => 504
        "The outcome of transaction 17 is not known yet. It stays queued until its outcome is known; poll GET /transactions/17.";
    Internal => 500
        "Internal error: why. The daemon's log has more about it.";
    Unrecognized => 500
        "The reason has the code `stack_on_strike`, which this version does not know. Another version of the daemon recorded it and can explain it.";
}

fn body(response: HttpResponse) -> Value {
    let body = response.into_body().try_into_bytes().unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn every_failure_has_its_status_code_sentence_and_details() {
    assert_eq!(FAILURES.len(), ROWS.len());
    for ((name, status, sentence), stored) in ROWS.iter().zip(FAILURES) {
        let failure: Failure = serde_json::from_str(stored).unwrap();
        assert_eq!(variant(&failure), *name);
        let response = ApiError::Failure(failure).error_response();
        assert_eq!(response.status().as_u16(), *status, "{name}");
        let mut details: Value = serde_json::from_str(stored).unwrap();
        let code = details.as_object_mut().unwrap().remove("code").unwrap();
        let mut expected = json!({"error": sentence, "code": code});
        if details != json!({}) {
            expected["details"] = details;
        }
        assert_eq!(body(response), expected);
    }
}

#[test]
fn three_failures_say_when_to_try_again() {
    let retry_after = FAILURES.iter().filter_map(|stored| {
        let failure: Failure = serde_json::from_str(stored).unwrap();
        let name = variant(&failure);
        let response = ApiError::Failure(failure).error_response();
        let seconds = response.headers().get(RETRY_AFTER)?.to_str().unwrap();
        Some(format!("{name} {seconds}"))
    });
    let expected = ["BreakerOpen 300", "SpendCapReached 600", "QueueFull 1"];
    assert_eq!(retry_after.collect::<Vec<_>>(), expected);
}

#[test]
fn the_errors_of_the_http_layer_say_what_to_do() {
    let request = TestRequest::get().uri("/register?x=1").to_http_request();
    for (error, status, code, sentence) in [
        (
            ApiError::ForeignHost,
            403,
            "forbidden",
            "The request's host is not a name of this daemon. Send one `Host` with a loopback address, or add \
             the host to the setting `allowed_hosts`.",
        ),
        (
            ApiError::ForeignOrigin,
            403,
            "forbidden",
            "A web page of another origin sent this request. Only a page whose `Origin` is `http://` (`https://` with \
             encryption) and the \
             request's own `Host` may call the API: serve both under one address with a proxy that keeps \
             `Host`, or send the request from a program instead of a page.",
        ),
        (
            ApiError::TokenMissing,
            401,
            "unauthorized",
            "The request has no token. Send `Authorization: Bearer` with a token of the setting `tokens`.",
        ),
        (
            ApiError::TokenUnknown,
            401,
            "unauthorized",
            "The token in `Authorization` is not one of this daemon. Send `Authorization: Bearer` with the current \
             value of a token of the setting `tokens`.",
        ),
        (
            ApiError::InsufficientScope {
                token: String::from("monitoring"),
            },
            403,
            "insufficient_scope",
            "The token `monitoring` has the scope `read`, which allows reads only. Use a token with the scope \
             `operate`.",
        ),
        (
            ApiError::no_route(&request),
            404,
            "not_found",
            "There is no endpoint at /register. Check the path.",
        ),
        (
            ApiError::method_not_allowed(&request, &[Method::POST, Method::DELETE]),
            405,
            "method_not_allowed",
            "/register does not take GET. Use POST, DELETE.",
        ),
        (
            ApiError::BodyTooLarge,
            413,
            "body_too_large",
            "The request body is larger than 1 MiB. Split it into several requests.",
        ),
        (
            ApiError::NotJson,
            415,
            "not_json",
            "The request body is not JSON. Send JSON with `Content-Type: application/json`.",
        ),
        (
            ApiError::BodyTimeout {
                idle_s: 10,
                whole_s: 60,
            },
            408,
            "body_timeout",
            "The request body did not arrive: nothing came for 10 s, or not all of it in 60 s. Send it in one go.",
        ),
        (
            ApiError::Busy { what: "lists" },
            503,
            "busy",
            "The daemon has too many lists under way. Try again in 1 s.",
        ),
        (
            ApiError::invalid("`limit` must be from 1 to 10000."),
            400,
            "invalid_request",
            "`limit` must be from 1 to 10000.",
        ),
    ] {
        let response = error.error_response();
        assert_eq!(response.status().as_u16(), status, "{sentence}");
        let body = body(response);
        assert_eq!(
            (&body["code"], &body["error"]),
            (&code.into(), &sentence.into())
        );
    }
}

/// Whatever work waits for, the request is not over; only the treasury may take very long.
#[test]
fn pending_work_is_answered_with_504_and_why_it_waits() {
    let pending = |failure| {
        ApiError::from(Unsuccessful {
            failure,
            transaction_id: Some(IntentId::new(17)),
            tx_digest: None,
            is_pending: true,
        })
        .error_response()
    };
    let reason = String::from("it is away");
    for (failure, after) in [
        (
            Failure::SuiNodeError {
                reason: reason.clone(),
            },
            None,
        ),
        (Failure::Internal { reason }, None),
        (
            Failure::BreakerOpen {
                failures: 3,
                retry_after_s: 300,
            },
            Some("300"),
        ),
    ] {
        let response = pending(failure.clone());
        assert_eq!(response.status().as_u16(), 504, "{failure}");
        let retry = response.headers().get(RETRY_AFTER);
        assert_eq!(retry.map(|after| after.to_str().unwrap()), after);
        let body = body(response);
        assert_eq!(body["code"], "outcome_unknown");
        assert_eq!(body["details"]["transaction_id"], 17);
        let sentence = body["error"].as_str().unwrap().to_lowercase();
        assert!(sentence.starts_with(&failure.to_string().to_lowercase()));
        assert!(
            sentence.ends_with(
                "stays queued and goes on once that is over; poll get /transactions/17."
            )
        );
    }
    let short = pending(Failure::TreasuryShort {});
    assert_eq!(short.status().as_u16(), 422);
    assert_eq!(body(short)["code"], "treasury_short");
}
