//! Transactions, and the turns of those that write.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use atoma_domain::ports::StoreError;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::{statement_failed, unavailable};

/// The turns of the writers of one view. First they queue among themselves, then the first of each view
/// waits for its turn. Both are first come, first served.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    queue: Arc<Mutex<()>>,
    turn: Arc<Mutex<()>>,
    timeout: Duration,
}

/// The right to write. It ends when it is dropped: first the turn, so that the next writer of the same view
/// comes after the one of the other view.
#[derive(Debug)]
pub(super) struct Turn {
    _turn: OwnedMutexGuard<()>,
    _place: OwnedMutexGuard<()>,
}

impl Turns {
    /// The turns of a first view.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            queue: Arc::default(),
            turn: Arc::default(),
            timeout,
        }
    }

    /// The turns of another view, with a queue of its own.
    pub(super) fn beside(&self) -> Self {
        Self {
            queue: Arc::default(),
            ..self.clone()
        }
    }

    /// Waits for a turn, as long as for a connection.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the writers before it don't end in time.
    pub(super) async fn take(&self) -> Result<Turn, StoreError> {
        let both = async {
            let place = Arc::clone(&self.queue).lock_owned().await;
            Turn {
                _turn: Arc::clone(&self.turn).lock_owned().await,
                _place: place,
            }
        };
        let turn = tokio::time::timeout(self.timeout, both).await;
        turn.map_err(|_| unavailable(sqlx::Error::PoolTimedOut))
    }
}

/// A transaction of a store: a snapshot, or one that writes and has the turn until it ends. It is rolled
/// back unless it is [committed](commit).
#[derive(Debug)]
pub(crate) struct StoreTransaction {
    // Dropped first, so that the next writer begins after its rollback was asked for.
    transaction: Transaction<'static, Sqlite>,
    _turn: Option<Turn>,
}

impl StoreTransaction {
    pub(super) async fn read(readers: &SqlitePool) -> Result<Self, StoreError> {
        Ok(Self {
            transaction: readers.begin().await.map_err(unavailable)?,
            _turn: None,
        })
    }

    pub(super) async fn write(writer: &SqlitePool, turn: Turn) -> Result<Self, StoreError> {
        let transaction = writer.begin_with("BEGIN IMMEDIATE").await;
        Ok(Self {
            transaction: transaction.map_err(unavailable)?,
            _turn: Some(turn),
        })
    }

    /// Ends it without a change.
    pub(crate) async fn rollback(self) -> Result<(), sqlx::Error> {
        let Self { transaction, _turn } = self;
        transaction.rollback().await
    }
}

/// Commits a transaction. Its changes are on disk when this returns.
pub(crate) async fn commit(transaction: StoreTransaction) -> Result<(), StoreError> {
    let StoreTransaction { transaction, _turn } = transaction;
    transaction.commit().await.map_err(statement_failed)
}

impl Deref for StoreTransaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.transaction
    }
}

impl DerefMut for StoreTransaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
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
            assert!(matches!(refused, Err(StoreError::Unavailable(_))));
        }
    }
}
