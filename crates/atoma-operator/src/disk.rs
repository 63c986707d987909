//! Whether the disk of the database takes a write.

use std::error::Error as _;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::ports::StoreError;
use atoma_domain::{TimestampMs, with_causes};
use tokio::sync::watch;

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

/// The result of a write, or why it failed; `None` while it runs.
type Written = watch::Receiver<Option<Result<(), String>>>;

#[derive(Debug, Default)]
struct Watched {
    last: Option<Look>,
    /// The result of the latest write, once it has ended. On a disk that hangs it occupies a thread until
    /// then, so that no further one may start.
    writing: Option<Written>,
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
        let mut written = {
            let mut watched = self.lock();
            if let Some(last) = watched.last.as_ref().filter(|last| last.is_fresh(now())) {
                return last.problem.clone();
            }
            match watched.writing.clone().filter(is_running) {
                Some(running) => running,
                None => watched.writing.insert(begin(write())).clone(),
            }
        };
        let ended = tokio::time::timeout(self.patience, written.wait_for(Option::is_some)).await;
        let problem = match ended {
            Ok(Ok(result)) => result.as_ref().and_then(|result| result.clone().err()),
            Ok(Err(_)) => Some(String::from("the check of the database's disk ended early")),
            Err(_) => Some(format!(
                "the disk of the database took no write within {} s",
                self.patience.as_secs()
            )),
        };
        self.lock().last = Some(Look {
            at: now(),
            problem: problem.clone(),
        });
        problem
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        // Every change is one assignment, so it is whole even if a holder panicked.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a write has not ended. One that ended after its callers had given up says nothing about the
/// disk now.
fn is_running(written: &Written) -> bool {
    written.borrow().is_none() && written.has_changed().is_ok()
}

/// Runs a write to its end, even if its callers leave.
fn begin(write: impl Future<Output = Result<(), StoreError>> + Send + 'static) -> Written {
    let (sender, written) = watch::channel(None);
    tokio::spawn(async move {
        let result = write.await.map_err(|error| {
            let cause = error
                .source()
                .map_or_else(|| error.to_string(), with_causes);
            format!("the disk of the database takes no write: {cause}")
        });
        sender.send_replace(Some(result));
    });
    written
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
        // A caller who would wait for longer, and leaves.
        let patient = DiskWatch {
            patience: PATIENCE,
            ..watch.clone()
        };
        let leaving = patient.look(at(80_000), || Arc::clone(&disk).write());
        let leaving = tokio::time::timeout(Duration::ZERO, leaving);
        assert!(leaving.await.is_err());
        assert!(look(90_000).await.is_some());
        assert_eq!(disk.writes(), 1);
        // It works again: the write ends, and the next look starts another one.
        disk.permits.add_permits(2);
        while watch.lock().writing.as_ref().is_some_and(is_running) {
            tokio::task::yield_now().await;
        }
        let again = patient.look(at(100_000), || Arc::clone(&disk).write());
        assert_eq!(again.await, None);
        assert_eq!(disk.writes(), 2);
    }
}
