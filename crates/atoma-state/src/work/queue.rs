//! The calls that wait for a group.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use super::operation::Job;

/// How many calls may wait; those beyond are refused at once. With groups of 64 it is a second or two of work.
const MOST_WAITING: usize = 8_192;

/// How many calls share a commit. A write of the engine waits for one group.
const MOST_AT_ONCE: usize = 64;

/// The calls of one view that wait, and the runtime that runs them: a caller's own could end before theirs.
pub(crate) struct Queue {
    state: Mutex<State>,
    runtime: Handle,
    most_at_once: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Box<dyn Job>>,
    /// Whether a task takes them.
    has_runner: bool,
}

/// The task that takes the calls. If it ends early, with its runtime, those that wait are refused.
pub(super) struct Runner {
    queue: Arc<Queue>,
    is_done: bool,
}

impl Queue {
    /// An empty queue. Its calls run on the runtime that this is called on.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub(crate) fn new() -> Self {
        Self::with_groups_of(MOST_AT_ONCE)
    }

    /// An empty queue whose groups have at most so many calls. As [`new`](Self::new).
    pub(crate) fn with_groups_of(most_at_once: usize) -> Self {
        Self {
            state: Mutex::default(),
            runtime: Handle::current(),
            most_at_once,
        }
    }

    /// The runtime that runs the calls.
    pub(super) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Adds a call, unless too many wait. Returns the runner to start if there is none.
    pub(super) fn add(self: &Arc<Self>, job: Box<dyn Job>) -> Result<Option<Runner>, Full> {
        let mut state = self.lock();
        if state.jobs.len() >= MOST_WAITING {
            return Err(Full);
        }
        state.jobs.push_back(job);
        let has_runner = std::mem::replace(&mut state.has_runner, true);
        Ok((!has_runner).then(|| Runner {
            queue: Arc::clone(self),
            is_done: false,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Runner {
    /// How many calls wait. If there are none, the next one needs another runner.
    pub(super) fn waiting(&mut self) -> usize {
        let mut state = self.queue.lock();
        self.is_done = state.jobs.is_empty();
        state.has_runner = !self.is_done;
        state.jobs.len()
    }

    /// Takes the next group.
    pub(super) fn group(&self) -> Vec<Box<dyn Job>> {
        self.take(self.queue.most_at_once)
    }

    /// Takes the first calls, at most so many.
    pub(super) fn take(&self, most: usize) -> Vec<Box<dyn Job>> {
        let mut state = self.queue.lock();
        let count = most.min(state.jobs.len());
        state.jobs.drain(..count).collect()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let mut state = self.queue.lock();
        let abandoned = std::mem::take(&mut state.jobs);
        state.has_runner = false;
        drop(state);
        // Their callers notice.
        drop(abandoned);
    }
}

/// Too many calls wait.
#[derive(Debug, thiserror::Error)]
#[error("{MOST_WAITING} calls wait already")]
pub(super) struct Full;
