//! Who waits for a coin, in the order in which they came.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Those who wait.
#[derive(Debug)]
pub(super) struct Queue {
    places: Arc<Mutex<Places>>,
    freed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Places {
    next: u64,
    waiting: BTreeSet<u64>,
}

/// A place in the queue; who drops it lets the next one look.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Mutex<Places>>,
    number: u64,
    freed: Arc<Notify>,
}

impl Queue {
    /// An empty queue, whose members listen to `freed`.
    pub(super) fn new(freed: Arc<Notify>) -> Self {
        Self {
            places: Arc::default(),
            freed,
        }
    }

    /// A place behind all others.
    pub(super) fn join(&self) -> Place {
        let mut places = lock(&self.places);
        let number = places.next;
        places.next += 1;
        places.waiting.insert(number);
        Place {
            places: Arc::clone(&self.places),
            number,
            freed: Arc::clone(&self.freed),
        }
    }

    /// Whether nobody came before this place; before none, whether nobody waits.
    pub(super) fn is_next(&self, place: Option<&Place>) -> bool {
        let first = lock(&self.places).waiting.first().copied();
        first.is_none() || first == place.map(|place| place.number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.places).waiting.remove(&self.number);
        self.freed.notify_waiters();
    }
}

fn lock(places: &Mutex<Places>) -> MutexGuard<'_, Places> {
    // Whole even if a holder panicked: no change leaves it half done.
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_first_is_next_and_nobody_passes() {
        let queue = Queue::new(Arc::default());
        assert!(queue.is_next(None));
        let (first, second) = (queue.join(), queue.join());
        assert!(!queue.is_next(None));
        assert!(queue.is_next(Some(&first)));
        assert!(!queue.is_next(Some(&second)));
        drop(first);
        assert!(queue.is_next(Some(&second)));
        drop(second);
        assert!(queue.is_next(None));
    }
}
