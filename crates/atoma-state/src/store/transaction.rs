//! The writing connections of a store, how they queue, and their transactions.

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
    queue: WriteQueue,
    /// The connection must go back, since readers use it too.
    is_shared: bool,
}

/// The queue of the writers of one view. First they queue among themselves, then the first of each view
/// queues for the permit to write. Both are first come, first served.
#[derive(Clone, Debug)]
struct WriteQueue {
    own: Arc<Mutex<Kept>>,
    common: Arc<Mutex<()>>,
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

/// The permit to write. It ends when it is dropped: first for all views, so that the next writer of the same
/// view comes after the one of the other view.
#[derive(Debug)]
struct WritePermit {
    _common: OwnedMutexGuard<()>,
    kept: OwnedMutexGuard<Kept>,
}

impl WriteQueue {
    /// The queue of a first view.
    fn new(timeout: Duration) -> Self {
        Self {
            own: Arc::default(),
            common: Arc::default(),
            timeout,
        }
    }

    /// The queue of another view.
    fn beside(&self) -> Self {
        Self {
            own: Arc::default(),
            ..self.clone()
        }
    }

    /// Waits for the permit, as long as for a connection.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the writers before it don't end in time.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "the first of a view keeps its place while it queues with the other view's"
    )]
    async fn take(&self) -> Result<WritePermit, StoreError> {
        let both = async {
            let kept = Arc::clone(&self.own).lock_owned().await;
            WritePermit {
                _common: Arc::clone(&self.common).lock_owned().await,
                kept,
            }
        };
        let permit = tokio::time::timeout(self.timeout, both).await;
        permit.map_err(|_| statement_failed(sqlx::Error::PoolTimedOut))
    }
}

impl Writer {
    /// The writer of a first view, over a pool of one connection. `is_shared` if readers use it too.
    pub(super) fn new(pool: SqlitePool, is_shared: bool, timeout: Duration) -> Self {
        Self {
            pool,
            queue: WriteQueue::new(timeout),
            is_shared,
        }
    }

    /// The writer of another view.
    pub(super) fn beside(&self, pool: SqlitePool) -> Self {
        Self {
            pool,
            queue: self.queue.beside(),
            is_shared: self.is_shared,
        }
    }

    /// How long a call waits for its turn.
    pub(crate) const fn timeout(&self) -> Duration {
        self.queue.timeout
    }

    /// Waits for the permit, and for the connection. Nobody else writes while the caller has it.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the writers before it don't end in time, [`StoreError::Unavailable`]
    /// when the store is closed.
    pub(crate) async fn take(&self) -> Result<Writing, StoreError> {
        let mut permit = self.queue.take().await?;
        if self.pool.is_closed() {
            return Err(unavailable(sqlx::Error::PoolClosed));
        }
        let connection = match permit.kept.0.take() {
            Some(connection) => connection,
            None => self.pool.acquire().await.map_err(statement_failed)?,
        };
        Ok(Writing {
            connection,
            permit,
            is_shared: self.is_shared,
        })
    }

    /// Waits for the transaction in progress and closes the connection.
    pub(super) async fn close(&self) {
        let closed = {
            let mut kept = self.queue.own.lock().await;
            // From here on no writer gets a connection.
            let closed = self.pool.close();
            // The pool waits for it.
            drop(kept.0.take());
            closed
        };
        closed.await;
    }
}

/// A writing connection and the permit to use it.
#[derive(Debug)]
pub(crate) struct Writing {
    connection: PoolConnection<Sqlite>,
    permit: WritePermit,
    is_shared: bool,
}

impl Writing {
    /// Begins a transaction with the write lock, and reads in the same round trip.
    ///
    /// # Errors
    /// As [`Batch::query`].
    pub(crate) async fn begin(
        self,
        reads: Batch,
    ) -> Result<(WriteTransaction, Results), StoreError> {
        let mut transaction = WriteTransaction(self);
        match reads.query_at_begin(&mut transaction).await {
            Ok(results) => Ok((transaction, results)),
            Err(error) => Err(transaction.give_up(error).await),
        }
    }

    /// Leaves the connection to the next writer. One that is dropped instead goes back to the pool.
    pub(crate) fn end(self) {
        let Self {
            connection,
            mut permit,
            is_shared,
        } = self;
        if !is_shared {
            permit.kept.0 = Some(connection);
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

/// A transaction that writes. If the call is cancelled, the pool rolls it back; the next writer may have
/// begun by then, and waits for SQLite's lock.
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

    /// Commits what a call has done, or rolls back and returns why the call was refused.
    ///
    /// # Errors
    /// The call's own, or as [`commit_with`](Self::commit_with).
    pub(crate) async fn end<T, E: From<StoreError>>(self, call: Result<T, E>) -> Result<T, E> {
        match call {
            Ok(done) => {
                self.commit().await?;
                Ok(done)
            }
            Err(refusal) => Err(self.give_up(refusal).await),
        }
    }

    /// Rolls back what a call has done, and returns what it said.
    ///
    /// # Errors
    /// The call's own, or when the database fails.
    pub(crate) async fn undo<T, E: From<StoreError>>(self, call: Result<T, E>) -> Result<T, E> {
        let undone = self.rollback().await;
        let said = call?;
        undone?;
        Ok(said)
    }

    /// Writes and commits what a transition has decided, or rolls back and returns why it was refused.
    ///
    /// # Errors
    /// The transition's own, or as [`commit_with`](Self::commit_with).
    pub(crate) async fn end_with(
        self,
        decided: Result<Batch, StoreError>,
    ) -> Result<(), StoreError> {
        match decided {
            Ok(writes) => self.commit_with(writes).await,
            Err(refusal) => Err(self.give_up(refusal).await),
        }
    }

    /// Rolls back before the next writer begins.
    async fn give_up<E>(self, because: E) -> E {
        // If this fails, the pool tries again or closes the connection.
        let _ = self.rollback().await;
        because
    }

    /// Writes and commits in the same round trip. The changes are on disk when this returns.
    ///
    /// # Errors
    /// As [`Batch::query`]. Nothing has changed then.
    pub(crate) async fn commit_with(mut self, mut writes: Batch) -> Result<(), StoreError> {
        writes.statement("COMMIT");
        match writes.run(&mut self.0).await {
            Ok(()) => {
                self.0.end();
                Ok(())
            }
            Err(error) => Err(self.give_up(error).await),
        }
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
        let engine = WriteQueue::new(Duration::from_secs(3_600));
        let served = engine.beside();
        let held = engine.take().await.unwrap();
        let order = std::sync::Mutex::new(Vec::new());
        let write = |queue: &WriteQueue, name: &'static str| {
            let (queue, order) = (queue.clone(), &order);
            async move {
                let _permit = queue.take().await.unwrap();
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
        let engine = WriteQueue::new(Duration::ZERO);
        let _held = engine.take().await.unwrap();
        for queue in [engine.clone(), engine.beside()] {
            let refused = queue.take().await;
            assert!(matches!(refused, Err(StoreError::Busy(_))));
        }
    }
}
