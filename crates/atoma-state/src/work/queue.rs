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
    /// With ascending places.
    jobs: VecDeque<(Place, Box<dyn Job>)>,
    next: Place,
    /// Whether a task takes them.
    has_runner: bool,
}

/// A call's place in the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u64);

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

    /// Adds a call, unless too many wait. Returns its place, and the runner to start if there is none.
    pub(super) fn add(
        self: &Arc<Self>,
        job: Box<dyn Job>,
    ) -> Result<(Place, Option<Runner>), Full> {
        let mut state = self.lock();
        if state.jobs.len() >= MOST_WAITING {
            return Err(Full);
        }
        let place = state.next;
        state.next = Place(place.0.wrapping_add(1));
        state.jobs.push_back((place, job));
        let has_runner = std::mem::replace(&mut state.has_runner, true);
        let runner = (!has_runner).then(|| Runner {
            queue: Arc::clone(self),
            is_done: false,
        });
        Ok((place, runner))
    }

    /// Takes a call back. False if a group has it: then it is done or refused with the others.
    pub(super) fn withdraw(&self, place: Place) -> bool {
        let mut state = self.lock();
        let found = state.jobs.binary_search_by_key(&place, |(place, _)| *place);
        let withdrawn = found.ok().and_then(|index| state.jobs.remove(index));
        drop(state);
        withdrawn.is_some()
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
        state.jobs.drain(..count).map(|(_, job)| job).collect()
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

#[cfg(test)]
mod tests {
    use atoma_domain::ports::StoreError;

    use super::super::loaded::Loaded;
    use super::super::needs::Needs;
    use super::*;

    struct Idle;

    impl Job for Idle {
        fn needs(&self, _: &mut Needs) {}

        fn run(&mut self, _: &mut Loaded) {}

        fn answer(self: Box<Self>, _: Option<StoreError>) {}
    }

    #[tokio::test]
    async fn a_call_is_withdrawn_unless_a_group_has_it() {
        let queue = Arc::new(Queue::with_groups_of(2));
        let mut places = Vec::new();
        let mut runner = None;
        for _ in 0..5 {
            let (place, new_runner) = queue.add(Box::new(Idle)).unwrap();
            places.push(place);
            runner = runner.or(new_runner);
        }
        let mut runner = runner.unwrap();
        assert_eq!(runner.group().len(), 2);
        let withdrawn: Vec<bool> = places.iter().map(|place| queue.withdraw(*place)).collect();
        assert_eq!(withdrawn, [false, false, true, true, true]);
        assert!(!queue.withdraw(places[2]));
        assert_eq!(runner.waiting(), 0);
    }
}
