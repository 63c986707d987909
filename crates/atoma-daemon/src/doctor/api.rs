//! The HTTP API of a daemon that runs.

use atoma_client::{Client, ClientError, Readiness, Token};
use atoma_domain::with_causes;
use atoma_sui::read_small_file;

use super::Finding;
use crate::cli::told;
use crate::config::{Config, Scope};

const CHECK: &str = "HTTP API";

/// Whether the daemon that uses the data directory is ready, if one does.
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
    match ask(config, &url).await {
        Ok(Readiness::Ready(_)) => Finding::ok(CHECK, format!("{url} answers, and is ready")),
        Ok(Readiness::NotReady(not)) => {
            Finding::problem(CHECK, format!("{url} answers: {}", told(&not.error)))
        }
        // It answers, and no token of the configuration is known to it.
        Err(ClientError::Api { body, .. }) => {
            let found = format!("{url} answers, but does not say whether it is ready: {}", told(&body));
            Finding::warning(CHECK, found)
                .advise("Reload the daemon's tokens (SIGHUP), or ask with `status --token-file`.")
        }
        Err(error) => Finding::warning(CHECK, format!("{url}: {}", with_causes(&error))).advise(
            "If the daemon was started with another address, or its certificate is for another name, this is expected.",
        ),
    }
}

/// Asks the daemon whether it is ready, with one of the configuration's tokens.
async fn ask(config: &Config, url: &str) -> Result<Readiness, ClientError> {
    let mut client = Client::builder(url);
    // Its own certificate, as it may be private. Whether the file can be read is another check.
    let certificate = config.tls.cert_file.as_ref();
    if let Some(pem) = certificate.and_then(|file| read_small_file(file).ok()) {
        client = client.root_certificates(pem.to_vec());
    }
    let tokens = config.access(|name| std::env::var_os(name)).ok();
    let tokens = tokens.map(|access| access.tokens).unwrap_or_default();
    // A token that can spend nothing is enough.
    let weakest = tokens
        .iter()
        .find(|token| token.scope == Scope::Read)
        .or(tokens.first());
    if let Some(token) = weakest {
        client = client.token(Token::new(token.value())?);
    }
    client.build()?.ready().await
}
