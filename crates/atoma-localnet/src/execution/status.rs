//! gRPC statuses with their details (`grpc-status-details-bin`), as a full node sends them.

use prost::Message as _;
use sui_rpc::proto::google::rpc;
use sui_rpc::proto::sui::rpc::v2::ErrorReason;
use tonic::{Code, Status};

/// A status whose details repeat it as a `google.rpc.Status`.
pub(crate) fn new(code: Code, message: impl Into<String>) -> Status {
    with_details(code, message.into(), Vec::new())
}

/// `INVALID_ARGUMENT` for a field that can't be read, with a `google.rpc.BadRequest` that names it.
pub(crate) fn bad_request(field: &str, description: &str) -> Status {
    violation(field, description, ErrorReason::FieldInvalid)
}

/// `INVALID_ARGUMENT` for a field that is missing, with a `google.rpc.BadRequest` that names it. Full nodes
/// describe some of them, and of others only say the field's name in the details.
pub(crate) fn missing(field: &str, description: &str) -> Status {
    violation(field, description, ErrorReason::FieldMissing)
}

fn violation(field: &str, description: &str, reason: ErrorReason) -> Status {
    let violation = rpc::bad_request::FieldViolation {
        field: field.to_owned(),
        description: description.to_owned(),
        reason: reason.into(),
        ..Default::default()
    };
    let request = rpc::BadRequest {
        field_violations: vec![violation],
    };
    let details = prost_types::Any::from_msg(&request);
    with_details(
        Code::InvalidArgument,
        description.to_owned(),
        details.into_iter().collect(),
    )
}

fn with_details(code: Code, message: String, details: Vec<prost_types::Any>) -> Status {
    let status = rpc::Status {
        code: code.into(),
        message: message.clone(),
        details,
    };
    Status::with_details(code, message, status.encode_to_vec().into())
}
