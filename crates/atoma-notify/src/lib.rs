//! Webhooks that tell an operator of alarms.
//! ```
//! use std::sync::Arc;
//! use atoma_domain::alarms::{Receiver, Severity};
//! use atoma_domain::ports::Notifier;
//! use atoma_notify::{Webhook, WebhookConfig, WebhookFormat};
//! # fn example(clock: Arc<dyn atoma_domain::ports::Clock>) -> Result<(), atoma_notify::WebhookError> {
//! let receiver = Receiver { name: "ops".into(), min_severity: Severity::Critical };
//! let config = WebhookConfig::new(receiver, WebhookFormat::Slack)
//!     .url("https://hooks.slack.com/services/T0/B0/XXXX")
//!     .source("0xa0cc…");
//! let notifier: Arc<dyn Notifier> = Arc::new(Webhook::new(config, clock)?);
//! # Ok(())
//! # }
//! ```
//!
//! A webhook sends one message once; the daemon keeps messages and tries them again. URLs and secrets appear in no log, no error and no
//! `Debug` output. Redirects are not followed and proxies not used, so they go to the receiver alone.
//!
//! Each service's format is in a file of its own in `format/`. To add one, add a [`WebhookFormat`].

mod config;
mod error;
mod format;
mod signature;
mod webhook;

pub use config::{WebhookConfig, WebhookFormat};
pub use error::WebhookError;
pub use signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER, sign};
pub use webhook::{DELIVERY_HEADER, Webhook};
