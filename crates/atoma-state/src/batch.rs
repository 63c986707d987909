//! Several statements in one round trip.
//!
//! sqlx runs each SQLite connection on a thread of its own. The hop to that thread and back takes
//! longer than most statements, and an engine lane waits for every hop. A [`Batch`] hops once.
//!
//! Only SQLite takes several statements with parameters in one call. So every statement of a batch
//! stands for itself, with placeholders from `$1` on: on PostgreSQL they would run one by one.

use std::collections::VecDeque;
use std::fmt::Write as _;

use atoma_domain::ports::StoreError;
use futures::TryStreamExt;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Either, Encode, Executor, Sqlite, SqliteConnection, Type};

use crate::columns::JsonRows;
use crate::error::{statement_failed, unavailable};

/// Statements that run in order; the first error ends them. Run a batch that writes inside a
/// transaction, so that an error undoes what came before it.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    sql: String,
    arguments: SqliteArguments,
    statements: Vec<PlannedStatement>,
    failed: Option<BoxDynError>,
}

#[derive(Debug)]
struct PlannedStatement {
    sql: &'static str,
    changes: Option<usize>,
    is_check: bool,
}

/// Fails, and so ends the batch, unless the statement before it has changed so many rows: nothing after it
/// runs then, not even a `COMMIT`. Invalid JSON is an error that SQLite has outside of triggers.
const CHECK: &str = "SELECT 1 WHERE json(iif(changes() = $1, '0', '')) IS NULL";

/// A statement that changed another number of rows than its batch was planned for.
#[derive(Debug, thiserror::Error)]
#[error("{changed} rows were changed instead of {planned} by: {sql}")]
struct UnplannedChange {
    sql: &'static str,
    planned: usize,
    changed: u64,
}

/// A batch of which the database ran another number of statements than it has.
#[derive(Debug, thiserror::Error)]
#[error("{run} statements were run instead of {planned}")]
struct UnplannedStatements {
    planned: usize,
    run: usize,
}

/// The rows of each statement of a batch, in order.
#[derive(Debug)]
pub(crate) struct Results {
    rows: VecDeque<Vec<SqliteRow>>,
}

impl Results {
    /// The rows of the next statement; none after the last.
    pub(crate) fn next(&mut self) -> Vec<SqliteRow> {
        self.rows.pop_front().unwrap_or_default()
    }
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a statement. The calls that follow are about it.
    pub(crate) fn statement(&mut self, sql: &'static str) -> &mut Self {
        if !self.sql.is_empty() {
            self.sql.push(';');
        }
        number_from(self.arguments.len(), sql, &mut self.sql);
        self.statements.push(PlannedStatement::new(sql));
        self
    }

    /// Adds a statement over rows as its only parameter, unless there are none.
    pub(crate) fn rows(&mut self, sql: &'static str, rows: JsonRows) {
        if let Some(json) = rows.finish() {
            self.statement(sql).bind(json);
        }
    }

    /// Whether it has no statement.
    pub(crate) const fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Binds the next placeholder of the statement.
    pub(crate) fn bind<'t, T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'t, Sqlite> + Type<Sqlite>,
    {
        if let Err(error) = self.arguments.add(value) {
            self.failed.get_or_insert(error);
        }
        self
    }

    /// Makes the batch fail unless the statement changes exactly so many rows. Comes after its binds.
    pub(crate) fn changing(&mut self, rows: usize) -> &mut Self {
        if let Some(statement) = self.statements.last_mut() {
            statement.changes = Some(rows);
        }
        self.statement(CHECK);
        if let Some(check) = self.statements.last_mut() {
            check.is_check = true;
        }
        self.bind(i64::try_from(rows).unwrap_or(i64::MAX))
    }

    /// Runs the statements.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub(crate) async fn run(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        self.query(connection).await.map(|_| ())
    }

    /// Begins a transaction that has the write lock, runs the statements in it and returns their rows.
    ///
    /// # Errors
    /// As [`query`](Self::query). The transaction may have begun all the same.
    pub(crate) async fn query_at_begin(
        mut self,
        connection: &mut SqliteConnection,
    ) -> Result<Results, StoreError> {
        const BEGIN: &str = "BEGIN IMMEDIATE";
        self.sql = match self.sql.as_str() {
            "" => BEGIN.to_owned(),
            sql => format!("{BEGIN};{sql}"),
        };
        self.statements.insert(0, PlannedStatement::new(BEGIN));
        let mut results = self.query(connection).await?;
        results.next();
        Ok(results)
    }

    /// Runs the statements and returns their rows.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] when the schema forbids a statement, or one changes another number of
    /// rows than [planned](Self::changing). Others when the database itself fails.
    pub(crate) async fn query(
        self,
        connection: &mut SqliteConnection,
    ) -> Result<Results, StoreError> {
        if let Some(error) = self.failed {
            return Err(unavailable(sqlx::Error::Encode(error)));
        }
        let planned = self.statements.len();
        let mut run = 0;
        let mut results = VecDeque::with_capacity(planned);
        let query = sqlx::query_with(AssertSqlSafe(self.sql), self.arguments);
        let mut stream = connection.fetch_many(query);
        let mut rows = Vec::new();
        while let Some(item) = stream.try_next().await.map_err(statement_failed)? {
            match item {
                Either::Right(row) => rows.push(row),
                Either::Left(done) => {
                    let statement = self.statements.get(run);
                    run += 1;
                    if let Some(statement) = statement {
                        // Why the check that follows it fails.
                        statement.check(done.rows_affected())?;
                    }
                    if !statement.is_some_and(|statement| statement.is_check) {
                        results.push_back(std::mem::take(&mut rows));
                    }
                }
            }
        }
        match run == planned {
            true => Ok(Results { rows: results }),
            false => Err(rejected(UnplannedStatements { planned, run })),
        }
    }
}

impl PlannedStatement {
    const fn new(sql: &'static str) -> Self {
        Self {
            sql,
            changes: None,
            is_check: false,
        }
    }

    fn check(&self, changed: u64) -> Result<(), StoreError> {
        match self.changes {
            Some(planned) if u64::try_from(planned) != Ok(changed) => {
                Err(rejected(UnplannedChange {
                    sql: self.sql,
                    planned,
                    changed,
                }))
            }
            _ => Ok(()),
        }
    }
}

fn rejected(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Rejected(Box::new(source))
}

/// Copies a statement whose placeholders `$1`, `$2`… go on after `bound` others.
fn number_from(bound: usize, sql: &str, copy: &mut String) {
    let mut parts = sql.split('$');
    copy.push_str(parts.next().unwrap_or_default());
    for part in parts {
        copy.push('$');
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        match number.parse::<usize>() {
            // Writing to a String never fails.
            Ok(number) => drop(write!(copy, "{}", bound + number)),
            // Not a placeholder but, say, a JSON path.
            Err(_) => copy.push_str(number),
        }
        copy.push_str(rest);
    }
}

#[cfg(test)]
mod tests;
