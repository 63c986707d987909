//! What every request and response of the node passes through.
//!
//! Several nodes can answer at one address: a load balancer's, or those of a test network that was
//! reset. So each response must show that it comes from the expected chain before anything reads
//! it: by the chain id in its headers, which full nodes send, or else by the node's service info.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use atoma_domain::Digest;
use atoma_domain::ports::BoxedError;
use sui_rpc::Client;
use sui_rpc::client::ResponseExt as _;
use sui_rpc::proto::sui::rpc::v2 as proto;
use tonic::body::Body;
use tonic::{Code, Request, Status};
use tower::{Layer, Service};

use super::fault::{Fault, NodeFault};
use super::limiter::{Limiter, Priority, RequestLimit, UsedUp};
use super::url::NodeUrl;
use crate::response::parse;

type HttpRequest = http::Request<Body>;
type HttpResponse = http::Response<Body>;

/// The call that reports the node's chain, whose response tells its chain itself.
const SERVICE_INFO: &str = "/sui.rpc.v2.LedgerService/GetServiceInfo";

/// How long to wait for the service info that tells the chain of a response.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The gate to one address. Clones share the expected chain.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    url: Arc<NodeUrl>,
    expected: Arc<OnceLock<Digest>>,
    limiter: Option<Arc<Limiter>>,
}

impl Gate {
    /// The gate to an address, whose chain must be the one that the other addresses expect too.
    pub(crate) fn new(
        url: NodeUrl,
        expected: Arc<OnceLock<Digest>>,
        limit: Option<RequestLimit>,
    ) -> Self {
        Self {
            url: Arc::new(url),
            expected,
            limiter: limit.map(|limit| Arc::new(Limiter::new(limit))),
        }
    }

    /// How many requests wait because of the node's limit.
    pub(crate) fn waiting(&self) -> usize {
        self.limiter.as_ref().map_or(0, |limiter| limiter.waiting())
    }

    pub(crate) fn url(&self) -> &NodeUrl {
        &self.url
    }

    /// Passes all of a client's calls through this gate, with this priority where there is a limit.
    pub(crate) fn guard(&self, client: Client, priority: Priority) -> Client {
        let unchecked = client.clone().request_layer(GateLayer {
            gate: self.clone(),
            priority,
            identify: None,
        });
        client.request_layer(GateLayer {
            gate: self.clone(),
            priority,
            identify: Some(unchecked),
        })
    }

    /// Whether a chain is expected already.
    pub(crate) fn knows_chain(&self) -> bool {
        self.expected.get().is_some()
    }

    /// Expects this chain from now on.
    ///
    /// # Errors
    /// When another one is expected.
    pub(crate) fn expect(&self, chain: Digest) -> Result<(), NodeFault> {
        let expected = *self.expected.get_or_init(|| chain);
        if expected == chain {
            return Ok(());
        }
        Err(self.fault(Fault::OtherChain {
            expected,
            found: chain,
        }))
    }

    /// Checks a chain against the expected one, if there is one yet.
    ///
    /// # Errors
    /// When another one is expected.
    pub(crate) fn check(&self, chain: Digest) -> Result<(), NodeFault> {
        match self.expected.get() {
            Some(_) => self.expect(chain),
            None => Ok(()),
        }
    }

    /// The error for a call that took too long.
    pub(crate) fn timeout(&self) -> NodeFault {
        self.fault(Fault::Timeout)
    }

    fn fault(&self, fault: Fault) -> NodeFault {
        NodeFault {
            node: self.url.clone(),
            fault,
        }
    }

    /// Checks that a response comes from the expected chain. The first chain that answers anything
    /// but a service info is expected from then on.
    async fn check_origin(
        &self,
        origin: Origin,
        is_service_info: bool,
        identify: Client,
    ) -> Result<(), Status> {
        let found = match origin {
            Origin::Chain(chain) => chain,
            Origin::Irrelevant => return Ok(()),
            Origin::Unknown if is_service_info => return Ok(()),
            Origin::Unknown => self.identified(identify).await?,
        };
        let checked = if is_service_info {
            self.check(found)
        } else {
            self.expect(found)
        };
        checked.map_err(Status::from)
    }

    /// The chain according to the node's service info.
    async fn identified(&self, mut client: Client) -> Result<Digest, Status> {
        let mut request = Request::new(proto::GetServiceInfoRequest::default());
        request.set_timeout(TIMEOUT);
        let info = client.ledger_client().get_service_info(request).await?;
        parse(info.get_ref().chain_id.as_deref(), "the chain's id")
            .map_err(|_| self.fault(Fault::NoChain).into())
    }
}

/// Where a response comes from, according to its headers.
enum Origin {
    Chain(Digest),
    Unknown,
    /// Unknown too, but nothing can be concluded from the response.
    Irrelevant,
}

impl Origin {
    fn of(response: &HttpResponse) -> Self {
        if let Some(chain) = response.headers().chain_id() {
            return Self::Chain(chain);
        }
        match Status::from_header_map(response.headers()) {
            // An error says something about the chain only if something does not exist or is
            // refused. Gateways answer with other codes.
            Some(status)
                if !matches!(
                    status.code(),
                    Code::Ok | Code::NotFound | Code::InvalidArgument | Code::FailedPrecondition
                ) =>
            {
                Self::Irrelevant
            }
            _ => Self::Unknown,
        }
    }
}

#[derive(Clone)]
struct GateLayer {
    gate: Gate,
    priority: Priority,
    /// The client that asks nodes which send no chain id. `None` for that client itself.
    identify: Option<Client>,
}

impl<S> Layer<S> for GateLayer {
    type Service = GateService<S>;

    fn layer(&self, inner: S) -> GateService<S> {
        GateService {
            inner,
            layer: self.clone(),
            turn: Turn::Free,
        }
    }
}

struct GateService<S> {
    inner: S,
    layer: GateLayer,
    turn: Turn,
}

/// Whether the next call may be made under the node's limit.
enum Turn {
    /// Nobody has asked yet.
    Free,
    Waiting(Pin<Box<dyn Future<Output = Result<(), UsedUp>> + Send>>),
    /// It may.
    Given,
}

impl Turn {
    fn poll(&mut self, layer: &GateLayer, context: &mut Context<'_>) -> Poll<Result<(), UsedUp>> {
        loop {
            match self {
                Self::Given => return Poll::Ready(Ok(())),
                Self::Waiting(turn) => {
                    let given = std::task::ready!(turn.as_mut().poll(context));
                    *self = match given {
                        Ok(()) => Self::Given,
                        Err(UsedUp) => Self::Free,
                    };
                    given?;
                }
                Self::Free => match layer.gate.limiter.clone() {
                    None => *self = Self::Given,
                    Some(limiter) => {
                        let priority = layer.priority;
                        let turn = async move { limiter.acquire(priority).await };
                        *self = Self::Waiting(Box::pin(turn));
                    }
                },
            }
        }
    }
}

impl<S> Service<HttpRequest> for GateService<S>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxedError>,
    S::Future: Send + 'static,
{
    type Response = HttpResponse;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Status>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        let gate = &self.layer.gate;
        if std::task::ready!(self.turn.poll(&self.layer, context)).is_err() {
            let limit = gate
                .limiter
                .as_ref()
                .map_or(0, |limiter| limiter.limit().get());
            return Poll::Ready(Err(gate.fault(Fault::UsedUp { limit }).into()));
        }
        let ready = self.inner.poll_ready(context);
        ready.map_err(|error| gate.fault(Fault::of_transport(&*error, &gate.url)).into())
    }

    fn call(&mut self, mut request: HttpRequest) -> Self::Future {
        self.turn = Turn::Free;
        let GateLayer { gate, identify, .. } = self.layer.clone();
        let is_service_info = request.uri().path() == SERVICE_INFO;
        match gate.url.with_prefix(request.uri()) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => {
                let status = Status::internal(error.to_string());
                return Box::pin(async move { Err(status) });
            }
        }
        let responded = self.inner.call(request);
        Box::pin(async move {
            let response = responded
                .await
                .map_err(|error| gate.fault(Fault::of_transport(&*error, &gate.url)))?;
            if let Some(fault) = Fault::of_http(&response) {
                return Err(gate.fault(fault).into());
            }
            if let Some(identify) = identify {
                let origin = Origin::of(&response);
                gate.check_origin(origin, is_service_info, identify).await?;
            }
            if let Some(status) = Status::from_header_map(response.headers())
                && status.code() == Code::Unimplemented
            {
                let fault = Fault::Unimplemented(status.message().to_owned());
                return Err(gate.fault(fault).into());
            }
            Ok(response)
        })
    }
}
