//! The command `import`. It works on the files of both nodes, and needs no daemon.

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};
use atoma_domain::ComputeUnits;
use atoma_domain::ports::Clock as _;
use atoma_operator::SystemClock;
use atoma_state::import::{EarlierDatabase, EarlierRecords, JudgedStack, judge, take};
use atoma_state::{Access, DataDirLock, SqliteState, StateOptions, database_file};
use atoma_sui::read_small_file;
use clap::Args;
use serde_json::{Value, json};

use super::database::DatabaseArgs;
use super::progress::waiting;
use super::spend::ask;
use super::table::{plain, table};
use crate::exit::{self, OutcomeError, UsageError};
use crate::output::{print, print_json, tell};

/// The flags of `import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Only tell what would be taken and what not, and why. The daemon may run meanwhile.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Don't ask before the records are taken.
    #[arg(long, short)]
    yes: bool,
}

/// Which database the earlier node used.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SourceArgs {
    /// The earlier node's database: the path of its SQLite file, or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Other
    /// users of the machine can read the flags of a command; for a password, use the variable or `--from-file`.
    #[arg(
        long,
        value_name = "SOURCE",
        env = "ATOMA_IMPORT_FROM",
        hide_env_values = true
    )]
    from: Option<GivenSource>,
    /// A file that holds what `--from` would.
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
}

/// The text of a source, which may hold a password. `clap` repeats a value that it can't parse, so it takes any.
#[derive(Clone)]
struct GivenSource(String);

impl FromStr for GivenSource {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for GivenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl SourceArgs {
    fn source(&self) -> anyhow::Result<EarlierDatabase> {
        let unusable = |name: &str, error| UsageError(format!("can't use {name}: {error}"));
        match (&self.from, &self.from_file) {
            (Some(GivenSource(text)), _) => text
                .parse()
                .map_err(|error| unusable("`--from` (ATOMA_IMPORT_FROM)", error).into()),
            (None, Some(file)) => {
                let name = file.display().to_string();
                let bytes = read_small_file(file).with_context(|| format!("can't read {name}"))?;
                let text =
                    std::str::from_utf8(&bytes).with_context(|| format!("can't read {name}"))?;
                text.parse().map_err(|error| unusable(&name, error).into())
            }
            (None, None) => bail!("neither `--from` nor `--from-file` is given"),
        }
    }
}

impl ImportArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        exit::require_terminal(self.yes || self.dry_run)?;
        let source = self.source.source()?;
        let dir = self.database.data_dir()?;
        let file = database_file(&dir);
        ensure!(
            file.exists(),
            "there is no database in {}: start the daemon first, wait until it is ready, and stop it",
            dir.display()
        );
        // No daemon starts meanwhile. Looking alone disturbs none.
        let lock = (!self.dry_run)
            .then(|| DataDirLock::take(&dir))
            .transpose()?;
        let records = waiting("Reading the earlier node's records", source.read()).await?;
        let options = StateOptions {
            access: match self.dry_run {
                true => Access::ReadOnly,
                false => Access::Existing,
            },
            ..StateOptions::default()
        };
        let store = SqliteState::open(&file, options).await?;
        let done = self.take(&store, &records, &source).await;
        store.close().await;
        if let Some(lock) = lock {
            lock.release();
        }
        done
    }

    async fn take(
        &self,
        store: &SqliteState,
        records: &EarlierRecords,
        source: &EarlierDatabase,
    ) -> anyhow::Result<()> {
        let planned = Import {
            source,
            is_done: false,
            stacks: judge(store, records).await?,
        };
        if self.dry_run {
            return self.tell(&planned);
        }
        if planned.taken() > 0 && !self.yes {
            tell(&planned.text());
            if !ask(&format!("Take over {}", stacks(planned.taken())))? {
                bail!("nothing was taken");
            }
        }
        let taken = waiting(
            "Taking over the records",
            take(store, records, SystemClock.now()),
        )
        .await;
        self.tell(&Import {
            source,
            is_done: true,
            stacks: taken.context("nothing was taken")?,
        })
    }

    fn tell(&self, import: &Import<'_>) -> anyhow::Result<()> {
        match self.database.json {
            true => print_json(&import.json())?,
            false => print(&import.text())?,
        }
        Ok(import.verdict()?)
    }
}

/// What is taken, or would be.
struct Import<'a> {
    source: &'a EarlierDatabase,
    is_done: bool,
    stacks: Vec<JudgedStack>,
}

impl Import<'_> {
    fn taken(&self) -> usize {
        self.stacks.iter().filter(|s| s.verdict.is_ok()).count()
    }

    /// Whether all work is here, or settled.
    fn verdict(&self) -> Result<(), OutcomeError> {
        let is_lost = |stack: &&JudgedStack| {
            let refusal = stack.verdict.as_ref().err();
            refusal.is_some_and(|refusal| !refusal.is_expected())
        };
        match self.stacks.iter().filter(is_lost).count() {
            0 => Ok(()),
            lost => Err(OutcomeError::Failed(format!(
                "the work for {} can't be taken over",
                stacks(lost)
            ))),
        }
    }

    fn result(&self, stack: &JudgedStack) -> &'static str {
        match (stack.verdict.is_ok(), self.is_done) {
            (true, true) => "taken",
            (true, false) => "would be taken",
            (false, _) => "not taken",
        }
    }

    fn text(&self) -> String {
        let rows = self.stacks.iter().map(|stack| {
            let id = stack.stack_small_id.to_string();
            let result = self.result(stack).to_owned();
            let none = || String::from("-");
            match &stack.verdict {
                Ok(work) => [
                    id,
                    work.num_total_messages.to_string(),
                    work.already_computed_units.to_string(),
                    result,
                    match work.num_uncovered_units {
                        ComputeUnits::ZERO => none(),
                        more => format!("{more} more units than the stack has are not paid"),
                    },
                ],
                Err(refusal) => [id, none(), none(), result, refusal.to_string()],
            }
        });
        let headings = ["STACK", "MESSAGES", "UNITS", "RESULT", "NOTE"];
        let mut text = match self.stacks.is_empty() {
            true => String::new(),
            false => table(headings, rows),
        };
        let (taken, all) = (self.taken(), self.stacks.len());
        let done = match self.is_done {
            true => "taken",
            false => "can be taken",
        };
        let from = plain(&self.source.to_string());
        let _ = writeln!(text, "{taken} of {} {done} from {from}.", stacks(all));
        if self.is_done && taken > 0 {
            text += "Start the daemon now. What the earlier node records from here on is not taken: don't start it again.\n";
        }
        text
    }

    fn json(&self) -> Value {
        let stacks = self.stacks.iter().map(|stack| {
            let mut entry = json!({
                "stack_small_id": stack.stack_small_id,
                "result": self.result(stack).replace(' ', "_"),
            });
            match &stack.verdict {
                Ok(work) => {
                    entry["node_small_id"] = json!(work.node_small_id);
                    entry["num_total_messages"] = json!(work.num_total_messages);
                    entry["already_computed_units"] = json!(work.already_computed_units);
                    entry["num_uncovered_units"] = json!(work.num_uncovered_units);
                    entry["merkle_root"] = json!(work.merkle_root);
                }
                Err(refusal) => {
                    entry["reason"] = json!(refusal.code());
                    entry["message"] = json!(refusal.to_string());
                }
            }
            entry
        });
        json!({
            "source": self.source.to_string(),
            "dry_run": !self.is_done,
            "taken": self.taken(),
            "stacks": stacks.collect::<Vec<_>>(),
        })
    }
}

fn stacks(count: usize) -> String {
    match count {
        1 => String::from("1 stack"),
        count => format!("{count} stacks"),
    }
}
