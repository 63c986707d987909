//! gRPC statuses with their details (`grpc-status-details-bin`), as a full node sends them.

use prost::Message as _;
use sui_rpc::proto::google::rpc;
use tonic::{Code, Status};

/// A status whose details repeat it as a `google.rpc.Status`.
pub(crate) fn new(code: Code, message: String) -> Status {
    with_details(code, message, Vec::new())
}

/// `INVALID_ARGUMENT` for one field of a request, with a `google.rpc.BadRequest` that names it.
pub(crate) fn bad_request(field: &str, description: &str) -> Status {
    let violation = rpc::bad_request::FieldViolation {
        field: field.to_owned(),
        description: description.to_owned(),
        reason: "FIELD_INVALID".to_owned(),
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
