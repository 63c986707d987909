//! What a webhook needs.

use std::fmt;
use std::time::Duration;

use atoma_domain::alarms::Receiver;
use zeroize::Zeroizing;

/// The longest time for one message.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What the receiver understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookFormat {
    /// The daemon's own JSON, signed by HMAC-SHA256 if there is a secret.
    Json,
    /// An incoming webhook of Slack, or of a service that understands the same.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// PagerDuty's Events API v2. The secret is the routing key.
    PagerDuty,
}

impl WebhookFormat {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Json, Self::Slack, Self::Discord, Self::PagerDuty];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::PagerDuty => "pagerduty",
        }
    }

    /// The URL of a service that has one for everybody.
    pub const fn usual_url(self) -> Option<&'static str> {
        match self {
            Self::PagerDuty => Some("https://events.pagerduty.com/v2/enqueue"),
            Self::Json | Self::Slack | Self::Discord => None,
        }
    }
}

/// A webhook's settings. `Debug` shows neither URL nor secret, and both are wiped when dropped.
#[derive(Clone)]
pub struct WebhookConfig {
    pub(crate) receiver: Receiver,
    pub(crate) format: WebhookFormat,
    pub(crate) url: Option<Zeroizing<String>>,
    pub(crate) secret: Option<Zeroizing<String>>,
    pub(crate) source: String,
    pub(crate) allows_http: bool,
    pub(crate) timeout: Duration,
}

impl WebhookConfig {
    /// A webhook to this receiver. Formats without a [usual URL](WebhookFormat::usual_url) need one.
    pub const fn new(receiver: Receiver, format: WebhookFormat) -> Self {
        Self {
            receiver,
            format,
            url: None,
            secret: None,
            source: String::new(),
            allows_http: false,
            timeout: TIMEOUT,
        }
    }

    /// Sends to this URL.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(Zeroizing::new(url.into()));
        self
    }

    /// Signs with this secret, or uses it as PagerDuty's routing key.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(Zeroizing::new(secret.into()));
        self
    }

    /// Names the daemon in messages: its operator's address.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }

    /// Sends over plain HTTP to another machine, too. Everybody on the way can read what is wrong, and the URL.
    #[must_use]
    pub const fn allow_http(mut self, is_allowed: bool) -> Self {
        self.allows_http = is_allowed;
        self
    }

    /// How long one message may take; 10 seconds by default.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig")
            .field("receiver", &self.receiver)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
