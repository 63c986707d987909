//! The commands about alarms.

use anyhow::bail;
use atoma_api_types::{AlarmTestView, AlarmView};
use atoma_domain::AlarmId;
use atoma_domain::alarms::AlarmState;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::connection::{Connection, MOST_ENTRIES};
use super::table::{optional, table};
use crate::exit;

/// The commands about alarms.
#[derive(Debug, Subcommand)]
pub(super) enum AlarmsCommand {
    /// List alarms that are not resolved, newest first.
    #[command(after_help = exit::HELP)]
    List(ListAlarmsArgs),
    /// Acknowledge an alarm: no reminders of it are sent.
    #[command(after_help = exit::HELP)]
    Acknowledge(AcknowledgeArgs),
    /// Send a test message to every receiver, and say how each took it.
    #[command(after_help = exit::HELP)]
    Test(Connection),
}

/// The flags of `alarms list`.
#[derive(Debug, Args)]
pub(super) struct ListAlarmsArgs {
    /// Only those that stand like this.
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(AlarmState::NAMES))]
    state: Option<String>,
    /// Those that are resolved, too.
    #[arg(long, conflicts_with = "state")]
    all: bool,
    #[command(flatten)]
    connection: Connection,
}

/// The flags of `alarms acknowledge`.
#[derive(Debug, Args)]
pub(super) struct AcknowledgeArgs {
    /// Number of the alarm.
    #[arg(value_name = "ID")]
    id: AlarmId,
    #[command(flatten)]
    connection: Connection,
}

impl AlarmsCommand {
    /// How the daemon is reached.
    pub(super) const fn connection(&self) -> &Connection {
        match self {
            Self::List(args) => &args.connection,
            Self::Acknowledge(args) => &args.connection,
            Self::Test(connection) => connection,
        }
    }

    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(args) => args.run().await,
            Self::Acknowledge(AcknowledgeArgs { id, connection }) => {
                let alarm = connection.client()?.acknowledge_alarm(id).await?;
                connection.show(&alarm, |alarm| alarms_table(std::slice::from_ref(alarm)))
            }
            Self::Test(connection) => {
                let test = connection.client()?.test_alarms().await?;
                connection.show(&test, test_table)?;
                if test.receivers.iter().any(|told| !told.is_delivered) {
                    bail!("a receiver has not confirmed the message");
                }
                Ok(())
            }
        }
    }
}

impl ListAlarmsArgs {
    async fn run(self) -> anyhow::Result<()> {
        let client = self.connection.client()?;
        let state = self.state.as_deref();
        let mut alarms = client.alarms(state).all(MOST_ENTRIES).await?;
        if state.is_none() && !self.all {
            alarms.retain(|alarm| alarm.state != AlarmState::Resolved);
        }
        self.connection.show(&alarms, |alarms| alarms_table(alarms))
    }
}

fn alarms_table(alarms: &[AlarmView]) -> String {
    let row = |alarm: &AlarmView| {
        [
            alarm.alarm_id.to_string(),
            alarm.severity.to_string(),
            alarm.state.name().to_owned(),
            alarm.kind.clone(),
            optional(alarm.since.as_deref()),
            optional(alarm.deadline.as_deref()),
            alarm.summary.clone(),
        ]
    };
    let headings = [
        "ALARM", "SEVERITY", "STATE", "KIND", "SINCE", "DEADLINE", "SUMMARY",
    ];
    table(headings, alarms.iter().map(row))
}

fn test_table(test: &AlarmTestView) -> String {
    if test.receivers.is_empty() {
        return String::from("no receivers are configured\n");
    }
    let rows = test.receivers.iter().map(|told| {
        let result = match told.is_delivered {
            true => "delivered",
            false => "failed",
        };
        [
            told.receiver.clone(),
            result.to_owned(),
            optional(told.problem.as_deref()),
        ]
    });
    table(["RECEIVER", "RESULT", "PROBLEM"], rows)
}
