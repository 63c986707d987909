//! How a client is set up.

use std::time::Duration;

use reqwest::{Certificate, Url};

use crate::{Client, ClientError, Token};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a request for transactions may take: more than the longest `request_timeout_s` of a daemon, which
/// answers by then with what is known.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(3_660);
/// How long a connection may be idle before its other end is asked whether it still exists.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Sets up a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    url: String,
    token: Option<Token>,
    may_send_token_over_http: bool,
    timeout: Option<Duration>,
    /// Certificates in PEM.
    roots: Vec<Vec<u8>>,
}

impl Client {
    /// Starts a client of the daemon at this URL.
    pub fn builder(url: &str) -> ClientBuilder {
        ClientBuilder {
            url: url.to_owned(),
            token: None,
            may_send_token_over_http: false,
            timeout: None,
            roots: Vec::new(),
        }
    }
}

impl ClientBuilder {
    /// Sends the token with every request.
    #[must_use]
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// Sends the token over plain HTTP to another machine, too. Everybody on the way can read it: do this only on a
    /// network of your own, such as one of containers on one machine.
    #[must_use]
    pub const fn allow_token_over_http(mut self, is_allowed: bool) -> Self {
        self.may_send_token_over_http = is_allowed;
        self
    }

    /// Trusts the certificates of these further authorities, in PEM: for a daemon with a private certificate, or
    /// a self-signed one that is no authority itself.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// How long a request may take. By default it is 120 seconds, and 3,660 for requests for transactions, which is more
    /// than a daemon's `request_timeout_s` can be.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The client. It follows no redirects and uses no proxies, so that the token goes to the daemon alone.
    ///
    /// # Errors
    /// When the URL or a certificate is invalid, or a token would go over plain HTTP to another machine and that is
    /// not allowed.
    pub fn build(self) -> Result<Client, ClientError> {
        let url = Url::parse(&self.url).map_err(|_| ClientError::InvalidUrl)?;
        let is_plain = match url.scheme() {
            "http" => true,
            "https" => false,
            _ => return Err(ClientError::InvalidUrl),
        };
        let has_more = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        if has_more {
            return Err(ClientError::InvalidUrl);
        }
        let is_exposed = is_plain && self.token.is_some() && !is_loopback(&url);
        if is_exposed && !self.may_send_token_over_http {
            return Err(ClientError::TokenInPlainText);
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(self.timeout.unwrap_or(REQUEST_TIMEOUT))
            .tcp_keepalive(KEEPALIVE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        for pem in &self.roots {
            let roots = Certificate::from_pem_bundle(pem);
            let roots = roots.map_err(|_| ClientError::InvalidCertificate)?;
            if roots.is_empty() {
                return Err(ClientError::InvalidCertificate);
            }
            builder = roots
                .into_iter()
                .fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        // Nothing else that is set can be wrong.
        let http = builder
            .build()
            .map_err(|_| ClientError::InvalidCertificate)?;
        let transaction_timeout = self.timeout.unwrap_or(TRANSACTION_TIMEOUT);
        Ok(Client::new(http, url, self.token, transaction_timeout))
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_does_not_cross_the_network_in_plain_text() {
        let with_token = |url| {
            Client::builder(url)
                .token(Token::new("abc").unwrap())
                .build()
        };
        for url in [
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "http://localhost",
            "https://a.example",
        ] {
            assert!(with_token(url).is_ok(), "{url}");
        }
        for url in [
            "http://a.example",
            "http://daemon:3000",
            "http://10.0.0.1",
            "http://localhost.a.example",
            "http://127.0.0.1.a.example",
        ] {
            assert!(
                matches!(with_token(url), Err(ClientError::TokenInPlainText)),
                "{url}"
            );
            let without = Client::builder(url).build();
            assert!(without.is_ok(), "{url}");
            let allowed = Client::builder(url)
                .token(Token::new("abc").unwrap())
                .allow_token_over_http(true)
                .build();
            assert!(allowed.is_ok(), "{url}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["", "no certificate", garbled] {
            let built = Client::builder("https://a.example")
                .root_certificates(pem)
                .build();
            assert!(
                matches!(built, Err(ClientError::InvalidCertificate)),
                "{pem}"
            );
        }
    }

    #[test]
    fn a_url_with_secrets_or_of_another_scheme_is_refused() {
        for url in [
            "nonsense",
            "ftp://a.example",
            "http://a:b@127.0.0.1",
            "http://127.0.0.1?x=1",
        ] {
            assert!(
                matches!(Client::builder(url).build(), Err(ClientError::InvalidUrl)),
                "{url}"
            );
        }
    }
}
