//! Encrypted connections: real handshakes with the program, and a changed certificate.

use std::path::Path;
use std::sync::Arc;

use atoma_localnet::{LocalNet, LocalNetConfig};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::process::{Process, in_time, output, program};
use crate::support::{configure, write_operator_files};

const TOKEN: &str = "the-only-secret-of-16-and-more";

/// Writes a new certificate for loopback and its key, and returns the certificate.
fn write_certificate(dir: &Path) -> CertificateDer<'static> {
    std::fs::create_dir_all(dir).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = ["localhost", "127.0.0.1"].map(String::from);
    let certificate = CertificateParams::new(names).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    std::fs::write(dir.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
    certificate.der().clone()
}

/// A connection of a client that trusts this certificate alone.
async fn connect(
    process: &Process,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(process.api.addr()).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    in_time(connector.connect(name, stream)).await
}

/// Sends a request, and returns the head of the answer.
async fn head(stream: &mut TlsStream<TcpStream>, path: &str, headers: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let mut part = [0; 1024];
    loop {
        let count = in_time(stream.read(&mut part)).await.unwrap();
        assert_ne!(count, 0, "the connection ended: {bytes:?}");
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let (_, length) = head.split_once("content-length: ").unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if body.len() == length {
                return head;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_encrypted_with_the_certificate_of_the_files_as_they_are_now() {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_operator_files(&network, dir.path());
    std::fs::write(dir.path().join("a.token"), TOKEN).unwrap();
    let first = write_certificate(dir.path());
    configure(
        dir.path(),
        "[tls]\ncert_file = \"cert.pem\"\nkey_file = \"key.pem\"\n[[tokens]]\nname = \"a\"\nscope = \"read\"\nfile = \"a.token\"\n",
    );
    let mut process = Process::start(dir.path());
    let mut old = connect(&process, &first).await.unwrap();
    assert_eq!(
        old.get_ref().1.peer_certificates().unwrap(),
        std::slice::from_ref(&first)
    );
    let status = |head: String| head.split(' ').nth(1).unwrap().to_owned();
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    assert_eq!(status(head(&mut old, "/nodes", "").await), "401");
    assert_eq!(status(head(&mut old, "/nodes", &token).await), "200");
    // A page of the daemon itself comes over https now.
    let own = format!("{token}Origin: https://localhost\r\n");
    assert_eq!(status(head(&mut old, "/nodes", &own).await), "200");
    let plain = format!("{token}Origin: http://localhost\r\n");
    assert_eq!(status(head(&mut old, "/nodes", &plain).await), "403");

    // The program's own commands reach it with the certificate, and only with it.
    let command = |certificate: &str| {
        let mut command = program();
        command
            .args(["nodes", "--json", "--token-file"])
            .arg(dir.path().join("a.token"))
            .args(["--url", &format!("https://{}", process.api.addr())])
            .env("ATOMA_CA_FILE", dir.path().join(certificate));
        output(&mut command)
    };
    let listed = command("cert.pem");
    assert_eq!(
        (listed.code, listed.stdout.as_str()),
        (0, "[]\n"),
        "{}",
        listed.stderr
    );
    write_certificate(&dir.path().join("other"));
    for other in ["other/cert.pem", "a.token", "missing.pem"] {
        let refused = command(other);
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(!refused.stderr.contains("secret"), "{}", refused.stderr);
        let names_it = refused.stderr.contains("--ca-file") || refused.stderr.contains(other);
        assert!(names_it, "{}", refused.stderr);
    }
    let mut doctor = program();
    doctor
        .args(["doctor", "--http-addr", process.api.addr()])
        .arg("--config")
        .arg(dir.path().join("daemon.toml"));
    let examined = output(&mut doctor);
    let answers = format!("https://{} answers", process.api.addr());
    assert!(examined.stdout.contains(&answers), "{}", examined.stdout);

    // Without TLS nobody gets an answer.
    let mut stream = TcpStream::connect(process.api.addr()).await.unwrap();
    let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ = in_time(stream.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");

    // A key of another certificate changes nothing.
    let key = std::fs::read(dir.path().join("key.pem")).unwrap();
    let second = write_certificate(dir.path());
    let new_key = std::fs::read(dir.path().join("key.pem")).unwrap();
    std::fs::write(dir.path().join("key.pem"), key).unwrap();
    process.reload("can't reload");
    assert!(connect(&process, &first).await.is_ok());

    std::fs::write(dir.path().join("key.pem"), new_key).unwrap();
    process.reload("reloaded");
    assert!(connect(&process, &first).await.is_err());
    let mut new = connect(&process, &second).await.unwrap();
    assert_eq!(status(head(&mut new, "/nodes", &token).await), "200");
    // A connection that was made before goes on.
    assert_eq!(status(head(&mut old, "/nodes", &token).await), "200");

    let log = process.kill().join("\n");
    assert!(log.contains("is not the certificate's"), "{log}");
    assert!(!log.contains("secret"), "{log}");
}
