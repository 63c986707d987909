//! The receivers of alarms, from their settings.

use std::ffi::OsString;
use std::sync::Arc;

use atoma_domain::alarms::Receiver;
use atoma_domain::ports::{Clock, Notifier};
use atoma_notify::{Webhook, WebhookConfig, WebhookFormat};

use super::alarms::{ReceiverConfig, ReceiverFormat};
use super::error::{ConfigError, Problem};
use super::settings::Config;

impl ReceiverFormat {
    const fn of_webhook(self) -> WebhookFormat {
        match self {
            Self::Json => WebhookFormat::Json,
            Self::Slack => WebhookFormat::Slack,
            Self::Discord => WebhookFormat::Discord,
            Self::PagerDuty => WebhookFormat::PagerDuty,
        }
    }
}

impl Config {
    /// The receivers of alarms. `source` names the daemon in messages, and `variable` reads the environment.
    ///
    /// # Errors
    /// When a URL or a secret can't be read or used. The message names the receiver, and nothing of either.
    pub fn notifiers(
        &self,
        source: &str,
        clock: &Arc<dyn Clock>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Vec<Arc<dyn Notifier>>, ConfigError> {
        let mut notifiers: Vec<Arc<dyn Notifier>> = Vec::new();
        let mut faults = Vec::new();
        for receiver in &self.alarms.receivers {
            match receiver.webhook(source, clock, &variable) {
                Ok(webhook) => notifiers.push(Arc::new(webhook)),
                Err(problem) => {
                    let name = &receiver.name;
                    let problem = format!("has the receiver `{name}`: {problem}");
                    faults.push(self.fault(Problem::new("alarms.receivers", problem)));
                }
            }
        }
        match faults.is_empty() {
            true => Ok(notifiers),
            false => Err(faults.into()),
        }
    }
}

impl ReceiverConfig {
    fn webhook(
        &self,
        source: &str,
        clock: &Arc<dyn Clock>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Webhook, String> {
        let receiver = Receiver {
            name: self.name.clone(),
            min_severity: self.min_severity,
        };
        let mut config = WebhookConfig::new(receiver, self.format.of_webhook())
            .source(source)
            .allow_http(self.allow_http);
        if let Some(url) = &self.url {
            let url = url.read(&variable);
            config = config.url(
                url.map_err(|problem| format!("its `url` {problem}"))?
                    .as_str(),
            );
        }
        if let Some(secret) = &self.secret {
            let secret = secret.read(&variable);
            let secret = secret.map_err(|problem| format!("its `secret` {problem}"))?;
            config = config.secret(secret.as_str());
        }
        Webhook::new(config, Arc::clone(clock)).map_err(|error| error.to_string())
    }
}
