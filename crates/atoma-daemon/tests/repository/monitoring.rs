//! The alert rules and the dashboard name metrics that exist, and the alerts sections of the guide that say what to do.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(file)).expect("the file can be read")
}

/// The names in a text that begin with `atoma_`.
fn metrics(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("atoma_")).collect()
}

#[test]
fn alerts_and_dashboard_use_metrics_that_exist() {
    let page = read("docs/metrics.md");
    let known = metrics(&page);
    for file in [
        "deploy/prometheus/alerts.yml",
        "deploy/prometheus/alerts.test.yml",
        "deploy/grafana/dashboard.json",
        "docs/operations.md",
    ] {
        let text = read(file);
        let used = metrics(&text);
        assert!(!used.is_empty(), "{file}");
        for name in used {
            let name = name.trim_end_matches("_bucket");
            assert!(known.contains(name), "{file} uses {name}");
        }
    }
}

#[test]
fn every_alert_has_a_section_of_its_own() {
    let (rules, guide) = (
        read("deploy/prometheus/alerts.yml"),
        read("docs/operations.md"),
    );
    let after = |text: &str, start: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(start));
        lines.map(str::to_owned).collect()
    };
    let alerts = after(&rules, "- alert: ");
    assert_eq!(after(&guide, "### "), alerts);
    let anchors: Vec<_> = alerts.iter().map(|alert| alert.to_lowercase()).collect();
    assert_eq!(after(&rules, "runbook: docs/operations.md#"), anchors);
}
