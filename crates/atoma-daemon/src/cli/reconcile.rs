//! The command `reconcile`.

use std::fmt::Write as _;

use anyhow::bail;
use atoma_api_types::{DifferenceView, ReconciledView};
use clap::Args;

use super::connection::Connection;
use super::table::table;

/// The flags of `reconcile`.
#[derive(Debug, Args)]
pub(super) struct ReconcileArgs {
    /// Only tell the differences.
    #[arg(long)]
    dry_run: bool,
    /// Rebuild the mirror from the contract's state at one version, which also ends what events set aside have left.
    #[arg(long, conflicts_with = "dry_run")]
    rebuild: bool,
    #[command(flatten)]
    pub(super) connection: Connection,
}

impl ReconcileArgs {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let client = self.connection.client()?;
        let found = match self.rebuild {
            true => client.rebuild_mirror().await?,
            false => client.reconcile(self.dry_run).await?,
        };
        self.connection.show(&found, text)?;
        if self.dry_run && !found.differences.is_empty() {
            bail!("the mirror differs from the contract");
        }
        Ok(())
    }
}

fn text(found: &ReconciledView) -> String {
    let mut text = String::new();
    if !found.differences.is_empty() {
        text.push_str(&table(
            ["DIFFERENCE", "ENTRY", "MIRROR", "CONTRACT"],
            found.differences.iter().map(row),
        ));
        text.push('\n');
    }
    let done = if found.dry_run { "found" } else { "repaired" };
    let _ = writeln!(
        text,
        "{} entries compared, {} differences {done}",
        found.compared,
        found.differences.len()
    );
    if found.not_compared > 0 {
        let _ = writeln!(
            text,
            "{} entries were changing; the daemon compares them later",
            found.not_compared
        );
    }
    text
}

fn row(difference: &DifferenceView) -> [String; 4] {
    let kind = match difference.entry {
        atoma_api_types::EntryKind::Node => "node",
        atoma_api_types::EntryKind::Task => "task",
        atoma_api_types::EntryKind::Stack => "stack",
    };
    let of = match difference.subscriber_small_id {
        Some(node) => format!(", node {node}"),
        None => String::new(),
    };
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| String::from("-"));
    [
        difference.kind.clone(),
        format!("{kind} {}{of}", difference.small_id),
        value(&difference.mirrored),
        value(&difference.on_chain),
    ]
}
