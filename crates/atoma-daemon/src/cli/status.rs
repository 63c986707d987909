//! The command `status`.

use std::fmt::Write as _;

use anyhow::bail;
use atoma_api_types::{NodeView, SpendingLimitsView};
use atoma_client::Readiness;
use serde::Serialize;

use super::advice::told;
use super::connection::{Connection, MOST_ENTRIES};
use super::lists::nodes_table;
use super::table::plain;
use crate::amounts::sui;
use crate::output::{BAD, DOUBTFUL, GOOD, painted};

/// What `status --json` prints.
#[derive(Serialize)]
struct Status {
    #[serde(flatten)]
    readiness: Readiness,
    /// `null` while the daemon can't tell.
    nodes: Option<Vec<NodeView>>,
}

/// Says whether the daemon is ready, and what it has.
pub(super) async fn status(connection: &Connection) -> anyhow::Result<()> {
    let client = connection.client()?;
    let readiness = client.ready().await?;
    let is_ready = matches!(readiness, Readiness::Ready(_));
    let nodes = match client.nodes().all(MOST_ENTRIES).await {
        Ok(nodes) => Some(nodes),
        Err(error) if is_ready => return Err(error.into()),
        Err(_) => None,
    };
    connection.show(&Status { readiness, nodes }, status_text)?;
    if !is_ready {
        bail!("the daemon is not ready");
    }
    Ok(())
}

fn status_text(status: &Status) -> String {
    let mut text = String::new();
    let brakes = match &status.readiness {
        Readiness::Ready(ready) => {
            let _ = writeln!(text, "{}", painted(GOOD, "Ready"));
            for warning in &ready.warnings {
                let _ = writeln!(text, "{} {}", painted(DOUBTFUL, "Warning:"), plain(warning));
            }
            &ready.brakes
        }
        Readiness::NotReady(not) => {
            let _ = writeln!(text, "{} {}", painted(BAD, "Not ready:"), told(&not.error));
            &not.brakes
        }
    };
    if let Some(brakes) = brakes {
        text.push_str(&limits_text(brakes));
    }
    if let Some(nodes) = &status.nodes {
        text.push('\n');
        text.push_str(&nodes_table(nodes));
    }
    text
}

fn limits_text(limits: &SpendingLimitsView) -> String {
    let cap = limits
        .daily_gas_cap
        .map_or_else(|| "no cap".to_owned(), sui);
    let breaker = match limits.breaker_failures {
        0 => "never opens".to_owned(),
        most => format!("opens at {most}"),
    };
    let mut text = format!(
        "Gas in 24 hours: {} spent, {} reserved, cap: {cap}\nFailures in a row: {} (circuit breaker {breaker})\n",
        sui(limits.gas_spent),
        sui(limits.gas_reserved),
        limits.failures_in_a_row,
    );
    if let Some(held) = &limits.held {
        let _ = writeln!(text, "Nothing is signed: {}", told(held));
    }
    text
}
