//! TLS with a certificate that the network makes itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsConfig;
use crate::files;

const DIRECTORY: &str = "tls";
const AUTHORITY: &str = "ca.crt";
const CERTIFICATE: &str = "server.crt";
const KEY: &str = "server.key";
const NAMES: &str = "names";

/// The names that every certificate is for.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A certificate can't be made, such as for a name that is none.
    #[error("can't make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// A file can't be read or written.
    #[error("can't read or write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A stored certificate or key is not usable.
    #[error("the certificate or its key is not usable; delete the directory {DIRECTORY}")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A certificate for the server, and that of the authority that signed it, as PEM.
struct Pem {
    authority: String,
    certificate: String,
    key: String,
}

/// What a port needs to speak TLS, and what its clients need to trust it.
#[derive(Clone)]
pub(crate) struct ServerTls {
    /// Secures a connection.
    pub(crate) acceptor: TlsAcceptor,
    /// The authority's certificate as PEM.
    pub(crate) authority: String,
    /// The authority's certificate as a file, if there is a data directory.
    pub(crate) authority_file: Option<PathBuf>,
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTls")
            .field("authority_file", &self.authority_file)
            .finish_non_exhaustive()
    }
}

impl ServerTls {
    /// Reads the certificate in the data directory, or makes one if there is none for these names.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub(crate) fn open(config: &TlsConfig, data_dir: Option<&Path>) -> Result<Self, TlsError> {
        let mut names: Vec<String> = LOOPBACK.map(str::to_owned).to_vec();
        names.extend(config.names.iter().cloned());
        let directory = data_dir.map(|directory| directory.join(DIRECTORY));
        let pem = match &directory {
            Some(directory) => stored(directory, &names)?,
            None => make(names)?,
        };
        Ok(Self {
            acceptor: acceptor(&pem)?,
            authority: pem.authority,
            authority_file: directory.map(|directory| directory.join(AUTHORITY)),
        })
    }
}

fn stored(directory: &Path, names: &[String]) -> Result<Pem, TlsError> {
    let read = |name: &str| match fs::read_to_string(directory.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed(directory.join(name), source)),
    };
    let list = names.join("\n");
    let found = (
        read(AUTHORITY)?,
        read(CERTIFICATE)?,
        read(KEY)?,
        read(NAMES)?,
    );
    if let (Some(authority), Some(certificate), Some(key), Some(known)) = found
        && known == list
    {
        return Ok(Pem {
            authority,
            certificate,
            key,
        });
    }
    let pem = make(names.to_vec())?;
    let write = |name: &str, contents: &str| {
        let path = directory.join(name);
        files::replace(&path, contents.as_bytes()).map_err(|source| failed(path, source))
    };
    fs::create_dir_all(directory).map_err(|source| failed(directory.to_owned(), source))?;
    // The names are written last: only with them are the other files complete.
    write(AUTHORITY, &pem.authority)?;
    write(CERTIFICATE, &pem.certificate)?;
    write(KEY, &pem.key)?;
    write(NAMES, &list)?;
    Ok(pem)
}

const fn failed(path: PathBuf, source: io::Error) -> TlsError {
    TlsError::File { path, source }
}

/// Makes an authority and a certificate signed by it. The authority's key is forgotten.
fn make(names: Vec<String>) -> Result<Pem, TlsError> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    authority
        .distinguished_name
        .push(DnType::CommonName, "atoma-localnet, for tests only");
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let mut server = CertificateParams::new(names)?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.use_authority_key_identifier_extension = true;
    server
        .distinguished_name
        .push(DnType::CommonName, "atoma-localnet");
    let key = KeyPair::generate()?;
    let issuer = Issuer::from_params(&authority, &authority_key);
    let certificate = server.signed_by(&key, &issuer)?;
    Ok(Pem {
        authority: authority_certificate.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

fn acceptor(pem: &Pem) -> Result<TlsAcceptor, TlsError> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| TlsError::Unusable(error);
    let certificate = CertificateDer::from_pem_slice(pem.certificate.as_bytes())
        .map_err(|error| unusable(error.into()))?;
    let key = PrivateKeyDer::from_pem_slice(pem.key.as_bytes())
        .map_err(|error| unusable(error.into()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.into()))?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(|error| unusable(error.into()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
