//! Sending messages to a webhook.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use atoma_domain::alarms::{Notification, Receiver};
use atoma_domain::ports::{Clock, Notifier, NotifyError};
use atoma_domain::{DeliveryId, TimestampMs};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::config::{WebhookConfig, WebhookFormat};
use crate::error::WebhookError;
use crate::format::{Message, bodies};
use crate::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER, sign};

/// The header with the number of a message. It is the same each time the message is sent.
pub const DELIVERY_HEADER: &str = "X-Atoma-Delivery";
/// The shortest secret. Shorter ones can be guessed.
const SECRET_MIN: usize = 16;

/// A webhook. `Debug` shows neither URL nor secret.
pub struct Webhook {
    receiver: Receiver,
    format: WebhookFormat,
    http: reqwest::Client,
    url: Url,
    secret: Option<Zeroizing<String>>,
    source: String,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("receiver", &self.receiver)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// A webhook. Nothing is sent yet.
    ///
    /// # Errors
    /// When the URL or the secret can't be used.
    pub fn new(config: WebhookConfig, clock: Arc<dyn Clock>) -> Result<Self, WebhookError> {
        let WebhookConfig {
            receiver,
            format,
            url,
            secret,
            source,
            allows_http,
            timeout,
        } = config;
        let text = url.as_ref().map(|url| url.as_str());
        let text = text.or(format.usual_url()).ok_or(WebhookError::NoUrl)?;
        let url = Url::parse(text).map_err(|_| WebhookError::InvalidUrl)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        match url.scheme() {
            _ if has_user => return Err(WebhookError::InvalidUrl),
            "https" => {}
            "http" if allows_http || is_loopback(&url) => {}
            "http" => return Err(WebhookError::PlainText),
            _ => return Err(WebhookError::InvalidUrl),
        }
        match &secret {
            None if format == WebhookFormat::PagerDuty => return Err(WebhookError::NoRoutingKey),
            Some(secret) if secret.len() < SECRET_MIN => {
                return Err(WebhookError::ShortSecret { least: SECRET_MIN });
            }
            _ => {}
        }
        let http = reqwest::Client::builder()
            .connect_timeout(timeout)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| WebhookError::Client(error.without_url()))?;
        Ok(Self {
            receiver,
            format,
            http,
            url,
            secret,
            source,
            clock,
        })
    }

    async fn send(
        &self,
        body: &Value,
        delivery: Option<DeliveryId>,
        now: TimestampMs,
    ) -> Result<(), NotifyError> {
        let body = body.to_string().into_bytes();
        let mut request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json");
        if let Some(delivery) = delivery {
            request = request.header(DELIVERY_HEADER, delivery.to_string());
        }
        if let (WebhookFormat::Json, Some(secret)) = (self.format, &self.secret) {
            let timestamp_s = now.get() / 1_000;
            request = request
                .header(TIMESTAMP_HEADER, timestamp_s.to_string())
                .header(SIGNATURE_HEADER, sign(secret, timestamp_s, &body));
        }
        let response = request.body(body).send().await.map_err(not_reached)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        Err(match passes(status) {
            true => NotifyError::Unavailable {
                status: status.as_u16(),
                retry_after: retry_after(response.headers(), now),
            },
            false => NotifyError::Refused {
                status: status.as_u16(),
            },
        })
    }
}

#[async_trait]
impl Notifier for Webhook {
    fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    async fn notify(
        &self,
        notification: &Notification,
        delivery: Option<DeliveryId>,
    ) -> Result<(), NotifyError> {
        let now = self.clock.now();
        let message = Message {
            notification,
            delivery,
            source: &self.source,
            secret: self.secret.as_ref().map(|secret| secret.as_str()),
            now,
        };
        for body in bodies(&message, self.format) {
            self.send(&body, delivery, now).await?;
        }
        Ok(())
    }
}

/// Why no response came. The error's own text may have the URL.
fn not_reached(error: reqwest::Error) -> NotifyError {
    let reason = if error.is_timeout() {
        "the receiver did not answer in time"
    } else if error.is_connect() {
        connect_problem(&error)
    } else {
        "the connection to the receiver broke"
    };
    NotifyError::NotReached {
        reason: reason.to_owned(),
    }
}

/// Why there is no connection, as far as the causes tell it without naming the receiver.
fn connect_problem(error: &reqwest::Error) -> &'static str {
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(current) = cause {
        let text = current.to_string();
        if text.contains("dns error") || text.contains("failed to lookup address") {
            return "the receiver's name has no address (DNS)";
        }
        if text.contains("certificate") {
            return "the receiver's TLS certificate is not trusted";
        }
        if text.contains("tls")
            || text.contains("InvalidContentType")
            || text.contains("corrupt message")
        {
            return "the receiver does not speak TLS as expected";
        }
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            match io.kind() {
                ErrorKind::ConnectionRefused => return "the receiver refuses connections",
                ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
                    return "there is no route to the receiver";
                }
                _ => {}
            }
        }
        cause = current.source();
    }
    "no connection to the receiver"
}

/// Whether a refusal passes by itself.
fn passes(status: StatusCode) -> bool {
    let is_passing = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    status.is_server_error() || is_passing.contains(&status)
}

/// What the receiver asks for: seconds, or a time.
fn retry_after(headers: &HeaderMap, now: TimestampMs) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let at = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(at.saturating_sub(Duration::from_millis(now.get())))
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
