//! The HTTP API of a daemon that runs.

use atoma_client::Client;
use atoma_domain::with_causes;
use atoma_sui::read_small_file;

use super::Finding;
use crate::config::Config;

const CHECK: &str = "HTTP API";

/// Whether the daemon that uses the data directory answers, if one does. What needs no token is enough.
pub(super) async fn examine(config: &Config, is_running: Option<bool>) -> Finding {
    match is_running {
        Some(true) => {}
        Some(false) => return Finding::skipped(CHECK, "no daemon uses the data directory"),
        None => {
            let unknown = "it is not known whether a daemon uses the data directory";
            return Finding::skipped(CHECK, unknown);
        }
    }
    let scheme = if config.tls.cert_file.is_some() {
        "https"
    } else {
        "http"
    };
    let mut addr = config.http_addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr.ip() {
            std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let url = format!("{scheme}://{addr}");
    let mut client = Client::builder(&url);
    // Its own certificate, as it may be private. Whether the file can be read is another check.
    let certificate = config.tls.cert_file.as_ref();
    if let Some(pem) = certificate.and_then(|file| read_small_file(file).ok()) {
        client = client.root_certificates(pem.to_vec());
    }
    let answered = match client.build() {
        Ok(client) => client.health().await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(_) => Finding::ok(CHECK, format!("{url} answers")),
        Err(error) => Finding::warning(CHECK, format!("{url}: {}", with_causes(&error))).advise(
            "If the daemon was started with another address, or its certificate is for another name, this is expected.",
        ),
    }
}
