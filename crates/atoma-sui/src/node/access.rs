//! What a node asks of its clients: request headers, and whom to trust for its certificate.

use std::fmt;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use thiserror::Error;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use super::url::NodeUrl;

// The transport settings of the SDK's own client, which it applies only to its own TLS settings.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TCP_KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const TCP_KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const TCP_KEEPALIVE_RETRIES: u32 = 3;
const HTTP2_KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
const HTTP2_KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);
const STREAM_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 64 * 1024 * 1024;

/// Headers that belong to the protocol.
const RESERVED: &[&str] = &["connection", "content-length", "content-type", "host", "te"];

/// Request headers and certificate authorities for a provider's or a private node.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Headers to send with every request.
    pub headers: Vec<RequestHeader>,
    /// Certificates of authorities to trust, in PEM, in place of those that the program contains.
    pub roots: Option<Vec<u8>>,
    /// Certificates of further authorities to trust, in PEM.
    pub further_roots: Option<Vec<u8>>,
}

/// A request header. Its value is a secret: `Debug` omits it.
#[derive(Clone)]
pub struct RequestHeader {
    name: HeaderName,
    value: HeaderValue,
}

/// Why a header or certificate can't be used. Never contains a header's value.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The name is not that of a header.
    #[error("is not the name of a header")]
    Name,
    /// The protocol uses this header itself.
    #[error("can't be set, because gRPC uses this header itself")]
    Reserved,
    /// The value is empty.
    #[error("is empty")]
    Empty,
    /// The value contains other characters than visible ASCII and spaces.
    #[error("contains characters that a header can't have, such as a line break")]
    Value,
    /// The text contains no certificate.
    #[error("contains no certificate in PEM")]
    NoCertificate,
    /// A certificate can't be used.
    #[error("contains an invalid certificate")]
    Certificate(#[source] tonic::transport::Error),
}

impl RequestHeader {
    /// A header to send with every request.
    ///
    /// # Errors
    /// When the name is not a header's or is reserved, or when the value is empty or has characters
    /// other than visible ASCII and spaces.
    pub fn new(name: &str, value: &str) -> Result<Self, AccessError> {
        let name: HeaderName = name.parse().map_err(|_| AccessError::Name)?;
        if RESERVED.contains(&name.as_str()) || name.as_str().starts_with("grpc-") {
            return Err(AccessError::Reserved);
        }
        if name.as_str().ends_with("-bin") {
            return Err(AccessError::Name);
        }
        if value.is_empty() {
            return Err(AccessError::Empty);
        }
        if !value
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
        {
            return Err(AccessError::Value);
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| AccessError::Value)?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

impl fmt::Debug for RequestHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHeader")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// The headers, for a request.
    pub(crate) fn header_map(&self) -> HeaderMap {
        let headers = self.headers.iter();
        headers
            .map(|header| (header.name.clone(), header.value.clone()))
            .collect()
    }

    /// Checks that a file contains certificates.
    ///
    /// # Errors
    /// When it contains none, or one that can't be read.
    pub fn check_certificates(pem: &[u8]) -> Result<(), AccessError> {
        const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(AccessError::NoCertificate);
        }
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
        Endpoint::from_static("https://localhost")
            .tls_config(tls)
            .map_err(AccessError::Certificate)?;
        Ok(())
    }
}

/// The endpoint of a node, with the transport settings of the SDK's client.
///
/// # Errors
/// When a certificate can't be used.
pub(crate) fn endpoint(
    url: &NodeUrl,
    access: &Access,
) -> Result<Endpoint, tonic::transport::Error> {
    let mut endpoint = Endpoint::from_shared(url.origin().to_owned())?;
    if url.is_https() {
        let mut tls = ClientTlsConfig::new();
        match &access.roots {
            Some(pem) => tls = tls.ca_certificate(Certificate::from_pem(pem)),
            None => tls = tls.with_webpki_roots(),
        }
        if let Some(pem) = &access.further_roots {
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        endpoint = endpoint.tls_config(tls)?;
    }
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(Some(TCP_KEEPALIVE_IDLE))
        .tcp_keepalive_interval(Some(TCP_KEEPALIVE_INTERVAL))
        .tcp_keepalive_retries(Some(TCP_KEEPALIVE_RETRIES))
        .http2_keep_alive_interval(HTTP2_KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(HTTP2_KEEP_ALIVE_TIMEOUT)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headers_value_is_checked_and_never_shown() {
        let header = RequestHeader::new("X-Token", "secret value").unwrap();
        assert!(!format!("{header:?}").contains("secret"));
        for (name, value) in [
            ("x token", "secret"),
            ("", "secret"),
            ("te", "secret"),
            ("grpc-timeout", "secret"),
            ("x-token-bin", "secret"),
            ("x-token", ""),
            ("x-token", "secret\n"),
            ("x-token", "sécret"),
        ] {
            let error = RequestHeader::new(name, value).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("cret"), "{error}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        for pem in [&b""[..], b"-----BEGIN PRIVATE KEY-----", b"<html>"] {
            let error = Access::check_certificates(pem).unwrap_err();
            assert!(matches!(error, AccessError::NoCertificate));
        }
    }
}
