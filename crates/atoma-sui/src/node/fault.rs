//! Why a node did not answer, or its answer can't be used, in words for operators.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use atoma_domain::Digest;
use atoma_domain::ports::{BoxedError, ChainError};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tonic::{Code, Status, TimeoutExpired};

use super::url::NodeUrl;

/// What went wrong between the daemon and the node at an address.
#[derive(Clone, Debug)]
pub(crate) struct NodeFault {
    pub(crate) node: Arc<NodeUrl>,
    pub(crate) fault: Fault,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The node is on another chain.
    OtherChain { expected: Digest, found: Digest },
    /// The node doesn't report its chain.
    NoChain,
    /// There is no connection, or it broke. The text names the cause.
    Transport(String),
    /// The call took too long.
    Timeout,
    /// The requests that the configuration allows are used up, and none became free in time.
    UsedUp {
        /// Requests in 30 seconds.
        limit: u32,
    },
    /// The response has an HTTP status other than 200, so it does not come from a node.
    Http(StatusCode),
    /// The response is not gRPC. The text is its content type.
    NotGrpc(String),
    /// The server speaks gRPC but doesn't know the call. The text is its message.
    Unimplemented(String),
}

/// An error response of a node.
#[derive(Clone, Debug)]
struct Answered {
    code: Code,
    message: String,
}

impl Fault {
    /// What is wrong with a response before its content is read; `None` if nothing is.
    pub(super) fn of_http<B>(response: &http::Response<B>) -> Option<Self> {
        if response.status() != StatusCode::OK {
            return Some(Self::Http(response.status()));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        match content_type {
            Some(content_type) if content_type.starts_with("application/grpc") => None,
            other => {
                // Only the type itself, and not too much of it: anybody can have sent it.
                let name = other
                    .unwrap_or("none")
                    .split(';')
                    .next()
                    .unwrap_or_default();
                Some(Self::NotGrpc(name.trim().chars().take(64).collect()))
            }
        }
    }

    /// The cause of a failed connection or call.
    pub(super) fn of_transport(error: &(dyn Error + 'static), url: &NodeUrl) -> Self {
        let mut last = error.to_string();
        let mut next = Some(error);
        while let Some(cause) = next {
            if cause.is::<TimeoutExpired>() {
                return Self::Timeout;
            }
            if let Some(status) = cause.downcast_ref::<Status>() {
                if matches!(status.code(), Code::DeadlineExceeded) {
                    return Self::Timeout;
                }
                last = status.message().to_owned();
            } else {
                last = cause.to_string();
            }
            if let Some(named) = named(cause, &last, url) {
                return Self::Transport(named);
            }
            // An `io::Error` is not the source of what it wraps.
            next = match cause
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref)
            {
                Some(inner) => Some(inner),
                None => cause.source(),
            };
        }
        Self::Transport(last)
    }
}

/// The plain name of a cause, if it is one of the common ones.
fn named(cause: &(dyn Error + 'static), text: &str, url: &NodeUrl) -> Option<String> {
    let host = url.host();
    if let Some(certificate) = text.strip_prefix("invalid peer certificate: ") {
        return Some(certificate_problem(certificate, host));
    }
    if text.contains("failed to lookup address") || text.contains("dns error") {
        return Some(format!("the host name {host} can't be resolved"));
    }
    if text.contains("connection closed") || text.contains("broken pipe") {
        return Some("the server closed the connection".to_owned());
    }
    if text.contains("HTTP/2 was not negotiated") {
        return Some("the server does not offer HTTP/2, which gRPC needs".to_owned());
    }
    if text.contains("InvalidContentType") {
        return Some("the server does not use TLS at this port; try http://".to_owned());
    }
    if text.contains("frame with invalid size") || text.contains("FRAME_SIZE_ERROR") {
        return Some("the server does not speak HTTP/2, which gRPC needs".to_owned());
    }
    let io = cause.downcast_ref::<io::Error>()?;
    let name = match io.kind() {
        io::ErrorKind::ConnectionRefused => "the connection was refused",
        io::ErrorKind::TimedOut => "the connection could not be opened in time",
        io::ErrorKind::HostUnreachable => "the host is unreachable",
        io::ErrorKind::NetworkUnreachable => "the network is unreachable",
        io::ErrorKind::ConnectionReset => "the server closed the connection",
        io::ErrorKind::UnexpectedEof => "the server closed the connection",
        _ => return None,
    };
    Some(name.to_owned())
}

fn certificate_problem(text: &str, host: &str) -> String {
    if text.contains("UnknownIssuer") || text.contains("CaUsedAsEndEntity") {
        return "its certificate comes from an unknown authority; name the authority's file in \
                `sui.ca_file`"
            .to_owned();
    }
    if text.contains("not valid for") || text.contains("NotValidForName") {
        return format!("its certificate is not valid for the name {host}");
    }
    if text.contains("xpired") {
        return "its certificate has expired, or this machine's clock is wrong".to_owned();
    }
    format!("its certificate is invalid ({text})")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherChain { expected, found } => {
                write!(f, "it is on chain {found} instead of {expected}")
            }
            Self::NoChain => f.write_str("it does not report its chain"),
            Self::Transport(cause) => f.write_str(cause),
            Self::Timeout => f.write_str("it did not answer in time"),
            Self::UsedUp { limit } => write!(
                f,
                "its limit of {limit} requests in 30 s is used up; the request waits for its turn (`requests_per_30_s`)"
            ),
            Self::Http(status) => {
                write!(f, "it answered with HTTP status {status}")?;
                match *status {
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                        f.write_str("; check the credentials in `sui.headers`")
                    }
                    StatusCode::NOT_FOUND => f.write_str("; check the URL"),
                    _ => Ok(()),
                }
            }
            Self::NotGrpc(content_type) => write!(
                f,
                "it did not answer with gRPC (content type {content_type}); check the URL"
            ),
            Self::Unimplemented(message) => {
                f.write_str("it does not offer this call")?;
                if !message.is_empty() {
                    write!(f, " ({message})")?;
                }
                f.write_str(
                    "; check the path of the URL, or use a node that offers all of `sui.rpc.v2`",
                )
            }
        }
    }
}

impl fmt::Display for NodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.node, self.fault)
    }
}

impl Error for NodeFault {}

/// As the client's code carries it. The codes are not those of a refusal, and only those that may
/// pass are retried by the ledger stream.
impl From<NodeFault> for Status {
    fn from(fault: NodeFault) -> Self {
        let code = match fault.fault {
            Fault::OtherChain { .. } | Fault::NoChain => Code::DataLoss,
            Fault::Timeout => Code::DeadlineExceeded,
            Fault::Unimplemented(_) => Code::Unimplemented,
            Fault::Transport(_) | Fault::UsedUp { .. } | Fault::Http(_) | Fault::NotGrpc(_) => {
                Code::Unavailable
            }
        };
        let mut status = Self::new(code, fault.to_string());
        // A server that doesn't know a call has answered: it is no fault of the connection.
        if code == Code::Unimplemented {
            return status;
        }
        status.set_source(Arc::new(fault));
        status
    }
}

impl From<NodeFault> for ChainError {
    fn from(fault: NodeFault) -> Self {
        match fault.fault {
            Fault::OtherChain { expected, found } => Self::OtherChain {
                node: fault.node.to_string(),
                expected,
                found,
            },
            _ => Self::Unavailable(fault.into()),
        }
    }
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            f.write_str(self.code.description())
        } else {
            f.write_str(&self.message)
        }
    }
}

impl Error for Answered {}

impl NodeFault {
    /// The fault that a status carries, if it does not come from the node itself.
    pub(crate) fn of(status: &Status) -> Option<Self> {
        status.source()?.downcast_ref().cloned()
    }
}

/// Whether an error says that there were too many requests.
pub(crate) fn is_rate_limit(error: &(dyn Error + 'static)) -> bool {
    let of_fault = error.downcast_ref::<NodeFault>().is_some_and(|fault| {
        matches!(fault.fault, Fault::Http(status) if status == StatusCode::TOO_MANY_REQUESTS)
    });
    let answered = error.downcast_ref::<Answered>();
    of_fault || answered.is_some_and(|answered| answered.code == Code::ResourceExhausted)
}

/// Whether an error says that this side's own limit on requests was used up. Then the node was not asked.
pub(crate) fn is_own_limit(error: &(dyn Error + 'static)) -> bool {
    let fault = error.downcast_ref::<NodeFault>();
    fault.is_some_and(|fault| matches!(fault.fault, Fault::UsedUp { .. }))
}

/// What the node says in an error status.
pub(crate) fn answered(status: &Status) -> BoxedError {
    let answered = Answered {
        code: status.code(),
        message: status.message().to_owned(),
    };
    answered.into()
}
