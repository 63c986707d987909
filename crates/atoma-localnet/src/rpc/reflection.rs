//! Server reflection: clients without the protos learn the services from the node.

use tonic_reflection::server::{Builder, Error, v1, v1alpha};

use super::health::SERVICES;

/// The descriptors of everything that the services use, and the names of those that are offered.
fn builder() -> Builder<'static> {
    SERVICES
        .into_iter()
        .chain(["grpc.health.v1.Health"])
        .fold(Builder::configure(), Builder::with_service_name)
        .register_encoded_file_descriptor_set(sui_rpc::proto::google::protobuf::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(sui_rpc::proto::google::rpc::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(sui_rpc::proto::sui::rpc::v2::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// `grpc.reflection.v1`.
///
/// # Errors
/// When a descriptor set can't be decoded.
pub(super) fn current() -> Result<v1::ServerReflectionServer<impl v1::ServerReflection>, Error> {
    builder()
        .with_service_name("grpc.reflection.v1.ServerReflection")
        .build_v1()
}

/// `grpc.reflection.v1alpha`, which older clients use.
///
/// # Errors
/// When a descriptor set can't be decoded.
pub(super) fn alpha()
-> Result<v1alpha::ServerReflectionServer<impl v1alpha::ServerReflection>, Error> {
    builder()
        .with_service_name("grpc.reflection.v1.ServerReflection")
        .build_v1alpha()
}
