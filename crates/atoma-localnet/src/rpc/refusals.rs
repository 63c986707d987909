//! The statuses of injected refusals, with the details that the network sends.

use std::time::Duration;

use prost::Message as _;
use sui_rpc::proto::google::rpc;
use sui_sdk_types::{Digest, Input, Transaction, TransactionKind};
use tonic::{Code, Status};

use crate::execution::TransactionRefusal;

/// `google.rpc.RetryInfo` with the delay after which a client may try again.
pub(super) fn rate_limited(delay: Duration) -> Status {
    let message = "Too many requests (injected)";
    let info = rpc::RetryInfo {
        retry_delay: delay.try_into().ok(),
    };
    let status = rpc::Status {
        code: Code::ResourceExhausted.into(),
        message: message.to_owned(),
        details: prost_types::Any::from_msg(&info).into_iter().collect(),
    };
    let details = status.encode_to_vec().into();
    Status::with_details(Code::ResourceExhausted, message, details)
}

/// Another transaction holds the transaction's first owned input.
pub(super) fn lock_conflict(transaction: &Transaction) -> Option<Status> {
    let inputs = match &transaction.kind {
        TransactionKind::ProgrammableTransaction(programmable) => &programmable.inputs[..],
        _ => &[],
    };
    let owned = inputs.iter().find_map(|input| match input {
        Input::ImmutableOrOwned(object) => Some(object),
        _ => None,
    });
    let locked = owned.or(transaction.gas_payment.objects.first())?.clone();
    // The other transaction is unknown here, as it is to the client.
    let holder = Digest::new([0xee; 32]);
    Some(TransactionRefusal::LockConflict { locked, holder }.execution_status())
}
