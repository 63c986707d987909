//! Messages in the words of the services.

mod chat;
mod json;
mod message;
mod pagerduty;

use serde_json::Value;

use crate::config::WebhookFormat;
pub(crate) use message::Message;

/// The bodies to send, in order: one, or two for a test that must leave nothing open.
pub(crate) fn bodies(message: &Message<'_>, format: WebhookFormat) -> Vec<Value> {
    match format {
        WebhookFormat::Json => vec![json::body(message)],
        WebhookFormat::Slack => vec![chat::slack(message)],
        WebhookFormat::Discord => vec![chat::discord(message)],
        WebhookFormat::PagerDuty => pagerduty::bodies(message),
    }
}

#[cfg(test)]
mod tests;
