//! Whether the disk of the database takes a write.

use std::error::Error as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use atoma_domain::TimestampMs;
use atoma_domain::ports::StoreError;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::causes::with_causes;
use crate::ports::Ports;

/// How long a disk that took a write counts as sound, in milliseconds.
const SOUND_MS: u64 = 10_000;
/// How long one that did not counts as broken, in milliseconds.
const BROKEN_MS: u64 = 1_000;
/// The longest wait for a write.
const PATIENCE: Duration = Duration::from_secs(2);

/// Checks the disk, no more often than needed and one write at a time. Clones share the result.
#[derive(Clone, Debug)]
pub(crate) struct DiskWatch {
    watched: Arc<Mutex<Watched>>,
    patience: Duration,
}

impl Default for DiskWatch {
    fn default() -> Self {
        Self::with_patience(PATIENCE)
    }
}

#[derive(Debug, Default)]
struct Watched {
    last: Option<Look>,
    /// The write that has not ended yet. On a disk that hangs it occupies a thread, so that no further
    /// one may start.
    writing: Option<JoinHandle<Result<(), StoreError>>>,
}

/// The result of a look at the disk.
#[derive(Clone, Debug)]
struct Look {
    at: TimestampMs,
    problem: Option<String>,
}

impl Look {
    /// Whether it is recent enough. One from the future is not: the clock was set back.
    fn is_fresh(&self, now: TimestampMs) -> bool {
        let lasts = if self.problem.is_none() {
            SOUND_MS
        } else {
            BROKEN_MS
        };
        let age = now.get().checked_sub(self.at.get());
        age.is_some_and(|age| age < lasts)
    }
}

impl DiskWatch {
    fn with_patience(patience: Duration) -> Self {
        Self {
            watched: Arc::default(),
            patience,
        }
    }

    /// Why the disk takes no write, if so.
    pub(crate) async fn problem(&self, ports: &Ports) -> Option<String> {
        let events = Arc::clone(&ports.events);
        let write = async move || events.check_disk().await;
        self.look(|| ports.clock.now(), write).await
    }

    /// The last look if it is fresh, or the result of a new write. Concurrent callers share one look.
    async fn look<F>(
        &self,
        now: impl Fn() -> TimestampMs,
        write: impl FnOnce() -> F,
    ) -> Option<String>
    where
        F: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let mut watched = self.watched.lock().await;
        // Others may have looked while this caller waited for them.
        if let Some(last) = watched.last.as_ref().filter(|last| last.is_fresh(now())) {
            return last.problem.clone();
        }
        // A write that ended after its caller had given up says nothing about the disk now.
        let unfinished = watched.writing.take().filter(|task| !task.is_finished());
        // It stays here, so that a caller who leaves doesn't lead to a second one.
        let writing = watched
            .writing
            .insert(unfinished.unwrap_or_else(|| tokio::spawn(write())));
        let problem = match tokio::time::timeout(self.patience, writing).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => {
                let cause = error
                    .source()
                    .map_or_else(|| error.to_string(), with_causes);
                Some(format!("the disk of the database takes no write: {cause}"))
            }
            Ok(Err(error)) => Some(format!("the check of the database's disk failed: {error}")),
            Err(_) => Some(format!(
                "the disk of the database took no write within {} s",
                self.patience.as_secs()
            )),
        };
        watched.last = Some(Look {
            at: now(),
            problem: problem.clone(),
        });
        problem
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[test]
    fn a_look_lasts_longer_if_nothing_is_wrong() {
        let look = |problem: Option<&str>| Look {
            at: TimestampMs::new(50_000),
            problem: problem.map(str::to_owned),
        };
        let is_fresh = |look: Look, now| look.is_fresh(TimestampMs::new(now));
        assert!(is_fresh(look(None), 59_999));
        assert!(!is_fresh(look(None), 60_000));
        assert!(is_fresh(look(Some("full")), 50_999));
        assert!(!is_fresh(look(Some("full")), 51_000));
        assert!(!is_fresh(look(None), 49_999));
    }

    /// A disk whose writes end with a permit.
    struct Disk {
        writes: AtomicUsize,
        permits: Semaphore,
    }

    impl Disk {
        fn with_permits(permits: usize) -> Arc<Self> {
            Arc::new(Self {
                writes: AtomicUsize::new(0),
                permits: Semaphore::new(permits),
            })
        }

        async fn write(self: Arc<Self>) -> Result<(), StoreError> {
            self.writes.fetch_add(1, Ordering::Relaxed);
            self.permits.acquire().await.unwrap().forget();
            Ok(())
        }

        fn writes(&self) -> usize {
            self.writes.load(Ordering::Relaxed)
        }
    }

    fn at(ms: u64) -> impl Fn() -> TimestampMs {
        move || TimestampMs::new(ms)
    }

    #[tokio::test]
    async fn concurrent_callers_share_one_write() {
        let (watch, disk) = (DiskWatch::default(), Disk::with_permits(1));
        let look = || watch.look(at(50_000), || Arc::clone(&disk).write());
        let all = tokio::join!(look(), look(), look());
        assert_eq!(all, (None, None, None));
        assert_eq!(disk.writes(), 1);
    }

    #[tokio::test]
    async fn a_disk_that_hangs_occupies_one_write_however_often_it_is_checked() {
        let watch = DiskWatch::with_patience(Duration::from_millis(1));
        let disk = Disk::with_permits(0);
        let look = |ms| watch.look(at(ms), || Arc::clone(&disk).write());
        for ms in [50_000, 60_000, 70_000] {
            assert!(look(ms).await.is_some());
        }
        // A caller who leaves.
        let leaving = tokio::time::timeout(Duration::ZERO, look(80_000));
        assert!(leaving.await.is_err());
        assert!(look(90_000).await.is_some());
        assert_eq!(disk.writes(), 1);
        // It works again: the write ends, and the next look starts another one.
        disk.permits.add_permits(2);
        let is_done = async || {
            let watched = watch.watched.lock().await;
            watched.writing.as_ref().is_none_or(JoinHandle::is_finished)
        };
        while !is_done().await {
            tokio::task::yield_now().await;
        }
        let patient = DiskWatch {
            patience: PATIENCE,
            ..watch.clone()
        };
        let again = patient.look(at(100_000), || Arc::clone(&disk).write());
        assert_eq!(again.await, None);
        assert_eq!(disk.writes(), 2);
    }
}
