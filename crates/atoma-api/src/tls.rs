//! Encrypted connections: rustls with ring, and a certificate from files.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use atoma_domain::TimestampMs;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;
use x509_parser::parse_x509_certificate;

/// How long a client may take for the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// A certificate with its key. `Debug` omits both.
#[derive(Clone)]
pub struct ApiTls {
    config: Arc<ServerConfig>,
    validity: Validity,
}

/// When a certificate can be used, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Validity {
    from: i64,
    until: i64,
}

/// Why clients refuse a certificate at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfDate {
    /// Its time has not come.
    NotYetValid,
    /// Its time is over.
    Expired,
}

/// Why a certificate or its key can't be used. The messages contain nothing of the files.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The certificates are not in PEM.
    #[error("the certificate file has no certificate in PEM")]
    Certificate(#[source] Option<pem::Error>),
    /// The key is not in PEM.
    #[error("the key file has no private key in PEM")]
    Key(#[source] pem::Error),
    /// They don't belong together.
    #[error("the private key is not the certificate's")]
    OtherKey,
    /// One of them is damaged or of a kind that is not supported.
    #[error("the certificate and the private key can't be used together")]
    Unusable(#[source] rustls::Error),
    /// The first certificate is damaged.
    #[error("the first certificate can't be read")]
    Damaged,
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InconsistentKeys(_) => Self::OtherKey,
            other => Self::Unusable(other),
        }
    }
}

impl ApiTls {
    /// Reads a chain of certificates and the key of the first, in PEM.
    ///
    /// # Errors
    /// When one of them can't be read, or they don't belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|error| TlsError::Certificate(Some(error)))?;
        let first = chain.first().ok_or(TlsError::Certificate(None))?;
        let (_, parsed) = parse_x509_certificate(first).map_err(|_| TlsError::Damaged)?;
        let validity = Validity {
            from: parsed.validity().not_before.timestamp(),
            until: parsed.validity().not_after.timestamp(),
        };
        let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::Key)?;
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            validity,
        })
    }

    /// Why clients refuse the first certificate at this time, if they do.
    pub fn out_of_date(&self, now: TimestampMs) -> Option<OutOfDate> {
        let now = i64::try_from(now.get() / 1_000).unwrap_or(i64::MAX);
        if now < self.validity.from {
            Some(OutOfDate::NotYetValid)
        } else if now > self.validity.until {
            Some(OutOfDate::Expired)
        } else {
            None
        }
    }
}

impl fmt::Debug for ApiTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiTls").finish_non_exhaustive()
    }
}

/// The bytes of a connection, encrypted or not.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Makes the handshake, if connections are encrypted.
///
/// # Errors
/// When the client speaks no TLS or takes too long.
pub(crate) async fn accept(stream: TcpStream, tls: Option<&ApiTls>) -> io::Result<Stream> {
    let Some(ApiTls { config, .. }) = tls else {
        return Ok(Stream::Plain(stream));
    };
    let acceptor = TlsAcceptor::from(Arc::clone(config));
    let stream = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await??;
    Ok(Stream::Tls(Box::new(stream)))
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let read = |key: &KeyPair| ApiTls::from_pem(pem.as_bytes(), key.serialize_pem().as_bytes());
        assert!(read(&key).is_ok());
        assert!(matches!(read(&other), Err(TlsError::OtherKey)));
    }

    #[test]
    fn a_certificate_is_valid_from_its_first_to_its_last_second() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        let pem = params.self_signed(&key).unwrap().pem();
        let tls = ApiTls::from_pem(pem.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
        let at = |seconds: u64| tls.out_of_date(TimestampMs::new(seconds * 1_000));
        assert_eq!(at(1_577_836_799), Some(OutOfDate::NotYetValid));
        assert_eq!(at(1_577_836_800), None);
        assert_eq!(at(1_609_459_200), None);
        assert_eq!(at(1_609_459_201), Some(OutOfDate::Expired));
    }
}
