//! The command `doctor`.

use anstyle::Style;
use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::config::ConfigArgs;
use super::table::plain;
use crate::doctor::{Finding, Verdict, examine};
use crate::output::{BAD, DOUBTFUL, GOOD, painted, print};

/// The flags of `doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl DoctorArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let findings = examine(&config).await;
        if self.json {
            print(&format!("{:#}\n", json!({ "findings": findings })))?;
        } else {
            print(&text(&findings))?;
        }
        let is_problem = |finding: &&Finding| finding.verdict == Verdict::Problem;
        match findings.iter().filter(is_problem).count() {
            0 => Ok(()),
            1 => bail!("there is a problem"),
            problems => bail!("there are {problems} problems"),
        }
    }
}

/// The findings in columns, each advice below its finding.
fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max();
    let width = width.unwrap_or_default();
    findings
        .iter()
        .map(|finding| {
            let verdict = format!("{:7}", finding.verdict.name());
            let verdict = painted(style(finding.verdict), &verdict);
            let mut lines = format!(
                "{verdict}  {:width$}  {}\n",
                finding.check,
                plain(&finding.found)
            );
            if let Some(advice) = &finding.advice {
                lines += &format!("{:7}  {:width$}  → {}\n", "", "", plain(advice));
            }
            lines
        })
        .collect()
}

const fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Ok => GOOD,
        Verdict::Warning => DOUBTFUL,
        Verdict::Problem => BAD,
        Verdict::Skipped => Style::new(),
    }
}
