//! The response headers that describe the node, as full nodes send them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderValue, Request, Response};
use sui_rpc::headers::{
    X_SUI_CHAIN, X_SUI_CHAIN_ID, X_SUI_CHECKPOINT_HEIGHT, X_SUI_EPOCH,
    X_SUI_LOWEST_AVAILABLE_CHECKPOINT, X_SUI_LOWEST_AVAILABLE_CHECKPOINT_OBJECTS, X_SUI_TIMESTAMP,
    X_SUI_TIMESTAMP_MS,
};
use sui_rpc::proto::timestamp_ms_to_proto;
use sui_sdk_types::Digest;
use tonic::metadata::MetadataMap;
use tower::{Layer, Service};

use super::node::{Node, SecondNode};
use crate::core::NetworkCore;
use crate::faults::{FaultKind, Faults};

/// How many checkpoints the height in the headers is ahead of the response. A full node adds it
/// after it has computed the response, so clients must allow for some. This network always is as far
/// ahead as they must allow for, and never further.
const AHEAD: u64 = 16;

/// The chain's name and the server's, as `GetServiceInfo` returns them.
pub(super) const CHAIN: &str = "localnet";
pub(super) const SERVER: &str = concat!("atoma-localnet/", env!("CARGO_PKG_VERSION"));

/// Adds the headers to every response, errors included.
#[derive(Debug, Clone)]
pub(crate) struct NodeHeaders {
    core: Arc<NetworkCore>,
    faults: Arc<Faults>,
}

impl NodeHeaders {
    pub(crate) const fn new(core: Arc<NetworkCore>, faults: Arc<Faults>) -> Self {
        Self { core, faults }
    }

    fn now(&self, second: SecondNode) -> HeaderMap {
        let node = Node::of(&self.core, &self.faults, Some(&second));
        let behind = node.behind();
        let ledger = self.core.ledger();
        // A node that lags says by how much.
        let height = match behind {
            0 => ledger.height().saturating_add(AHEAD),
            _ => ledger.height().saturating_sub(behind),
        };
        let lowest = node.lowest_at(height.min(ledger.height()));
        let lagging = ledger.checkpoint(height).filter(|_| behind > 0);
        let epoch = lagging.map_or(ledger.epoch().epoch, |checkpoint| checkpoint.epoch);
        let lagging_ms = lagging.map(|checkpoint| checkpoint.timestamp_ms);
        let chain_id = match self.faults.take(FaultKind::OtherChain) {
            Some(_) => Digest::new([0xff; 32]),
            None => ledger.chain_id(),
        };
        let chain_id = HeaderValue::from_str(&chain_id.to_string());
        let mut headers = HeaderMap::new();
        if let Ok(chain_id) = chain_id {
            headers.insert(X_SUI_CHAIN_ID, chain_id);
        }
        headers.insert(X_SUI_CHECKPOINT_HEIGHT, node.named_height(height).into());
        let tip_ms = lagging_ms.unwrap_or_else(|| tip_ms(&self.core, &self.faults));
        headers.insert(X_SUI_TIMESTAMP_MS, tip_ms.into());
        let time = timestamp_ms_to_proto(tip_ms).to_string();
        if let Ok(time) = HeaderValue::from_str(&time) {
            headers.insert(X_SUI_TIMESTAMP, time);
        }
        headers.insert(X_SUI_CHAIN, HeaderValue::from_static(CHAIN));
        headers.insert(X_SUI_EPOCH, epoch.into());
        headers.insert(X_SUI_LOWEST_AVAILABLE_CHECKPOINT, lowest.into());
        headers.insert(X_SUI_LOWEST_AVAILABLE_CHECKPOINT_OBJECTS, lowest.into());
        headers.insert(http::header::SERVER, HeaderValue::from_static(SERVER));
        headers
    }
}

/// The time of the newest checkpoint, in milliseconds since the Unix epoch. Other networks make
/// checkpoints all the time; this one need not, so an idle network reports the present.
pub(super) fn tip_ms(core: &NetworkCore, faults: &Faults) -> u64 {
    let age = faults.take(FaultKind::OldTip).unwrap_or_default();
    let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    core.clock.now_ms().saturating_sub(age)
}

/// Marks a response as that of a node that has executed nothing since the genesis.
pub(super) fn lagging(metadata: &mut MetadataMap) {
    metadata.insert(X_SUI_CHECKPOINT_HEIGHT, 0.into());
}

impl<S> Layer<S> for NodeHeaders {
    type Service = WithHeaders<S>;

    fn layer(&self, inner: S) -> WithHeaders<S> {
        WithHeaders {
            inner,
            headers: self.clone(),
        }
    }
}

/// A service with the headers.
#[derive(Debug, Clone)]
pub(crate) struct WithHeaders<S> {
    inner: S,
    headers: NodeHeaders,
}

impl<S, In, Out> Service<Request<In>> for WithHeaders<S>
where
    S: Service<Request<In>, Response = Response<Out>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<In>) -> Self::Future {
        let core = &self.headers.core;
        let second = SecondNode(self.headers.faults.is_seconds_turn(core.clock.now_ms()));
        request.extensions_mut().insert(second);
        // Read before the response is computed: the response has at least this.
        let headers = self.headers.now(second);
        let responded = self.inner.call(request);
        Box::pin(async move {
            let mut response = responded.await?;
            for (name, value) in &headers {
                response.headers_mut().entry(name).or_insert(value.clone());
            }
            Ok(response)
        })
    }
}
