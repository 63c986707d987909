use atoma_domain::Digest;

use super::*;

const OBJECT: &str = "0xdba0339f14877799f829e0b07e262c47d77122d41b884cd3cd273b8fef77cfa8";
const OTHER: &str = "0xa3b25765e4f7f4524367fa792b608483157bfef919108f0d998c6980493fc7bc";

fn kind(message: String) -> RefusalKind {
    refusal(&Status::invalid_argument(message)).kind
}

fn object() -> Option<ObjectId> {
    Some(OBJECT.parse().unwrap())
}

#[test]
fn a_version_that_is_not_current_is_classified_with_its_object() {
    let messages = [
        format!(
            "Transaction is rejected as invalid by more than 1/3 of validators by stake (non-retriable). \
             Non-retriable errors: [Transaction needs to be rebuilt because object {OBJECT} version \
             0x3b6310bb (C3ZC4SJWvjCeeAtAFYQSGXknKRS2enYjQv5gtZKmkgoe) is unavailable for consumption, \
             current version: 0x3b6310bc with 6942 stake]."
        ),
        format!(
            "Transaction validator signing failed due to issues with transaction inputs: \
             - Object {OTHER} is fine - Object ID {OBJECT} Version 0xb0cb7f7 Digest \
             FKkELfAR3vP19MrjwEwTapH3JDbdZuxqcC25CoALNUsN is not available for consumption, \
             current version: 0xb0cb7f8"
        ),
        format!(
            "Could not find the referenced object {OBJECT} as the asked version 0x9 is higher than \
             the latest 0x7"
        ),
        format!(
            "Could not find the referenced object {OBJECT} at version Some(SequenceNumber(9))."
        ),
        format!("Object {OBJECT} with version 9 not found"),
        format!("provided version doesn't match for object {OBJECT}, provided: 9 actual: 0x7"),
        format!(
            "[Object ({OBJECT}, SequenceNumber(996543668), o#5GbQg7Fp) already locked by a \
             different transaction: TransactionDigest(HoApeRJReKXUfF43BxKw)]"
        ),
        format!("Invalid Object digest for object {OBJECT}. Expected digest : 5GbQg7Fp."),
    ];
    for message in messages {
        assert_eq!(
            kind(message.clone()),
            RefusalKind::ObjectVersion { object: object() },
            "{message}"
        );
    }
}

#[test]
fn objects_that_are_gone_or_owned_by_others_are_classified() {
    let messages = [
        format!("Could not find the referenced object {OBJECT} at version None."),
        format!("Object {OBJECT} not found"),
        format!(
            "Object {OBJECT} is owned by account address {OTHER}, but given owner/signer address \
             is {OTHER}"
        ),
        format!("Object deleted at reference ({OBJECT}, SequenceNumber(4), o#1111)."),
    ];
    for message in messages {
        assert_eq!(
            kind(message.clone()),
            RefusalKind::ObjectNotUsable { object: object() },
            "{message}"
        );
    }
    assert_eq!(
        kind("Gas object is not an owned object with owner: Immutable.".to_owned()),
        RefusalKind::ObjectNotUsable { object: None }
    );
}

#[test]
fn expiration_gas_and_everything_else() {
    let cases = [
        ("Transaction Expired", RefusalKind::Expired),
        (
            "Balance of gas object 10 is lower than the needed amount: 100.",
            RefusalKind::GasBalance,
        ),
        (
            "Gas price 1 under reference gas price (RGP) 750",
            RefusalKind::GasTerms,
        ),
        (
            "Gas budget: 1 is lower than min: 1000000.",
            RefusalKind::GasBudgetTooLow,
        ),
        (
            "Gas budget: 60000000000 is higher than max: 50000000000.",
            RefusalKind::GasTerms,
        ),
        (
            "Invalid user signature: it does not verify",
            RefusalKind::Invalid,
        ),
        (
            "Size limit exceeded: maximum commands in a programmable transaction is 1025",
            RefusalKind::Invalid,
        ),
        (
            "Commands following a command with Random can only be TransferObjects or MergeCoins",
            RefusalKind::Invalid,
        ),
        (
            "Wrong number of parameters for the transaction",
            RefusalKind::Invalid,
        ),
        (
            "Sequence numbers above the maximal value are not usable for transfers",
            RefusalKind::Invalid,
        ),
        (
            "Immutable parameter provided, mutable parameter expected",
            RefusalKind::Invalid,
        ),
        (
            "1 max publish/upgrade commands allowed, 2 provided",
            RefusalKind::Invalid,
        ),
        (
            "Invalid identifier found in the transaction: a b",
            RefusalKind::Invalid,
        ),
        (
            "Invalid transaction expiration: Address balance gas payments require ValidDuring expiration",
            RefusalKind::Invalid,
        ),
        (
            "Transaction with empty gas payment must specify an expiration.",
            RefusalKind::Invalid,
        ),
        (
            "Transaction kind does not support Sponsored Transaction",
            RefusalKind::Invalid,
        ),
        // What a node's configuration or the state of a coin forbids may be allowed later.
        ("Transaction is denied: not today", RefusalKind::Other),
        (
            "Coin type is globally paused for use: 0x2::a::A",
            RefusalKind::Other,
        ),
        ("The weather is bad", RefusalKind::Other),
    ];
    for (message, expected) in cases {
        let prefixed = format!("Error checking transaction input objects: {message}");
        assert_eq!(kind(prefixed), expected, "{message}");
    }
}

#[test]
fn variants_printed_with_their_fields_are_classified_too() {
    let kind_of = |variant: &str| {
        kind(format!(
            "Error checking transaction input objects: {variant}"
        ))
    };
    let object = object();
    for variant in [
        format!(
            "ObjectVersionUnavailableForConsumption {{ provided_obj_ref: ({OBJECT}, \
             SequenceNumber(7), o#5GbQ), current_version: SequenceNumber(8) }}"
        ),
        format!("ObjectNotFound {{ object_id: {OBJECT}, version: Some(SequenceNumber(9)) }}"),
    ] {
        assert_eq!(kind_of(&variant), RefusalKind::ObjectVersion { object });
    }
    assert_eq!(
        kind_of(&format!(
            "ObjectNotFound {{ object_id: {OBJECT}, version: None }}"
        )),
        RefusalKind::ObjectNotUsable { object }
    );
    assert_eq!(
        kind_of("GasBalanceTooLow { gas_balance: 1, needed_gas_amount: 2 }"),
        RefusalKind::GasBalance
    );
    assert_eq!(
        kind_of("GasBudgetTooLow { gas_budget: 1, min_budget: 1000000 }"),
        RefusalKind::GasBudgetTooLow
    );
    assert_eq!(
        kind_of("GasPriceUnderRGP { gas_price: 1, reference_gas_price: 750 }"),
        RefusalKind::GasTerms
    );
}

#[test]
fn a_locked_input_is_recognized_by_the_code_alone() {
    assert_eq!(
        refusal(&Status::failed_precondition("in some future wording")).kind,
        RefusalKind::ObjectVersion { object: None }
    );
}

#[test]
fn only_the_codes_of_a_full_nodes_refusals_are_refusals() {
    for code in [Code::InvalidArgument, Code::FailedPrecondition] {
        let error = submit_error(Status::new(code, "no"));
        assert!(matches!(error, SubmitError::Refused(_)), "{code:?}");
    }
    for code in [
        // Produced by proxies in front of a node, or by a node with problems of its own.
        Code::NotFound,
        Code::PermissionDenied,
        Code::Unauthenticated,
        Code::Unimplemented,
        Code::Unavailable,
        Code::DeadlineExceeded,
        Code::Internal,
        Code::Cancelled,
        Code::Unknown,
        Code::Aborted,
        Code::AlreadyExists,
        Code::ResourceExhausted,
        Code::OutOfRange,
        Code::DataLoss,
    ] {
        let error = submit_error(Status::new(code, "gone"));
        assert!(matches!(error, SubmitError::Unknown(_)), "{code:?}");
    }
}

#[test]
fn packages_and_objects_that_are_taken_for_the_other_can_never_execute() {
    for message in [
        format!("A move object is expected, instead a move package is passed: {OBJECT}"),
        format!("A move package is expected, instead a move object is passed: {OBJECT}"),
        format!("Object {OBJECT} is a system object and cannot be accessed by user transactions"),
    ] {
        let prefixed = format!("Error checking transaction input objects: {message}");
        assert_eq!(kind(prefixed), RefusalKind::Invalid, "{message}");
    }
}

#[test]
fn a_missing_package_is_named() {
    let message = format!(
        "Error checking transaction input objects: Dependent package not found on-chain: {OBJECT}"
    );
    assert_eq!(
        kind(message),
        RefusalKind::ObjectNotUsable { object: object() }
    );
}

/// A full node simulates nothing that has expired, and answers `Internal` without the introduction of other
/// refusals.
#[test]
fn an_expired_simulation_is_a_refusal() {
    let error = simulation_error(Status::internal("Transaction Expired"));
    let ChainError::Answer(source) = error else {
        panic!("{error:?}");
    };
    let refusal = source.downcast_ref::<Refusal>().unwrap();
    assert_eq!(refusal.kind, RefusalKind::Expired);
    // Only a whole message says so.
    let error = simulation_error(Status::internal("a panic after: Transaction Expired"));
    let ChainError::Answer(source) = error else {
        panic!("{error:?}");
    };
    assert!(source.downcast_ref::<Refusal>().is_none(), "{source}");
}

/// A missing input may still arrive. A full node returns `Aborted` for it, whatever the message.
#[test]
fn a_missing_input_leaves_the_outcome_unknown() {
    let message = format!("Could not find the referenced object {OBJECT} at version None.");
    for code in [Code::Aborted, Code::NotFound, Code::Internal] {
        let error = submit_error(Status::new(code, message.clone()));
        assert!(matches!(error, SubmitError::Unknown(_)), "{code:?}");
    }
}

#[test]
fn a_simulations_refusal_is_recognized_by_its_message_under_other_codes_too() {
    let message = format!(
        "Error checking transaction input objects: Could not find the referenced object {OBJECT} \
         at version None."
    );
    // Older nodes return `Internal` for everything that they refuse to simulate.
    for code in [Code::NotFound, Code::Internal, Code::InvalidArgument] {
        let error = simulation_error(Status::new(code, message.clone()));
        let ChainError::Answer(source) = error else {
            panic!("{code:?}: {error:?}");
        };
        let refusal = source.downcast_ref::<Refusal>().unwrap();
        assert_eq!(
            refusal.kind,
            RefusalKind::ObjectNotUsable { object: object() }
        );
    }
    for status in [
        Status::not_found("no such service"),
        Status::internal("a panic"),
        Status::permission_denied("no such key"),
        Status::unauthenticated("who is it"),
        Status::unimplemented("no transaction executor"),
    ] {
        let error = simulation_error(status);
        let ChainError::Answer(source) = error else {
            panic!("{error:?}");
        };
        assert!(source.downcast_ref::<Refusal>().is_none(), "{source}");
    }
    let gone = simulation_error(Status::unavailable("gone"));
    assert!(matches!(gone, ChainError::Unavailable(_)), "{gone:?}");
}

/// A gateway in front of a node may not know a path; only the node names the missing transaction.
#[test]
fn a_transaction_is_absent_only_if_the_message_names_its_digest() {
    let digest = Digest::new([7; 32]);
    let absent = |message: String| is_absence(&Status::not_found(message), digest);
    assert!(absent(format!("Transaction {digest} not found")));
    assert!(!absent("Not Found".to_owned()));
    assert!(!absent(format!("Transaction {} not found", Digest::ZERO)));
    let internal = Status::internal(format!("Transaction {digest} not found"));
    assert!(!is_absence(&internal, digest));
}

#[test]
fn an_already_executed_transaction_is_not_refused() {
    let status = Status::invalid_argument(
        "Attempt to move to `Executed` state an transaction that has already been executed: 9x",
    );
    assert!(is_already_executed(&status));
    assert!(matches!(submit_error(status), SubmitError::Unknown(_)));
}
