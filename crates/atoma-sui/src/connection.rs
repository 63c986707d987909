//! The connection to a Sui node.

use std::fmt;
use std::time::Duration;

use atoma_domain::ports::{BoxedError, ChainError};
use atoma_domain::{ObjectId, ObjectReference};
use bytes::Bytes;
use futures::future::try_join_all;
use sui_rpc::Client;
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2 as proto;
use thiserror::Error;
use tonic::{Code, Request, Status};

use crate::refusal::read_error;
use crate::response::{malformed, parse};

/// The largest response that is accepted. Sui's own limit on an object is far lower.
const MAX_MESSAGE_BYTES: usize = 128 * 1024 * 1024;

/// Objects read per call. Full nodes accept more, archives don't.
pub(crate) const OBJECTS_PER_CALL: usize = 50;

/// The fields read of an object.
const OBJECT_MASK: [&str; 6] = [
    "object_id",
    "version",
    "digest",
    "contents",
    "object_type",
    "owner",
];

/// Which node to connect to, and which contract to use.
#[derive(Clone, PartialEq, Eq)]
pub struct SuiChainConfig {
    /// The node's gRPC address, such as `https://fullnode.testnet.sui.io`.
    pub rpc_url: String,
    /// The package to call: the contract's latest version.
    pub package_id: ObjectId,
    /// The contract's shared object.
    pub atoma_db_id: ObjectId,
    /// How long to wait for the response to a read or a simulation.
    pub request_timeout: Duration,
    /// How long to wait for a transaction's effects.
    pub execution_timeout: Duration,
}

impl SuiChainConfig {
    /// A configuration with the default timeouts: 10 seconds for reads, 60 for transactions.
    pub fn new(rpc_url: impl Into<String>, package_id: ObjectId, atoma_db_id: ObjectId) -> Self {
        Self {
            rpc_url: rpc_url.into(),
            package_id,
            atoma_db_id,
            request_timeout: Duration::from_secs(10),
            execution_timeout: Duration::from_secs(60),
        }
    }
}

/// Omits the node's address, which can contain a provider's access token.
impl fmt::Debug for SuiChainConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiChainConfig")
            .field("package_id", &self.package_id)
            .field("atoma_db_id", &self.atoma_db_id)
            .field("request_timeout", &self.request_timeout)
            .field("execution_timeout", &self.execution_timeout)
            .finish_non_exhaustive()
    }
}

/// The configured RPC address is not a valid URL.
#[derive(Debug, Error)]
#[error("the RPC address is not valid")]
pub struct ConnectError(#[source] BoxedError);

/// A connection that is opened on first use and reopened whenever it is lost.
#[derive(Clone)]
pub(crate) struct Connection {
    client: Client,
    request_timeout: Duration,
}

/// An object, as read from a node.
#[derive(Clone, Debug)]
pub(crate) struct ObjectRead {
    pub(crate) reference: ObjectReference,
    pub(crate) object_type: Option<String>,
    /// The initial shared version, if the object is shared.
    pub(crate) initial_shared_version: Option<u64>,
    contents: Bytes,
}

impl Connection {
    pub(crate) fn new(config: &SuiChainConfig) -> Result<Self, ConnectError> {
        let client = Client::new(config.rpc_url.as_str())
            .map_err(|status| ConnectError(status.into()))?
            .with_max_decoding_message_size(MAX_MESSAGE_BYTES);
        Ok(Self {
            client,
            request_timeout: config.request_timeout,
        })
    }

    /// The client, for requests made with [`timed`](Self::timed).
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// A client for streams, with a connection of its own. A stream has no deadline, so only the
    /// wait for response headers is limited.
    pub(crate) fn stream_client(&self) -> Client {
        self.client
            .clone()
            .with_response_headers_timeout(self.request_timeout)
    }

    /// A request that fails after the request timeout.
    pub(crate) fn timed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.request_timeout);
        request
    }

    /// The node's chain id, height and lowest available checkpoint.
    pub(crate) async fn service_info(&self) -> Result<proto::GetServiceInfoResponse, ChainError> {
        self.client()
            .ledger_client()
            .get_service_info(self.timed(proto::GetServiceInfoRequest::default()))
            .await
            .map(tonic::Response::into_inner)
            .map_err(read_error)
    }

    /// The given epoch, or the current one; `None` when the node doesn't know it.
    pub(crate) async fn epoch(
        &self,
        epoch: Option<u64>,
        mask: &[&str],
    ) -> Result<Option<proto::Epoch>, ChainError> {
        let request = epoch
            .map_or_else(proto::GetEpochRequest::latest, proto::GetEpochRequest::new)
            .with_read_mask(FieldMask::from_paths(mask));
        let response = self
            .client()
            .ledger_client()
            .get_epoch(self.timed(request))
            .await;
        match response {
            Ok(response) => Ok(Some(response.into_inner().epoch.ok_or(malformed("epoch"))?)),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(read_error(status)),
        }
    }

    /// The objects' latest versions, in order; `None` for those that don't exist. When several
    /// calls are needed, the call with the first object completes before the others start.
    pub(crate) async fn objects(
        &self,
        ids: &[ObjectId],
    ) -> Result<Vec<Option<ObjectRead>>, ChainError> {
        let mut chunks = ids.chunks(OBJECTS_PER_CALL);
        let mut objects = match chunks.next() {
            Some(first) => self.batch(first).await?,
            None => Vec::new(),
        };
        let others = try_join_all(chunks.map(|chunk| self.batch(chunk))).await?;
        objects.extend(others.into_iter().flatten());
        Ok(objects)
    }

    async fn batch(&self, ids: &[ObjectId]) -> Result<Vec<Option<ObjectRead>>, ChainError> {
        tracing::trace!(objects = ids.len(), "reading objects");
        let request = proto::BatchGetObjectsRequest::default()
            .with_requests(ids.iter().map(proto::GetObjectRequest::new).collect())
            .with_read_mask(FieldMask::from_paths(OBJECT_MASK));
        let response = self
            .client()
            .ledger_client()
            .batch_get_objects(self.timed(request))
            .await
            .map_err(read_error)?
            .into_inner();
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
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
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
}

/// The object's id, version and digest.
pub(crate) fn reference(object: &proto::Object) -> Result<ObjectReference, ChainError> {
    Ok(ObjectReference::new(
        parse(object.object_id.as_deref(), "an object's id")?,
        object.version.ok_or(malformed("an object's version"))?,
        parse(object.digest.as_deref(), "an object's digest")?,
    ))
}
