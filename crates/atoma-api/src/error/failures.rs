//! The HTTP side of each failure: its status, and advice on what to do.
//!
//! The code of a failure is its variant's name in `snake_case`, and its own sentence says what
//! happened. The advice follows that sentence, and may name routes, fields and settings.

use std::borrow::Cow;

use actix_web::http::StatusCode as S;
use atoma_domain::journal::Failure;
use atoma_operator::Unsuccessful;

/// The status of a failure.
pub(crate) fn status(failure: &Failure) -> S {
    reply(failure).status
}

/// The status of a request that has not succeeded, or not yet. Whatever work waits for, its outcome is
/// not known yet; only a claim waits so long for the treasury that the client is told so.
pub(crate) fn overall_status(unsuccessful: &Unsuccessful) -> S {
    if is_outcome_unknown(unsuccessful) {
        S::GATEWAY_TIMEOUT
    } else {
        status(&unsuccessful.failure)
    }
}

/// Whether the outcome of a request is not known yet.
pub(super) const fn is_outcome_unknown(unsuccessful: &Unsuccessful) -> bool {
    unsuccessful.is_pending && !matches!(unsuccessful.failure, Failure::TreasuryShort {})
}

/// What to do about a failure, in whole sentences; empty if the failure's own sentence says it.
pub(super) fn advice(failure: &Failure) -> Cow<'static, str> {
    reply(failure).advice
}

/// After how many seconds a client should try again, if that is known.
pub(crate) const fn retry_after(failure: &Failure) -> Option<u64> {
    match failure {
        Failure::QueueFull { .. } => Some(1),
        Failure::BreakerOpen { retry_after_s, .. } => Some(*retry_after_s),
        // Spending leaves the 24 hours little by little.
        Failure::SpendCapReached { .. } => Some(600),
        _ => None,
    }
}

/// What the API adds to a failure's own sentence.
struct Reply {
    status: S,
    advice: Cow<'static, str>,
}

fn with(status: S, advice: impl Into<Cow<'static, str>>) -> Reply {
    Reply {
        status,
        advice: advice.into(),
    }
}

fn reply(failure: &Failure) -> Reply {
    use Failure as F;
    match failure {
        // The request is malformed.
        F::InvalidRequest { .. } => with(S::BAD_REQUEST, ""),
        F::AmbiguousNode { .. } => with(
            S::BAD_REQUEST,
            "Name it with `node_small_id` or `node_badge_id`.",
        ),
        F::NodeMismatch { .. } => with(
            S::BAD_REQUEST,
            "Send only one of `node_small_id` and `node_badge_id`, or two that belong together.",
        ),

        // It names something that does not exist.
        F::UnknownStack { .. } => with(
            S::NOT_FOUND,
            "Check the id; a new stack is known once the daemon has processed its purchase.",
        ),
        F::UnknownTask { .. } => with(S::NOT_FOUND, "GET /tasks lists the tasks."),
        F::UnknownNode { .. } => with(S::NOT_FOUND, "GET /nodes lists them."),
        F::UnknownBadge { .. } => with(S::NOT_FOUND, "GET /nodes lists their badges."),
        F::NoNodeRegistered {} => with(S::NOT_FOUND, "Register one first with POST /register."),
        F::NoStack { .. } => with(
            S::NOT_FOUND,
            "Buy a stack, or name the purchase of a new one with `purchase_tx_digest`.",
        ),
        F::UnknownReservation { .. } => with(
            S::NOT_FOUND,
            "It was released or consumed, or its lease has expired; GET /reservations lists the open ones.",
        ),
        F::UnknownPurchase { .. } => with(
            S::NOT_FOUND,
            "Check the digest; a new transaction is known in a moment.",
        ),
        F::UnknownAlarm { .. } => with(
            S::NOT_FOUND,
            "GET /alarms lists them; of those that are resolved, the latest 1,000 are kept.",
        ),
        F::UnknownTransaction { .. } => with(S::NOT_FOUND, "GET /transactions lists the journal."),

        // It is already done, or comes too early.
        F::NotSettled { .. } => with(
            S::CONFLICT,
            "Its selected node must settle it first, with POST /try_settle_stack_ids.",
        ),
        F::AlreadyRegistered { .. } => with(
            S::CONFLICT,
            "Send \"additional\": true to register another node.",
        ),
        F::AlreadySubscribed { .. } => with(
            S::CONFLICT,
            "Change the price with POST /task_update_subscription.",
        ),
        F::AlreadySubscribedToModel { .. } => with(
            S::CONFLICT,
            "GET /transactions?kind=subscribe_to_model lists what was done.",
        ),
        F::NotSubscribed { .. } => {
            with(S::CONFLICT, "Subscribe it first with POST /task_subscribe.")
        }
        F::KeyAlreadyRotated { .. } => with(
            S::CONFLICT,
            "GET /node_keys lists the keys. A device commits to a key once in each of the network's key rotations.",
        ),
        F::NotTheKeyRotation { .. } => with(
            S::CONFLICT,
            "Make the evidence for the current key rotation, or leave `key_rotation_counter` out.",
        ),
        F::NothingToWithdraw { .. } => with(
            S::CONFLICT,
            "Shares are credited when a settlement that the node attested is claimed; the node's own claims pay them too.",
        ),
        F::AlreadySettling { stack_small_id } => with(
            S::CONFLICT,
            format!(
                "See GET /transactions?stack_small_id={stack_small_id} and GET /claimed_stacks."
            ),
        ),
        F::AlreadyAttested { .. } => with(S::CONFLICT, "A node attests a stack only once."),
        F::AlreadyClaimed { .. } => with(S::CONFLICT, "Nothing more can be done for it."),
        F::AlreadyInDispute { .. } => with(
            S::CONFLICT,
            "The contract has no way to resolve a dispute; contact the network's operators.",
        ),
        F::InFlightWithOtherParameters { transaction_id } => with(
            S::CONFLICT,
            format!(
                "Wait for it with GET /transactions/{transaction_id}, or repeat its parameters to join it."
            ),
        ),
        F::IdempotencyKeyReused {} => with(
            S::CONFLICT,
            "Use a new `Idempotency-Key` for a new request.",
        ),
        F::MessageIdReused { .. } => with(
            S::CONFLICT,
            "Use a `message_id` of its own for each message.",
        ),
        F::StackLocked { .. } => with(S::CONFLICT, "Use another stack of the same owner."),
        F::ReservationOfAnotherStack { .. } => with(
            S::CONFLICT,
            "Leave `reservation_id` out to record the message without it.",
        ),
        F::MayStillExecute { transaction_id, .. } => with(
            S::CONFLICT,
            format!(
                "Poll GET /transactions/{transaction_id}, and try again once its attempt has expired."
            ),
        ),
        F::AlreadyFinal { transaction_id } => with(
            S::CONFLICT,
            format!("See its outcome with GET /transactions/{transaction_id}."),
        ),
        F::Abandoned {} => with(S::CONFLICT, "Send a new request to start over."),
        F::NeedsNoSettlement { .. } => with(S::CONFLICT, "Claim it with POST /claim_funds."),
        F::StackHasNoMessages { .. } => with(
            S::CONFLICT,
            "Record what was served for it with POST /stack_messages.",
        ),
        F::RequestsInProgress { stack_small_id } => with(
            S::CONFLICT,
            format!(
                "Try again once they are served; GET /reservations?stack_small_id={stack_small_id} \
                 shows who holds them and until when."
            ),
        ),
        F::NothingToAttestWith { node_small_id, .. } => with(
            S::CONFLICT,
            format!(
                "Run the stack's requests again and record them with POST /stack_messages and \
                 \"node_small_id\": {node_small_id}."
            ),
        ),
        F::NothingToDispute { .. } => with(S::CONFLICT, "There is nothing to dispute."),
        F::NotYetClaimable {
            claimable_from_epoch,
            ..
        } => with(
            S::CONFLICT,
            format!("Claim it again in epoch {claimable_from_epoch}."),
        ),

        // The chain would refuse it, or did.
        F::NodeNotSelected { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "Leave out `node_small_id` and `node_badge_id` to act with the selected node.",
        ),
        F::AttestationNotRequested { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "Leave out `node_small_id` and `node_badge_id` to attest with every node that was drawn.",
        ),
        F::NoAttestationRequested { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "No attestation is needed; to dispute the settlement, name a node with `node_small_id`.",
        ),
        F::AttestationWindowOver { .. } => {
            with(S::UNPROCESSABLE_ENTITY, "It can no longer be attested.")
        }
        F::CommitmentMismatch { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "Find out which record is right; send \"allow_dispute\": true to submit it anyway.",
        ),
        F::StackInDispute { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "The contract has no way to resolve a dispute; contact the network's operators.",
        ),
        F::TooManyComputeUnits {
            num_compute_units, ..
        } => with(
            S::UNPROCESSABLE_ENTITY,
            format!("Send a `num_claimed_compute_units` of at most {num_compute_units}."),
        ),
        F::NotEnoughUnits { .. } => {
            with(S::UNPROCESSABLE_ENTITY, "The owner must buy another stack.")
        }
        F::NotAPurchase { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "Name the transaction that bought the stack, and the address that owns it.",
        ),
        F::TaskRemoved { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "Nothing more can be done for them.",
        ),
        F::ContractAbort { abort, .. } => with(
            S::UNPROCESSABLE_ENTITY,
            abort.info().map_or("", |info| info.advice),
        ),
        F::TreasuryShort {} => with(
            S::UNPROCESSABLE_ENTITY,
            "It can pay once more stacks have been bought.",
        ),
        F::ExecutionFailed { .. } | F::TransactionRefused { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "Send a new request once the cause is gone.",
        ),
        F::GasBudgetTooLow { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "Raise `gas_budget`, or leave it out to let the daemon estimate it.",
        ),
        F::GasPriceTooLow { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "Raise `gas_price`, or leave it out to pay the reference gas price.",
        ),
        F::GasBalanceInsufficient { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "Send SUI to the address, or lower `gas_budget`.",
        ),
        F::ObjectNotUsable { .. } => with(
            S::UNPROCESSABLE_ENTITY,
            "Name another one, or leave `gas` out to let the daemon choose a coin.",
        ),

        // The daemon or the Sui node can't do it now.
        F::QueueFull { .. } => with(S::TOO_MANY_REQUESTS, "Try again later."),
        F::SpendCapReached { .. } => with(
            S::TOO_MANY_REQUESTS,
            "Wait until earlier spending is more than 24 hours old, or raise `gas.daily_cap_mist`.",
        ),
        F::SuiNodeError { .. } => with(
            S::BAD_GATEWAY,
            "GET /ready shows whether the node at `sui.rpc_url` answers.",
        ),
        F::NotReady { .. } => with(
            S::SERVICE_UNAVAILABLE,
            "Poll GET /ready until it answers 200.",
        ),
        F::ShuttingDown {} => with(S::SERVICE_UNAVAILABLE, "Try again once it has restarted."),
        F::BadgeUsedElsewhere { .. } => with(
            S::SERVICE_UNAVAILABLE,
            "Stop the other daemon, or restore a newer copy of the database. If you know of the use and it is \
             harmless, restart once with `allow_foreign_use = true`.",
        ),
        F::BreakerOpen { .. } => with(
            S::SERVICE_UNAVAILABLE,
            "GET /transactions?status=failed shows why they failed.",
        ),
        F::OutcomeUnknown { transaction_id, .. } => with(
            S::GATEWAY_TIMEOUT,
            format!(
                "It stays queued until its outcome is known; poll GET /transactions/{transaction_id}."
            ),
        ),
        F::Internal { .. } => with(
            S::INTERNAL_SERVER_ERROR,
            "The daemon's log has more about it.",
        ),
        F::Unrecognized { .. } => with(
            S::INTERNAL_SERVER_ERROR,
            "Another version of the daemon recorded it and can explain it.",
        ),
    }
}
