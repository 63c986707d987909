use atoma_domain::ObjectId;
use sui_rpc::proto::sui::rpc::v2::changed_object::OutputObjectState as Output;

use super::*;

const PACKAGE: ObjectId = ObjectId::TWO;

fn failed(error: proto::ExecutionError) -> proto::ExecutionStatus {
    let mut status = proto::ExecutionStatus::default();
    status.success = Some(false);
    status.error = Some(error);
    status
}

fn error(kind: ExecutionErrorKind) -> proto::ExecutionError {
    proto::ExecutionError::default().with_kind(kind)
}

#[test]
fn an_abort_is_read_from_its_fields() {
    let location = proto::MoveLocation::default()
        .with_package("0x2")
        .with_module("db")
        .with_function_name("claim_funds");
    let abort = proto::MoveAbort::default()
        .with_abort_code(312_012_032)
        .with_location(location);
    let status = failed(
        error(ExecutionErrorKind::MoveAbort)
            .with_command(1)
            .with_abort(abort),
    );
    let expected = Abort {
        module: "db".to_owned(),
        function: Some("claim_funds".to_owned()),
        abort_code: 312_012_032,
        command: Some(1),
    };
    assert_eq!(outcome(&status).unwrap(), ExecutionOutcome::Abort(expected));
}

#[test]
fn a_cancellation_is_not_a_failure_and_out_of_gas_is_marked() {
    for kind in [
        ExecutionErrorKind::ExecutionCanceledDueToConsensusObjectCongestion,
        ExecutionErrorKind::ExecutionCanceledDueToRandomnessUnavailable,
    ] {
        let read = outcome(&failed(error(kind))).unwrap();
        assert!(
            matches!(read, ExecutionOutcome::Cancelled { reason } if reason == kind.as_str_name())
        );
    }
    let read = outcome(&failed(error(ExecutionErrorKind::InsufficientGas))).unwrap();
    assert!(matches!(
        read,
        ExecutionOutcome::Failed {
            out_of_gas: true,
            ..
        }
    ));
}

#[test]
fn error_kinds_of_a_later_network_are_failures() {
    let mut unknown = error(ExecutionErrorKind::Unknown).with_description("a new description");
    unknown.kind = Some(9_999);
    let read = outcome(&failed(unknown)).unwrap();
    let expected = ExecutionOutcome::Failed {
        reason: "error of kind 9999: a new description".to_owned(),
        out_of_gas: false,
    };
    assert_eq!(read, expected);
}

#[test]
fn an_empty_status_is_not_a_success() {
    assert!(outcome(&proto::ExecutionStatus::default()).is_err());
}

/// If its outcome could not be read, the engine would wait for the attempt forever.
#[test]
fn a_failure_without_details_is_a_failure() {
    let mut without_error = proto::ExecutionStatus::default();
    without_error.success = Some(false);
    let without_location = failed(error(ExecutionErrorKind::MoveAbort));
    for status in [without_error, without_location] {
        let read = outcome(&status).unwrap();
        assert!(
            matches!(
                read,
                ExecutionOutcome::Failed {
                    out_of_gas: false,
                    ..
                }
            ),
            "{read:?}"
        );
    }
}

fn changed(id: ObjectId, state: Output) -> proto::ChangedObject {
    proto::ChangedObject::default()
        .with_object_id(id.to_string())
        .with_output_state(state)
        .with_output_digest(Digest::new([3; 32]).to_string())
}

fn effects() -> proto::TransactionEffects {
    let mut status = proto::ExecutionStatus::default();
    status.success = Some(true);
    let gas = proto::GasCostSummary::default()
        .with_computation_cost(1_000)
        .with_storage_cost(500)
        .with_storage_rebate(200);
    let mut deleted = changed(ObjectId::ZERO, Output::DoesNotExist);
    deleted.output_digest = None;
    proto::TransactionEffects::default()
        .with_bcs(proto::Bcs::from(vec![9]))
        .with_status(status)
        .with_epoch(4)
        .with_gas_used(gas)
        .with_transaction_digest(Digest::new([1; 32]).to_string())
        .with_lamport_version(12)
        .with_gas_object(changed(ObjectId::TWO, Output::ObjectWrite))
        .with_changed_objects(vec![deleted, changed(ObjectId::TWO, Output::ObjectWrite)])
}

#[test]
fn a_rebate_that_is_larger_than_the_gas_comes_back() {
    let mut effects = effects();
    let gas = effects.gas_used.take().unwrap();
    effects.gas_used = Some(gas.with_storage_rebate(1_900));
    let transaction = proto::ExecutedTransaction::default().with_effects(effects);
    let types = EventTypes::new(PACKAGE, PACKAGE);
    let read = executed(&transaction, Digest::new([1; 32]), &types).unwrap();
    assert_eq!(
        (read.gas_used, read.gas_returned),
        (Mist::ZERO, Mist::new(400))
    );
}

#[test]
fn effects_give_new_versions_and_net_gas() {
    let transaction = proto::ExecutedTransaction::default()
        .with_effects(effects())
        .with_checkpoint(8);
    let types = EventTypes::new(PACKAGE, PACKAGE);
    let read = executed(&transaction, Digest::new([1; 32]), &types).unwrap();
    assert_eq!(read.gas_used, Mist::new(1_300));
    assert_eq!(read.gas_returned, Mist::ZERO);
    assert_eq!(read.epoch, Epoch::new(4));
    assert_eq!(read.checkpoint, Some(CheckpointNumber::new(8)));
    let coin = ObjectReference::new(ObjectId::TWO, 12, Digest::new([3; 32]));
    assert_eq!(read.gas_coin, Some(coin.clone()));
    assert_eq!(read.written, BTreeMap::from([(ObjectId::TWO, coin)]));
    assert_eq!(read.effects, vec![9]);
}

#[test]
fn effects_of_another_transaction_are_rejected() {
    let transaction = proto::ExecutedTransaction::default().with_effects(effects());
    let types = EventTypes::new(PACKAGE, PACKAGE);
    assert!(executed(&transaction, Digest::new([2; 32]), &types).is_err());
}
