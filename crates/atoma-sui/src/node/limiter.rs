//! The limit on requests to one node: a bucket of tokens, with an order among those who wait.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tracing::debug;

/// The time in which a node allows a number of requests.
const WINDOW: Duration = Duration::from_secs(30);

/// What a request is for. What comes first here goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Preparing, sending and resolving transactions.
    Money,
    /// Following the ledger.
    Ingestion,
    /// Everything else: readiness, metrics, comparisons.
    Other,
}

impl Priority {
    #[cfg(test)]
    const ALL: [Self; 3] = [Self::Money, Self::Ingestion, Self::Other];

    const fn place(self) -> usize {
        match self {
            Self::Money => 0,
            Self::Ingestion => 1,
            Self::Other => 2,
        }
    }

    /// The longest wait for a token. Whoever gets none asks another node, or again.
    const fn patience(self) -> Duration {
        match self {
            Self::Money | Self::Ingestion => Duration::from_secs(60),
            Self::Other => Duration::from_secs(10),
        }
    }

    /// How many tokens are left to those that go before.
    const fn left_to_others(self, capacity: u32) -> u32 {
        match self {
            Self::Money => 0,
            Self::Ingestion => capacity / 5,
            Self::Other => capacity / 3,
        }
    }
}

/// How many requests a node allows in 30 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimit(NonZeroU32);

impl RequestLimit {
    /// The limit of so many requests in any 30 seconds; `None` for 0, which is no limit.
    pub fn in_30_s(requests: u32) -> Option<Self> {
        NonZeroU32::new(requests).map(Self)
    }

    /// Requests in 30 seconds.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// How many may come at once. With those that the rest of the window brings, they are the limit.
    const fn capacity(self) -> u32 {
        let fifth = self.get() / 5;
        if fifth == 0 { 1 } else { fifth }
    }

    /// The time after which a token is added.
    fn interval(self) -> Duration {
        let rest = self.get().saturating_sub(self.capacity()).max(1);
        WINDOW / rest
    }
}

/// Nobody got a token in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UsedUp;

/// The bucket of one node.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: RequestLimit,
    bucket: Mutex<Bucket>,
    changed: Notify,
    tickets: AtomicU64,
}

#[derive(Debug)]
struct Bucket {
    tokens: u32,
    filled_at: Instant,
    /// Those who wait, by priority.
    waiting: [VecDeque<u64>; 3],
}

impl Limiter {
    pub(crate) fn new(limit: RequestLimit) -> Self {
        Self {
            limit,
            bucket: Mutex::new(Bucket {
                tokens: limit.capacity(),
                filled_at: Instant::now(),
                waiting: Default::default(),
            }),
            changed: Notify::new(),
            tickets: AtomicU64::new(0),
        }
    }

    /// The limit.
    pub(crate) const fn limit(&self) -> RequestLimit {
        self.limit
    }

    /// How many requests wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.iter().map(VecDeque::len).sum()
    }

    /// Waits for a token. Nobody gets one while somebody with a higher priority waits, or somebody with the same
    /// who came before.
    ///
    /// # Errors
    /// When there is none within the patience of this priority.
    pub(crate) async fn acquire(&self, priority: Priority) -> Result<(), UsedUp> {
        let began = Instant::now();
        let deadline = began + priority.patience();
        let ticket = Ticket::new(self, priority);
        loop {
            let mut changed = pin!(self.changed.notified());
            // Registered before the look, so that no change in between is missed.
            changed.as_mut().enable();
            let now = Instant::now();
            let Some(next) = self.take(&ticket, now) else {
                drop(ticket);
                let waited = now - began;
                if waited > Duration::from_secs(1) {
                    let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
                    debug!(
                        ?priority,
                        waited_ms, "a request waited for the node's limit"
                    );
                }
                return Ok(());
            };
            if now >= deadline {
                return Err(UsedUp);
            }
            tokio::select! {
                () = sleep_until(next.min(deadline)) => {}
                () = changed => {}
            }
        }
    }

    /// Takes a token, or says when there is the next one.
    fn take(&self, ticket: &Ticket<'_>, now: Instant) -> Option<Instant> {
        let capacity = self.limit.capacity();
        let interval = self.limit.interval();
        let mut bucket = self.lock();
        bucket.fill(now, capacity, interval);
        let place = ticket.priority.place();
        let goes_first = bucket.waiting.iter().take(place).all(VecDeque::is_empty)
            && bucket.waiting.get(place).and_then(VecDeque::front) == Some(&ticket.number);
        if goes_first && bucket.tokens > ticket.priority.left_to_others(capacity) {
            bucket.tokens -= 1;
            return None;
        }
        Some(bucket.filled_at + interval)
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        // At worst a panic of a holder costs a token.
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn fill(&mut self, now: Instant, capacity: u32, interval: Duration) {
        while self.tokens < capacity && self.filled_at + interval <= now {
            self.tokens += 1;
            self.filled_at += interval;
        }
        if self.tokens >= capacity {
            self.filled_at = now;
        }
    }
}

/// A place in the queue. Leaves it when dropped.
struct Ticket<'a> {
    limiter: &'a Limiter,
    priority: Priority,
    number: u64,
}

impl<'a> Ticket<'a> {
    fn new(limiter: &'a Limiter, priority: Priority) -> Self {
        let number = limiter.tickets.fetch_add(1, Ordering::Relaxed);
        if let Some(queue) = limiter.lock().waiting.get_mut(priority.place()) {
            queue.push_back(number);
        }
        Self {
            limiter,
            priority,
            number,
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if let Some(queue) = self.limiter.lock().waiting.get_mut(self.priority.place()) {
            queue.retain(|number| *number != self.number);
        }
        self.limiter.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn limiter(requests: u32) -> Arc<Limiter> {
        Arc::new(Limiter::new(RequestLimit::in_30_s(requests).unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_has_more_requests_than_the_limit() {
        for requests in [1, 2, 5, 10, 100, 333] {
            let limiter = limiter(requests);
            let mut at = Vec::new();
            for _ in 0..requests * 3 {
                limiter.acquire(Priority::Money).await.unwrap();
                at.push(Instant::now());
            }
            for (place, begin) in at.iter().enumerate() {
                let within = at[place..].iter().take_while(|at| **at - *begin < WINDOW);
                let most = usize::try_from(requests.max(2)).unwrap();
                assert!(within.count() <= most, "{requests}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn money_goes_before_ingestion_and_ingestion_before_the_rest() {
        let limiter = limiter(100);
        while limiter.lock().tokens > 0 {
            limiter.acquire(Priority::Money).await.unwrap();
        }
        let (told, mut order) = tokio::sync::mpsc::unbounded_channel();
        // Those that come first go last.
        for priority in Priority::ALL.into_iter().rev().flat_map(|one| [one, one]) {
            let (limiter, told) = (Arc::clone(&limiter), told.clone());
            tokio::spawn(async move {
                limiter.acquire(priority).await.unwrap();
                told.send(priority).unwrap();
            });
            tokio::task::yield_now().await;
        }
        drop(told);
        assert_eq!(limiter.waiting(), 6);
        let mut done = Vec::new();
        while let Some(priority) = order.recv().await {
            done.push(priority);
        }
        let sorted = Priority::ALL.into_iter().flat_map(|one| [one, one]);
        assert_eq!(done, sorted.collect::<Vec<_>>());
        assert_eq!(limiter.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_leaves_tokens_to_money() {
        let limiter = limiter(150);
        let capacity = limiter.limit().capacity();
        let begin = Instant::now();
        for _ in 0..capacity - capacity / 3 {
            limiter.acquire(Priority::Other).await.unwrap();
        }
        assert_eq!(Instant::now(), begin);
        for _ in 0..capacity / 3 {
            limiter.acquire(Priority::Money).await.unwrap();
        }
        assert_eq!(Instant::now(), begin);
        limiter.acquire(Priority::Money).await.unwrap();
        assert!(Instant::now() > begin);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_bounded_and_who_gives_up_blocks_nobody() {
        let limiter = limiter(1);
        limiter.acquire(Priority::Money).await.unwrap();
        let begin = Instant::now();
        assert_eq!(limiter.acquire(Priority::Other).await, Err(UsedUp));
        assert_eq!(Instant::now() - begin, Priority::Other.patience());
        let waits = {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move { limiter.acquire(Priority::Money).await })
        };
        tokio::task::yield_now().await;
        assert_eq!(limiter.waiting(), 1);
        waits.abort();
        assert!(waits.await.is_err());
        assert_eq!(limiter.waiting(), 0);
        limiter.acquire(Priority::Money).await.unwrap();
    }
}
