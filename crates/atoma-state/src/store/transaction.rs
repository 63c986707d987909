//! The writing connections of a store, the turns that they take, and their transactions.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use atoma_domain::ports::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Executor, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::batch::{Batch, Results};
use crate::error::{statement_failed, unavailable};

/// The writing connection of one view.
///
/// It stays out of its [pool](writer_pool) between two transactions: the pool tests every connection that
/// comes back, and the next writer would wait for that. Only after an error or a cancelled call it goes
/// back.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pool: SqlitePool,
    turns: Turns,
    /// The connection must go back, since readers use it too.
    is_shared: bool,
}

/// The turns of the writers of one view. First they queue among themselves, then the first of each view
/// waits for its turn. Both are first come, first served.
#[derive(Clone, Debug)]
struct Turns {
    queue: Arc<Mutex<Kept>>,
    turn: Arc<Mutex<()>>,
    timeout: Duration,
}

/// The connection of a view while nobody writes; `None` before the first write.
#[derive(Debug, Default)]
struct Kept(Option<PoolConnection<Sqlite>>);

impl Drop for Kept {
    fn drop(&mut self) {
        // Only a runtime can give it back to its pool, and a store may outlive its runtime.
        drop(self.0.take().map(PoolConnection::detach));
    }
}

/// The right to write. It ends when it is dropped: first the turn, so that the next writer of the same view
/// comes after the one of the other view.
#[derive(Debug)]
struct Turn {
    _turn: OwnedMutexGuard<()>,
    kept: OwnedMutexGuard<Kept>,
}

impl Turns {
    /// The turns of a first view.
    fn new(timeout: Duration) -> Self {
        Self {
            queue: Arc::default(),
            turn: Arc::default(),
            timeout,
        }
    }

    /// The turns of another view, with a queue of its own.
    fn beside(&self) -> Self {
        Self {
            queue: Arc::default(),
            ..self.clone()
        }
    }

    /// Waits for a turn, as long as for a connection.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when the writers before it don't end in time.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "the first of a view keeps its place while it waits for the turn; nobody else needs it"
    )]
    async fn take(&self) -> Result<Turn, StoreError> {
        let both = async {
            let kept = Arc::clone(&self.queue).lock_owned().await;
            Turn {
                _turn: Arc::clone(&self.turn).lock_owned().await,
                kept,
            }
        };
        let turn = tokio::time::timeout(self.timeout, both).await;
        turn.map_err(|_| statement_failed(sqlx::Error::PoolTimedOut))
    }
}

impl Writer {
    /// The writer of a first view, over a pool of one connection. `is_shared` if readers use it too.
    pub(super) fn new(pool: SqlitePool, is_shared: bool, timeout: Duration) -> Self {
        Self {
            pool,
            turns: Turns::new(timeout),
            is_shared,
        }
    }

    /// The writer of another view.
    pub(super) fn beside(&self, pool: SqlitePool) -> Self {
        Self {
            pool,
            turns: self.turns.beside(),
            is_shared: self.is_shared,
        }
    }

    /// Waits for a turn, and for the connection. Nobody else writes while the caller has it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when the writers before it don't end in time, [`StoreError::Unavailable`]
    /// when the store is closed.
    pub(crate) async fn take(&self) -> Result<Writing, StoreError> {
        let mut turn = self.turns.take().await?;
        if self.pool.is_closed() {
            return Err(unavailable(sqlx::Error::PoolClosed));
        }
        let connection = match turn.kept.0.take() {
            Some(connection) => connection,
            None => self.pool.acquire().await.map_err(statement_failed)?,
        };
        Ok(Writing {
            connection,
            turn,
            is_shared: self.is_shared,
        })
    }

    /// Begins a transaction with the write lock, and reads in the same round trip.
    pub(super) async fn begin(
        &self,
        reads: Batch,
    ) -> Result<(WriteTransaction, Results), StoreError> {
        let mut transaction = WriteTransaction(self.take().await?);
        let results = reads.query_at_begin(&mut transaction).await?;
        Ok((transaction, results))
    }

    /// Waits for the transaction in progress and closes the connection.
    pub(super) async fn close(&self) {
        let kept = self.turns.queue.lock().await.0.take();
        // The pool waits for it.
        drop(kept);
        self.pool.close().await;
    }
}

/// A writing connection and the turn to use it.
#[derive(Debug)]
pub(crate) struct Writing {
    // Dropped first, so that the next writer begins after a rollback was asked for.
    connection: PoolConnection<Sqlite>,
    turn: Turn,
    is_shared: bool,
}

impl Writing {
    /// Leaves the connection to the next writer. One that is dropped instead goes back to the pool.
    pub(crate) fn end(self) {
        let Self {
            connection,
            mut turn,
            is_shared,
        } = self;
        if !is_shared {
            turn.kept.0 = Some(connection);
        }
    }
}

impl Deref for Writing {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

/// A transaction that writes. One that is dropped without a commit is rolled back by its pool.
#[derive(Debug)]
pub(crate) struct WriteTransaction(Writing);

impl WriteTransaction {
    /// Commits it. Its changes are on disk when this returns.
    ///
    /// # Errors
    /// As [`commit_with`](Self::commit_with).
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.commit_with(Batch::new()).await
    }

    /// Writes and commits in the same round trip. The changes are on disk when this returns.
    ///
    /// # Errors
    /// As [`Batch::query`]. Nothing has changed then.
    pub(crate) async fn commit_with(mut self, mut writes: Batch) -> Result<(), StoreError> {
        writes.statement("COMMIT");
        writes.run(&mut self.0).await?;
        self.0.end();
        Ok(())
    }

    /// Ends it without a change.
    ///
    /// # Errors
    /// When the database fails. Nothing has changed then either.
    pub(crate) async fn rollback(mut self) -> Result<(), StoreError> {
        roll_back(&mut self.0).await.map_err(statement_failed)?;
        self.0.end();
        Ok(())
    }
}

impl Deref for WriteTransaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.0
    }
}

impl DerefMut for WriteTransaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// The pool of a [`Writer`]. It rolls back the transaction of a connection that comes back. If SQLite
/// refuses, because it has ended the transaction itself (on a full disk, for example) or nothing works any
/// more, the pool replaces the connection. One that is shared never breaks: it has no file.
pub(super) fn writer_pool(options: SqlitePoolOptions, is_shared: bool) -> SqlitePoolOptions {
    options
        // To keep a minimum, the pool needs a runtime even when it loses a connection.
        .min_connections(0)
        .after_release(move |connection, _| {
            Box::pin(async move { Ok(roll_back(connection).await.is_ok() || is_shared) })
        })
}

async fn roll_back(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection.execute("ROLLBACK").await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt as _, poll};

    /// However many writers of one view wait, the other's next one comes after the first of them.
    #[tokio::test]
    async fn views_take_turns_and_each_keeps_its_order() {
        let engine = Turns::new(Duration::from_secs(3_600));
        let served = engine.beside();
        let held = engine.take().await.unwrap();
        let order = std::sync::Mutex::new(Vec::new());
        let write = |turns: &Turns, name: &'static str| {
            let (turns, order) = (turns.clone(), &order);
            async move {
                let _turn = turns.take().await.unwrap();
                order.lock().unwrap().push(name);
                // Others run while it writes.
                tokio::task::yield_now().await;
            }
            .boxed_local()
            .shared()
        };
        let mut writers = Vec::new();
        for name in ["served 1", "served 2", "served 3"] {
            writers.push(write(&served, name));
        }
        for name in ["engine 1", "engine 2"] {
            writers.push(write(&engine, name));
        }
        for writer in &mut writers {
            assert!(poll!(writer).is_pending());
        }
        drop(held);
        futures::future::join_all(writers).await;
        let expected = ["served 1", "engine 1", "served 2", "engine 2", "served 3"];
        assert_eq!(*order.lock().unwrap(), expected);
    }

    #[tokio::test]
    async fn a_writer_waits_no_longer_than_it_may() {
        let engine = Turns::new(Duration::ZERO);
        let _held = engine.take().await.unwrap();
        for turns in [engine.clone(), engine.beside()] {
            let refused = turns.take().await;
            assert!(matches!(refused, Err(StoreError::Locked(_))));
        }
    }
}
