//! Alarms: when they are told, and to whom.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use atoma_domain::alarms::Severity;
use atoma_operator::AlarmConfig;
use serde::{Deserialize, Serialize};

use super::secret::SecretSource;

/// Receivers at most. Each has a connection of its own.
const RECEIVERS_MAX: usize = 8;
/// The longest name of a receiver, which goes to logs and metrics.
const NAME_MAX: usize = 64;

/// What the operator is told about, and how. `docs/alarms.md` has the rules.
#[derive(Clone, Debug, Serialize, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct AlarmsConfig {
    /// The interval between two looks at what is wrong.
    #[config(default = 30)]
    pub interval_s: u64,
    /// After how long a message about an alarm is repeated that goes on and that nobody has acknowledged. An alarm with a deadline
    /// is repeated when half of the time to it has passed, if that is sooner.
    #[config(default = 14400)]
    pub repeat_interval_s: u64,
    /// The shortest time between two messages that say that the same condition holds, also if it was gone meanwhile.
    #[config(default = 900)]
    pub min_interval_s: u64,
    /// An attestation that is due is an alarm when the epoch ends within this time.
    #[config(default = 21600)]
    pub attestation_time_left_s: u64,
    /// Who is told, at most 8. Each entry has a `name` for logs and metrics; a `format`, which is `json`, `slack`, `discord` or
    /// `pagerduty`; a `url`, which comes from a file (`url.file`) or an environment variable (`url.env`), because it is a secret;
    /// for `json` optionally and for `pagerduty` necessarily a `secret`, likewise: the key that messages are signed with, or
    /// the routing key; `min_severity`, which is `warning` (the default) or `critical`; and `allow_http`, which
    /// must be `true` if the URL begins with `http://` and leads to another machine. `pagerduty` needs no `url`. `atoma-daemon alarms test` sends
    /// a test message.
    #[config(default = [])]
    pub receivers: Vec<ReceiverConfig>,
}

/// Who is told of alarms.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiverConfig {
    /// What logs and metrics call it.
    pub name: String,
    /// What it understands.
    pub format: ReceiverFormat,
    /// Where it listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<SecretSource>,
    /// What signs messages, or PagerDuty's routing key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSource>,
    /// It is told of alarms that are at least so bad.
    #[serde(default = "least")]
    pub min_severity: Severity,
    /// Whether the messages may cross the network unencrypted.
    #[serde(default)]
    pub allow_http: bool,
}

const fn least() -> Severity {
    Severity::Warning
}

/// What a receiver of alarms understands.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ReceiverFormat {
    /// The daemon's own JSON.
    Json,
    /// Slack.
    Slack,
    /// Discord.
    Discord,
    /// PagerDuty.
    PagerDuty,
}

impl AlarmsConfig {
    /// All rules that the receivers break, as they are written.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.receivers.len() > RECEIVERS_MAX {
            problems.push(format!("has more than {RECEIVERS_MAX} receivers"));
        }
        let mut names = BTreeSet::new();
        for receiver in &self.receivers {
            let name = &receiver.name;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(is_plain) {
                // Not repeated: somebody may have put the URL there.
                problems.push(format!(
                    "has a `name` that is not 1 to {NAME_MAX} letters, digits, `-`, `_` or `.`"
                ));
                continue;
            }
            let mut broken = |problem: &str| {
                problems.push(format!("has the receiver `{name}`, which {problem}"));
            };
            if !names.insert(name) {
                broken("is there twice; give each its own name");
            }
            let needs = receiver.format == ReceiverFormat::PagerDuty;
            match (&receiver.url, needs) {
                (None, false) => broken("needs a `url`"),
                (Some(url), _) => {
                    if let Some(problem) = url.problem() {
                        broken(&format!("has a `url` that {problem}"));
                    }
                }
                (None, true) => {}
            }
            match (&receiver.secret, needs) {
                (None, true) => broken("needs a `secret`: the routing key of PagerDuty"),
                (Some(secret), _) => {
                    if let Some(problem) = secret.problem() {
                        broken(&format!("has a `secret` that {problem}"));
                    }
                }
                (None, false) => {}
            }
        }
        problems
    }

    /// The settings of the node that come from here.
    pub(crate) fn settings(&self) -> AlarmConfig {
        let mut config = AlarmConfig::default();
        config.interval = Duration::from_secs(self.interval_s);
        config.policy.repeat = Duration::from_secs(self.repeat_interval_s);
        config.policy.spacing = Duration::from_secs(self.min_interval_s);
        config.attestation_time_left = Duration::from_secs(self.attestation_time_left_s);
        config
    }

    /// The sources of URLs and secrets, each with what it is.
    pub(super) fn sources(&self) -> impl Iterator<Item = (String, &SecretSource)> {
        self.receivers.iter().flat_map(|receiver| {
            let name = &receiver.name;
            let url = receiver.url.iter();
            let url = url.map(move |source| (format!("the URL of the receiver `{name}`"), source));
            let secret = receiver.secret.iter();
            let secret =
                secret.map(move |source| (format!("the secret of the receiver `{name}`"), source));
            url.chain(secret)
        })
    }

    /// The files of URLs and secrets.
    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut Option<PathBuf>> {
        let receivers = self.receivers.iter_mut();
        receivers
            .flat_map(|receiver| receiver.url.iter_mut().chain(receiver.secret.iter_mut()))
            .map(|source| &mut source.file)
    }
}
