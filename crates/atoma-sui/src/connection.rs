//! The connection to a Sui node.

mod object;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use atoma_domain::ports::{BoxedError, ChainError};
use atoma_domain::{Digest, ObjectId};
use futures::future::try_join_all;
use sui_rpc::Client;
use sui_rpc::client::{HeadersInterceptor, ResponseExt as _};
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::proto_to_timestamp_ms;
use sui_rpc::proto::sui::rpc::v2 as proto;
use thiserror::Error;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response};

use crate::node::{self, Access, Gate, InvalidUrl, MaxLag, NodeUrl, Peers, Priority, RequestLimit};
use crate::refusal::read_error;
use crate::response::{malformed, parse};
use object::read_batch;
pub(crate) use object::{ObjectRead, reference};

/// The largest response that is accepted. Sui's own limit on an object is far lower.
const MAX_MESSAGE_BYTES: usize = 128 * 1024 * 1024;

/// How many versions of a package a node lists at most.
const MAX_PACKAGE_VERSIONS: u32 = 10_000;

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
#[derive(Clone)]
pub struct SuiChainConfig {
    /// The node's gRPC address, such as `https://fullnode.testnet.sui.io`. A path goes before the
    /// path of every call.
    pub rpc_url: String,
    /// What the node requires of its clients.
    pub access: Access,
    /// The package to call: the contract's latest version.
    pub package_id: ObjectId,
    /// The contract's shared object.
    pub atoma_db_id: ObjectId,
    /// How far the node may lag for its view of the contract to be used. `None` means no limit.
    pub max_lag: Option<MaxLag>,
    /// How many requests the node allows. `None` means no limit.
    pub limit: Option<RequestLimit>,
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
            access: Access::default(),
            max_lag: None,
            limit: None,
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

/// Why a configuration can't be used to connect to a node. Contains no part of the address.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The RPC address can't be used.
    #[error("the RPC address {0}")]
    Url(#[from] InvalidUrl),
    /// The certificates to trust can't be used.
    #[error("the certificates to trust can't be used")]
    Certificates(#[source] BoxedError),
}

/// A connection that is opened on first use and reopened whenever it is lost.
#[derive(Clone)]
pub(crate) struct Connection {
    /// The client without the gate.
    transport: Client,
    client: Client,
    gate: Gate,
    /// Whose turn it is where the node has a limit on requests.
    priority: Priority,
    peers: Peers,
    /// Whether the node was found to have no list calls.
    lacks_lists: Arc<AtomicBool>,
    request_timeout: Duration,
}

impl Connection {
    /// A connection to the configured node, which is measured by the same as its peers.
    pub(crate) fn new(config: &SuiChainConfig, peers: Peers) -> Result<Self, ConnectError> {
        let url: NodeUrl = config.rpc_url.parse()?;
        let endpoint = node::endpoint(&url, &config.access)
            .map_err(|error| ConnectError::Certificates(error.into()))?;
        let mut headers = HeadersInterceptor::new();
        *headers.headers_mut() = MetadataMap::from_headers(config.access.header_map());
        let transport = Client::from_endpoint(&endpoint)
            .with_headers(headers)
            .with_max_decoding_message_size(MAX_MESSAGE_BYTES);
        let gate = Gate::new(url, peers.expected.clone(), config.limit);
        Ok(Self {
            client: gate.guard(transport.clone(), Priority::Money),
            priority: Priority::Money,
            transport,
            gate,
            peers,
            lacks_lists: Arc::default(),
            request_timeout: config.request_timeout,
        })
    }

    /// The same connection, for requests of this priority.
    pub(crate) fn with_priority(&self, priority: Priority) -> Self {
        Self {
            client: self.gate.guard(self.transport.clone(), priority),
            priority,
            ..self.clone()
        }
    }

    /// Whether the node was found to have no calls that list the ledger.
    pub(crate) fn lacks_lists(&self) -> bool {
        self.lacks_lists.load(Ordering::Relaxed)
    }

    /// Notes that the node has no calls that list the ledger. Says whether that is new.
    pub(crate) fn note_lack_of_lists(&self) -> bool {
        !self.lacks_lists.swap(true, Ordering::Relaxed)
    }

    /// What every call passes through.
    pub(crate) const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// What this node and its peers are measured by.
    pub(crate) const fn peers(&self) -> &Peers {
        &self.peers
    }

    /// The client, for requests made with [`timed`](Self::timed).
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// A client for streams, with a connection of its own. A stream has no deadline, so only the
    /// wait for response headers is limited.
    pub(crate) fn stream_client(&self) -> Client {
        let transport = self.transport.clone();
        let transport = transport.with_response_headers_timeout(self.request_timeout);
        self.gate.guard(transport, self.priority)
    }

    /// A request that fails after the request timeout.
    pub(crate) fn timed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.request_timeout);
        request
    }

    /// The node's chain id, height and lowest available checkpoint.
    pub(crate) async fn service_info(&self) -> Result<proto::GetServiceInfoResponse, ChainError> {
        let info = self
            .client()
            .ledger_client()
            .get_service_info(self.timed(proto::GetServiceInfoRequest::default()))
            .await
            .map_err(read_error)?
            .into_inner();
        self.gate
            .check(parse(info.chain_id.as_deref(), "the chain's id")?)?;
        Ok(info)
    }

    /// The node's chain, which is expected of every response from now on.
    pub(crate) async fn identify(&self) -> Result<Digest, ChainError> {
        let info = self.service_info().await?;
        let chain = parse(info.chain_id.as_deref(), "the chain's id")?;
        self.gate.expect(chain)?;
        Ok(chain)
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

    /// The ids of a package's versions, oldest first; `None` if the node offers no such list.
    pub(crate) async fn package_versions(
        &self,
        package: ObjectId,
    ) -> Result<Option<Vec<ObjectId>>, ChainError> {
        let mut request = proto::ListPackageVersionsRequest::default();
        request.package_id = Some(package.to_string());
        request.page_size = Some(MAX_PACKAGE_VERSIONS);
        let response = self
            .client()
            .package_client()
            .list_package_versions(self.timed(request))
            .await;
        let response = match response {
            Ok(response) => response.into_inner(),
            Err(status) if status.code() == Code::Unimplemented => return Ok(None),
            Err(status) => return Err(read_error(status)),
        };
        let mut versions = response.versions;
        versions.sort_by_key(|version| version.version);
        versions
            .iter()
            .map(|version| parse(version.package_id.as_deref(), "a package's id"))
            .collect::<Result<_, _>>()
            .map(Some)
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

    /// The same for up to [`OBJECTS_PER_CALL`] objects, if the node that answers is not too far behind
    /// the network.
    ///
    /// # Errors
    /// [`ChainError::Late`] when it is.
    pub(crate) async fn fresh_objects(
        &self,
        ids: &[ObjectId],
    ) -> Result<Vec<Option<ObjectRead>>, ChainError> {
        let response = self.batch_response(ids).await?;
        match response.timestamp_ms() {
            Some(timestamp) => self.peers.freshness.check(self.gate.url(), timestamp)?,
            None if self.peers.freshness.is_limited() => {
                self.check_fresh(&self.service_info().await?)?;
            }
            None => {}
        }
        self.checked(read_batch(ids, response.into_inner())?)
    }

    /// Checks the time of the node's newest checkpoint, if it reports one.
    ///
    /// # Errors
    /// [`ChainError::Late`] when it is older than the limit.
    pub(crate) fn check_fresh(
        &self,
        info: &proto::GetServiceInfoResponse,
    ) -> Result<(), ChainError> {
        let timestamp = info.timestamp.map(proto_to_timestamp_ms);
        match timestamp.and_then(Result::ok) {
            Some(timestamp) => self.peers.freshness.check(self.gate.url(), timestamp),
            None => Ok(()),
        }
    }

    async fn batch(&self, ids: &[ObjectId]) -> Result<Vec<Option<ObjectRead>>, ChainError> {
        self.checked(read_batch(
            ids,
            self.batch_response(ids).await?.into_inner(),
        )?)
    }

    /// The objects, unless one of them is at a version that was superseded long ago.
    fn checked(
        &self,
        objects: Vec<Option<ObjectRead>>,
    ) -> Result<Vec<Option<ObjectRead>>, ChainError> {
        for object in objects.iter().flatten() {
            self.peers.versions.check(&object.reference)?;
        }
        Ok(objects)
    }

    async fn batch_response(
        &self,
        ids: &[ObjectId],
    ) -> Result<Response<proto::BatchGetObjectsResponse>, ChainError> {
        tracing::trace!(objects = ids.len(), "reading objects");
        let request = proto::BatchGetObjectsRequest::default()
            .with_requests(ids.iter().map(proto::GetObjectRequest::new).collect())
            .with_read_mask(FieldMask::from_paths(OBJECT_MASK));
        self.client()
            .ledger_client()
            .batch_get_objects(self.timed(request))
            .await
            .map_err(read_error)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}
