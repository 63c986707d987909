//! The commands `autopilot`.

use std::fmt::Write as _;

use anyhow::bail;
use atoma_api_types::{
    AutopilotModeView, AutopilotView, DutyKindView, DutyStandingView, DutyView, PauseRequest,
    PauseScopeView,
};
use atoma_client::DutyFilter;
use atoma_domain::autopilot::DutyKind;
use atoma_domain::{NodeSmallId, StackSmallId};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::connection::{Connection, MOST_ENTRIES};
use super::table::{optional, plain, table};
use crate::amounts::usdc;
use crate::exit;
use crate::output::{BAD, DOUBTFUL, GOOD, painted};

/// The commands about the autopilot.
#[derive(Debug, Subcommand)]
pub(super) enum AutopilotCommand {
    /// Say how the autopilot stands and what comes next.
    #[command(after_help = exit::HELP)]
    Status(Connection),
    /// List what the operator's nodes have to do now or later, and why, whether or not the autopilot is on.
    #[command(after_help = exit::HELP)]
    Plan(PlanArgs),
    /// Pause it until somebody resumes it. What is under way goes on.
    #[command(after_help = exit::HELP)]
    Pause(PauseArgs),
    /// Let it go on. Today's disputes and failures pause it no more.
    #[command(after_help = exit::HELP)]
    Resume(Connection),
    /// Say what there is to do about a stack, when and why.
    #[command(after_help = exit::HELP)]
    Explain(ExplainArgs),
}

/// The flags of `autopilot plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Only duties of this kind.
    #[arg(long, value_name = "DUTY", value_parser = PossibleValuesParser::new(DutyKind::ALL.map(DutyKind::name)))]
    duty: Option<String>,
    /// Only duties that stand so.
    #[arg(long, value_name = "STANDING", value_parser = PossibleValuesParser::new(["due", "waiting", "blocked"]))]
    standing: Option<String>,
    /// Only duties of this node.
    #[arg(long, value_name = "ID")]
    node: Option<NodeSmallId>,
    #[command(flatten)]
    connection: Connection,
}

/// The flags of `autopilot pause`.
#[derive(Debug, Args)]
pub(super) struct PauseArgs {
    /// Stop attestations too. The contract punishes nodes that do not attest in time.
    #[arg(long)]
    all: bool,
    /// Why, for those who read it later.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// The flags of `autopilot explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Small id of the stack.
    #[arg(value_name = "STACK")]
    stack: StackSmallId,
    #[command(flatten)]
    connection: Connection,
}

impl AutopilotCommand {
    /// How the command reaches the daemon.
    pub(super) const fn connection(&self) -> &Connection {
        match self {
            Self::Status(connection) | Self::Resume(connection) => connection,
            Self::Plan(args) => &args.connection,
            Self::Pause(args) => &args.connection,
            Self::Explain(args) => &args.connection,
        }
    }

    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = self.connection().client()?;
        match &self {
            Self::Status(connection) => connection.show(&client.autopilot().await?, status_text),
            Self::Plan(args) => {
                let filter = DutyFilter {
                    duty: args.duty.clone(),
                    standing: args.standing.clone(),
                    node_small_id: args.node,
                };
                let duties = client.duties(filter).all(MOST_ENTRIES).await?;
                let autopilot = client.autopilot().await?;
                args.connection
                    .show(&duties, |duties| plan_text(duties, &autopilot))
            }
            Self::Pause(args) => {
                let request = PauseRequest {
                    scope: match args.all {
                        true => PauseScopeView::All,
                        false => PauseScopeView::AllButAttestations,
                    },
                    note: args.note.clone(),
                };
                let paused = client.pause_autopilot(&request).await?;
                args.connection.show(&paused, status_text)
            }
            Self::Resume(connection) => {
                let before = client.autopilot().await?.pause;
                let resumed = client.resume_autopilot().await?;
                connection.show(&resumed, |resumed| {
                    let ended = before.map(|pause| {
                        let why = plain(&pause.explanation);
                        format!("Known from now on, and no reason to pause again: {why}\n")
                    });
                    ended.unwrap_or_default() + &status_text(resumed)
                })?;
                if let (Some(_), Some(file)) = (&resumed.pause, &resumed.pause_file) {
                    bail!("the autopilot is still paused: remove the file {file}");
                }
                Ok(())
            }
            Self::Explain(args) => {
                let duties = client.duties_of(args.stack).all(MOST_ENTRIES).await?;
                args.connection
                    .show(&duties, |duties| explanation(args.stack, duties))
            }
        }
    }
}

fn status_text(autopilot: &AutopilotView) -> String {
    let mut text = String::new();
    let mode = match autopilot.mode {
        AutopilotModeView::Off => painted(DOUBTFUL, "Off"),
        AutopilotModeView::Plan => painted(DOUBTFUL, "Only planning"),
        AutopilotModeView::On if autopilot.pause.is_some() => painted(BAD, "Paused"),
        AutopilotModeView::On => painted(GOOD, "On"),
    };
    let _ = writeln!(text, "{mode}");
    if let Some(pause) = &autopilot.pause {
        let what = match pause.scope {
            PauseScopeView::AllButAttestations => "all but attestations",
            PauseScopeView::All => "everything",
        };
        let go_on = match &autopilot.pause_file {
            Some(file) if autopilot.is_paused_by_file => {
                format!(
                    "Go on: remove {}, then atoma-daemon autopilot resume",
                    plain(file)
                )
            }
            _ => String::from("Go on: atoma-daemon autopilot resume"),
        };
        let _ = writeln!(
            text,
            "Paused since {}: {}\nStopped: {what}. {go_on}",
            optional(pause.since.as_deref()),
            plain(&pause.explanation)
        );
    }
    if let Some(why) = &autopilot.writes_stopped {
        let _ = writeln!(text, "The daemon sends nothing: {}", plain(why));
    }
    if let Some(at) = &autopilot.looked_at {
        let _ = writeln!(text, "Looked at {at}");
    }
    if let Some(epoch) = autopilot.epoch {
        let ends = optional(autopilot.epoch_ends_at.as_deref());
        let _ = writeln!(text, "Epoch {epoch}, expected to end at {ends}");
    }
    if autopilot.recent_failures > 0 {
        let (failures, policy) = (autopilot.recent_failures, &autopilot.policy);
        let _ = writeln!(
            text,
            "Failures in the last {} s: {failures} (it pauses at {})",
            policy.failure_window_s, policy.max_failures
        );
    }
    if autopilot.counts.is_empty() && autopilot.looked_at.is_some() {
        text.push_str("Nothing to do.\n");
    } else if !autopilot.counts.is_empty() {
        let rows = autopilot.counts.iter().map(|count| {
            [
                kind(count.duty).to_owned(),
                standing(count.standing).to_owned(),
                count.reason.clone(),
                count.count.to_string(),
            ]
        });
        text.push('\n');
        text.push_str(&table(["DUTY", "STANDING", "REASON", "COUNT"], rows));
    }
    if !autopilot.next.is_empty() {
        text.push_str("\nNext:\n");
        text.push_str(&duties_table(&autopilot.next));
    }
    text
}

fn plan_text(duties: &[DutyView], autopilot: &AutopilotView) -> String {
    let mut text = match duties.is_empty() {
        true => String::from("Nothing to do.\n"),
        false => duties_table(duties),
    };
    let note = match (autopilot.mode, &autopilot.pause) {
        (AutopilotModeView::On, None) => return text,
        (AutopilotModeView::On, Some(pause)) => match pause.scope {
            PauseScopeView::AllButAttestations => {
                "The autopilot is paused: it only does the attestations."
            }
            PauseScopeView::All => "The autopilot is paused: it does nothing of this.",
        },
        (AutopilotModeView::Off, _) => "The autopilot is off: it does nothing of this.",
        (AutopilotModeView::Plan, _) => "The autopilot only plans: it does nothing of this.",
    };
    let _ = writeln!(text, "\n{}", painted(DOUBTFUL, note));
    text
}

fn duties_table(duties: &[DutyView]) -> String {
    let rows = duties.iter().map(|duty| {
        [
            kind(duty.duty).to_owned(),
            optional(duty.stack_small_id),
            optional(duty.task_small_id),
            duty.node_small_id.to_string(),
            standing(duty.standing).to_owned(),
            optional(duty.deadline.as_deref().or(duty.waits_until.as_deref())),
            optional(duty.proceeds_micro_usdc.map(usdc)),
            duty.explanation.clone(),
        ]
    });
    table(
        [
            "DUTY", "STACK", "TASK", "NODE", "STANDING", "UNTIL", "PROCEEDS", "WHY",
        ],
        rows,
    )
}

fn explanation(stack: StackSmallId, duties: &[DutyView]) -> String {
    if duties.is_empty() {
        return format!(
            "Nothing to do about stack {stack}: it is paid, or not a stack of this operator's nodes.\n"
        );
    }
    let mut text = String::new();
    for duty in duties {
        let _ = writeln!(
            text,
            "{} stack {stack} by node {}: {}, because {}",
            painted(anstyle::Style::new().bold(), kind(duty.duty)),
            duty.node_small_id,
            standing(duty.standing),
            plain(&duty.explanation)
        );
        for (name, time) in [
            ("  deadline", &duty.deadline),
            ("  waits at most until", &duty.waits_until),
            ("  since", &duty.since),
        ] {
            if let Some(time) = time {
                let _ = writeln!(text, "{name}: {time}");
            }
        }
        if let Some(proceeds) = duty.proceeds_micro_usdc {
            let _ = writeln!(text, "  the node earns {}", usdc(proceeds));
        }
    }
    text
}

const fn kind(kind: DutyKindView) -> &'static str {
    match kind {
        DutyKindView::Attest => "attest",
        DutyKindView::Settle => "settle",
        DutyKindView::Claim => "claim",
        DutyKindView::Withdraw => "withdraw",
    }
}

const fn standing(standing: DutyStandingView) -> &'static str {
    match standing {
        DutyStandingView::Due => "due",
        DutyStandingView::Waiting => "waiting",
        DutyStandingView::Blocked => "blocked",
    }
}
