//! Precise delays.

use std::time::Duration;

use tokio::time::Instant;

/// How late the runtime's timer may be.
const TIMER_SLACK: Duration = Duration::from_millis(2);

/// Waits until `deadline`, to within microseconds. The runtime's timer is up to two milliseconds
/// late, which adds up over the many calls of a benchmark, so the last two milliseconds are spent
/// yielding to other tasks.
pub(super) async fn wait_until(deadline: Instant) {
    if let Some(early) = deadline.checked_sub(TIMER_SLACK) {
        tokio::time::sleep_until(early).await;
    }
    while Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_wait_never_ends_early() {
        let deadline = Instant::now() + Duration::from_millis(5);
        wait_until(deadline).await;
        assert!(Instant::now() >= deadline);
        // A past deadline returns at once.
        wait_until(deadline).await;
    }
}
