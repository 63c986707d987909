//! Objects in a node's responses.

use atoma_domain::ports::ChainError;
use atoma_domain::{ObjectId, ObjectReference};
use bytes::Bytes;
use sui_rpc::proto::sui::rpc::v2 as proto;
use tonic::{Code, Status};

use crate::refusal::read_error;
use crate::response::{malformed, parse};

/// An object, as read from a node.
#[derive(Clone, Debug)]
pub(crate) struct ObjectRead {
    pub(crate) reference: ObjectReference,
    pub(crate) object_type: Option<String>,
    /// The initial shared version, if the object is shared.
    pub(crate) initial_shared_version: Option<u64>,
    contents: Bytes,
}

impl ObjectRead {
    pub(crate) fn new(id: ObjectId, object: proto::Object) -> Result<Self, ChainError> {
        let reference = reference(&object)?;
        if *reference.object_id() != id {
            return Err(malformed("the requested object"));
        }
        let initial_shared_version = object
            .owner
            .as_ref()
            .filter(|owner| owner.kind() == proto::owner::OwnerKind::Shared)
            .and_then(|owner| owner.version);
        Ok(Self {
            reference,
            object_type: object.object_type,
            initial_shared_version,
            contents: object
                .contents
                .and_then(|contents| contents.value)
                .unwrap_or_default(),
        })
    }

    /// Decodes the contents.
    pub(crate) fn decode<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
    ) -> Result<T, ChainError> {
        bcs::from_bytes(&self.contents).map_err(|_| malformed(what))
    }

    /// The key of a table's entry, if the object has the length of one: `0x2::dynamic_field::Field` begins with its id and its
    /// name, which all tables of the contract have in eight bytes.
    pub(crate) fn table_key(&self) -> Option<u64> {
        let key = self.contents.get(ObjectId::LENGTH..)?.first_chunk()?;
        Some(u64::from_le_bytes(*key))
    }
}

/// The object's id, version and digest.
pub(crate) fn reference(object: &proto::Object) -> Result<ObjectReference, ChainError> {
    Ok(ObjectReference::new(
        parse(object.object_id.as_deref(), "an object's id")?,
        object.version.ok_or(malformed("an object's version"))?,
        parse(object.digest.as_deref(), "an object's digest")?,
    ))
}

/// The objects of a response, in the order of the request.
pub(super) fn read_batch(
    ids: &[ObjectId],
    response: proto::BatchGetObjectsResponse,
) -> Result<Vec<Option<ObjectRead>>, ChainError> {
    if response.objects.len() != ids.len() {
        return Err(malformed("one result for each object"));
    }
    ids.iter()
        .zip(response.objects)
        .map(|(id, result)| match result.to_result() {
            Ok(object) => ObjectRead::new(*id, object).map(Some),
            Err(error) if Code::from(error.code) == Code::NotFound => Ok(None),
            Err(error) => Err(read_error(Status::new(
                Code::from(error.code),
                error.message,
            ))),
        })
        .collect()
}
