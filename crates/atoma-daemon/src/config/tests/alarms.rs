//! Receivers of alarms.

use std::fs;
use std::sync::Arc;

use atoma_domain::ports::Clock;
use atoma_operator::SystemClock;

use super::{GOOD, refusal};
use crate::config::{Config, Overrides};

fn receiver(name: &str, format: &str, rest: &str) -> String {
    format!("[[alarms.receivers]]\nname = \"{name}\"\nformat = \"{format}\"\n{rest}\n")
}

#[test]
fn receivers_are_checked() {
    let url = "url.file = \"u\"";
    let many: String = (0..9)
        .map(|number| receiver(&format!("r{number}"), "slack", url))
        .collect();
    for (lines, why) in [
        (
            receiver("a", "slack", url) + &receiver("a", "json", url),
            "has the receiver `a`, which is there twice",
        ),
        (receiver("a", "slack", ""), "needs a `url`"),
        (
            receiver("a", "slack", "url.env = \"https://secret\""),
            "has a `url` that must have the name of an environment variable",
        ),
        (
            receiver("a", "slack", "url.file = \"u\"\nurl.env = \"U\""),
            "must have either `file` or `env`",
        ),
        (
            receiver("a", "pagerduty", ""),
            "needs a `secret`: the routing key",
        ),
        (
            receiver("https://secret", "slack", url),
            "has a `name` that is not",
        ),
        (
            receiver("a", "slack", "url.file = \"~/u\""),
            "must not begin with `~`",
        ),
        (receiver("a", "telegram", url), "`alarms.receivers.format`"),
        (many, "has more than 8 receivers"),
        ("[alarms]\ninterval_s = 1".to_owned(), "between 5 and 3600"),
    ] {
        let message = refusal(&format!("{GOOD}\n{lines}"));
        assert!(message.contains(why), "{why} is not in: {message}");
        assert!(!message.contains("secret\""), "{message}");
        assert!(!message.contains("https://secret"), "{message}");
    }
}

#[test]
fn urls_and_secrets_are_read_beside_the_file_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("daemon.toml");
    let lines = [
        receiver("chat", "slack", "url.file = \"chat.url\""),
        receiver(
            "calls",
            "pagerduty",
            "secret.env = \"KEY\"\nmin_severity = \"critical\"",
        ),
    ];
    fs::write(&file, format!("{GOOD}\n{}", lines.concat())).unwrap();
    let config = Config::load(&file, Overrides::default()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let read = |key: &str| {
        let key = key.to_owned();
        config.notifiers("0xa0", &clock, move |_| Some(key.clone().into()))
    };
    let unreadable = read("a routing key of T0KEN").unwrap_err().to_string();
    assert!(unreadable.contains("chat.url"), "{unreadable}");
    let url = dir.path().join("chat.url");
    fs::write(&url, "http://a.example/T0KEN\n").unwrap();
    let refused = read("short T0KEN").unwrap_err().to_string();
    assert!(refused.contains("https://"), "{refused}");
    assert!(refused.contains("fewer than 16"), "{refused}");
    assert!(!refused.contains("T0KEN"), "{refused}");
    fs::write(&url, "https://a.example/T0KEN\n").unwrap();
    let notifiers = read("a routing key of T0KEN").unwrap();
    let names = notifiers.iter().map(|one| one.receiver().name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["chat", "calls"]);
    let shown = format!("{notifiers:?} {config:?}");
    assert!(!shown.contains("T0KEN"), "{shown}");
}
