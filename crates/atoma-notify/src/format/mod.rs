//! Messages in the words of the services.

mod chat;
mod json;
mod pagerduty;

use atoma_domain::alarms::Notification;
use atoma_domain::{DeliveryId, TimestampMs};
use serde_json::Value;

use crate::WebhookFormat;

/// A message, and what its format may need.
pub(crate) struct Message<'a> {
    pub(crate) notification: &'a Notification,
    pub(crate) delivery: Option<DeliveryId>,
    /// What names the daemon.
    pub(crate) source: &'a str,
    pub(crate) secret: Option<&'a str>,
    pub(crate) now: TimestampMs,
}

impl Message<'_> {
    /// The bodies to send, in order: one, or two for a test that must leave nothing open.
    pub(crate) fn bodies(&self, format: WebhookFormat) -> Vec<Value> {
        match format {
            WebhookFormat::Json => vec![json::body(self)],
            WebhookFormat::Slack => vec![chat::slack(self)],
            WebhookFormat::Discord => vec![chat::discord(self)],
            WebhookFormat::PagerDuty => pagerduty::bodies(self),
        }
    }
}

#[cfg(test)]
mod tests;
