//! Running calls in groups: one transaction for those that wait, read in one round trip and written in another.
//!
//! There is no timer: a call that comes alone is written alone, and those that come meanwhile are the next group. Each
//! runs on what those before it have changed, as if it had been written alone. Their callers learn of it when
//! the transaction is on disk.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use atoma_domain::ports::StoreError;
use tokio::sync::oneshot;

use super::needs::Needs;
use super::operation::{Job, Operation, Said, Waiting};
use super::queue::Runner;
use crate::error::{shared, statement_failed, unavailable};
use crate::store::{SqliteState, Writing};

/// Does it with the others that wait, and returns when it is on disk. It waits for its turn no longer than any other
/// call does for a connection.
pub(super) async fn run<O: Operation>(store: &SqliteState, operation: O) -> Said<O> {
    if store.is_read_only() {
        return Err(StoreError::ReadOnly.into());
    }
    let (caller, mut answer) = oneshot::channel();
    let job = Box::new(Waiting::new(operation, caller));
    let added = store.queue.add(job);
    let (place, runner) = added.map_err(|full| StoreError::Busy(Box::new(full)))?;
    if let Some(runner) = runner {
        let task = run_groups(store.clone(), runner);
        drop(store.queue.runtime().spawn(task));
    }
    let said = match tokio::time::timeout(store.writer.timeout(), &mut answer).await {
        Ok(said) => said,
        Err(_) if store.queue.withdraw(place) => {
            return Err(statement_failed(sqlx::Error::PoolTimedOut).into());
        }
        // It has its turn.
        Err(_) => answer.await,
    };
    // The runtime has ended.
    said.unwrap_or_else(|ended| Err(unavailable(ended).into()))
}

/// Does it alone, and takes it back.
pub(super) async fn rehearse<O: Operation>(store: &SqliteState, operation: O) -> Said<O> {
    let mut needs = Needs::default();
    operation.needs(needs.at(operation.now()));
    let (batch, reads) = needs.reads();
    let (transaction, results) = store.write_with(batch).await?;
    let said = match reads.take(results, Arc::new(store.key_clock.scratch())) {
        Ok(mut loaded) => operation.run(&mut loaded),
        Err(error) => Err(error.into()),
    };
    transaction.undo(said).await
}

/// Runs groups until no call waits.
async fn run_groups(store: SqliteState, mut runner: Runner) {
    loop {
        // Whoever got an answer and asks again is in time for this group.
        tokio::task::yield_now().await;
        let waiting = runner.waiting();
        if waiting == 0 {
            return;
        }
        match store.turn().await {
            Ok(turn) => match runner.group() {
                // All have been withdrawn meanwhile.
                none if none.is_empty() => turn.end(),
                group => run_group(&store, turn, group).await,
            },
            // Those who came while it waited may still have time.
            Err(error) => refuse(runner.take(waiting), error),
        }
    }
}

/// Runs a group. If the database refuses it for something that may be true of one call alone, runs each by
/// itself.
async fn run_group(store: &SqliteState, turn: Writing, mut jobs: Vec<Box<dyn Job>>) {
    let failure = match attempt(store, turn, &mut jobs).await {
        Ok(()) => {
            for job in jobs {
                job.answer(None);
            }
            return;
        }
        Err(failure) => failure,
    };
    if jobs.len() == 1 || !failure.may_be_of_one {
        return refuse(jobs, failure.error);
    }
    let mut jobs = jobs.into_iter();
    while let Some(job) = jobs.next() {
        let mut alone = vec![job];
        let done = match store.turn().await {
            Ok(turn) => attempt(store, turn, &mut alone).await,
            Err(error) => Err(Failure::of_all(error)),
        };
        match done {
            Ok(()) => alone.into_iter().for_each(|job| job.answer(None)),
            Err(failure) if failure.may_be_of_one => refuse(alone, failure.error),
            // Each of the others would wait as long, and nobody after them would be served.
            Err(failure) => return refuse(alone.into_iter().chain(jobs).collect(), failure.error),
        }
    }
}

/// Why a group was not written. It has changed nothing.
struct Failure {
    error: StoreError,
    /// Whether the others could be written without one of them.
    may_be_of_one: bool,
}

impl Failure {
    /// A rule of the schema that one of them breaks, or a damaged page that only one of them needs. SQLite reports neither
    /// of a transaction that it has committed.
    const fn of_group(error: StoreError) -> Self {
        Self {
            may_be_of_one: matches!(error, StoreError::Damaged(_)) || !error.is_temporary(),
            error,
        }
    }

    const fn of_all(error: StoreError) -> Self {
        Self {
            error,
            may_be_of_one: false,
        }
    }
}

/// Reads what the calls need, runs them, and writes and commits what they have changed.
async fn attempt(
    store: &SqliteState,
    turn: Writing,
    jobs: &mut [Box<dyn Job>],
) -> Result<(), Failure> {
    let needed = caught(|| {
        let mut needs = Needs::default();
        for job in jobs.iter() {
            job.needs(&mut needs);
        }
        Ok(needs.reads())
    });
    let (batch, reads) = match needed {
        Ok(needed) => needed,
        Err(failure) => {
            turn.end();
            return Err(failure);
        }
    };
    let (transaction, results) = turn.begin(batch).await.map_err(Failure::of_group)?;
    let decided = caught(|| {
        let loaded = reads.take(results, Arc::clone(&store.key_clock));
        let mut loaded = loaded.map_err(Failure::of_group)?;
        for job in jobs {
            job.run(&mut loaded);
        }
        Ok(loaded.writes())
    });
    match decided {
        Ok(writes) => transaction
            .commit_with(writes)
            .await
            .map_err(Failure::of_group),
        Err(failure) => {
            // If this fails, the pool tries again or closes the connection.
            let _ = transaction.rollback().await;
            Err(failure)
        }
    }
}

/// Runs the rules of a group. A panic of one, which is a bug, leaves what they share in an unknown state: nothing of it is
/// used, and each call runs alone.
fn caught<T>(rules: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    panic::catch_unwind(AssertUnwindSafe(rules)).unwrap_or_else(|_| {
        Err(Failure {
            error: unavailable(Panicked),
            may_be_of_one: true,
        })
    })
}

/// A rule of served work has panicked. The panic itself is in the log.
#[derive(Debug, thiserror::Error)]
#[error("a rule of served work panicked: this is a bug")]
struct Panicked;

#[cfg(test)]
mod tests;

/// Tells all callers that the database failed.
fn refuse(jobs: Vec<Box<dyn Job>>, error: StoreError) {
    match <[Box<dyn Job>; 1]>::try_from(jobs) {
        Ok([job]) => job.answer(Some(error)),
        Err(jobs) => {
            let error = shared(error);
            jobs.into_iter().for_each(|job| job.answer(Some(error())));
        }
    }
}
