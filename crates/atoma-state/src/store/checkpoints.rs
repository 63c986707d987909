//! Copying the write-ahead log into the database file, off the path of the writer.
//!
//! SQLite does this by itself only when the log has about 4 MB. A copy of the file alone would then lack
//! everything newer.

use std::time::Duration;

use sqlx::SqlitePool;
use tokio::task::JoinHandle;

/// A task that copies the log regularly, on a connection of its own. It ends when it is dropped, or when
/// its pool is closed.
#[derive(Debug)]
pub(super) struct Checkpoints {
    pool: SqlitePool,
    task: JoinHandle<()>,
}

impl Checkpoints {
    pub(super) fn start(pool: SqlitePool, interval: Duration) -> Self {
        let task = tokio::spawn(run(pool.clone(), interval));
        Self { pool, task }
    }

    /// Waits for the copy in progress, and ends.
    pub(super) async fn stop(&self) {
        self.task.abort();
        self.pool.close().await;
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(pool: SqlitePool, interval: Duration) {
    let mut copied = None;
    loop {
        tokio::time::sleep(interval).await;
        match checkpoint_if_changed(&pool, copied).await {
            Ok(version) => copied = version,
            Err(sqlx::Error::PoolClosed) => return,
            // A full disk, or a lock: the writer reports it, and the next round tries again.
            Err(_) => copied = None,
        }
    }
}

/// Copies the log unless nobody wrote since. Returns the version of the content; `None` if only a part
/// could be copied, because a reader still needs older content or another process copies too.
pub(super) async fn checkpoint_if_changed(
    pool: &SqlitePool,
    copied: Option<i64>,
) -> Result<Option<i64>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    // Changes when another connection has written. Read first: what is written from here on counts for
    // the next round.
    let version: i64 = sqlx::query_scalar("PRAGMA data_version")
        .fetch_one(&mut *connection)
        .await?;
    if copied == Some(version) {
        return Ok(copied);
    }
    // Neither waits for readers and the writer nor makes them wait.
    let (is_busy, pages, copied): (bool, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)")
            .fetch_one(&mut *connection)
            .await?;
    let is_whole = !is_busy && pages == copied;
    Ok(is_whole.then_some(version))
}
