//! A running sum over the last 24 hours.
//!
//! They are 24 hours that this process has seen pass, or that lay between an attempt and its start. A clock that
//! jumps ahead for a moment must not empty the sum.

use std::collections::VecDeque;
use std::time::Duration;

use atoma_domain::ports::GasSpent;
use atoma_domain::{Mist, TimestampMs};

/// The cap looks back 24 hours.
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What was spent within a minute of the last entry is added to it.
const MINUTE: Duration = Duration::from_secs(60);

/// What was spent in the last 24 hours. It counts for up to a minute longer.
#[derive(Debug, Default)]
pub(super) struct LastDay {
    /// Ascending by time.
    entries: VecDeque<Entry>,
    sum: Mist,
}

/// When it ceases to count, by the first and by the last transaction of the entry.
#[derive(Clone, Copy, Debug)]
struct Entry {
    first: Duration,
    last: Duration,
    gas: Mist,
}

impl LastDay {
    /// What the journal says was spent, at this time and this moment. Times in the future, from before the clock
    /// was set back, count as now.
    pub(super) fn new(mut spent: Vec<GasSpent>, now: TimestampMs, elapsed: Duration) -> Self {
        spent.sort_by_key(|spent| spent.at);
        let mut day = Self::default();
        for GasSpent { at, gas } in spent {
            let age = Duration::from_millis(now.get().saturating_sub(at.get()));
            day.push(gas, elapsed + DAY.saturating_sub(age));
        }
        day
    }

    /// Adds what was spent just now.
    pub(super) fn add(&mut self, gas: Mist, elapsed: Duration) {
        self.forget(elapsed);
        self.push(gas, elapsed + DAY);
    }

    /// What was spent in the 24 hours before this moment.
    pub(super) fn sum(&mut self, elapsed: Duration) -> Mist {
        self.forget(elapsed);
        self.sum
    }

    fn push(&mut self, gas: Mist, until: Duration) {
        self.sum = self.sum.saturating_add(gas);
        match self.entries.back_mut() {
            Some(entry) if until.saturating_sub(entry.first) < MINUTE => {
                entry.last = entry.last.max(until);
                entry.gas = entry.gas.saturating_add(gas);
            }
            _ => self.entries.push_back(Entry {
                first: until,
                last: until,
                gas,
            }),
        }
    }

    /// Forgets what is older than a day.
    fn forget(&mut self, elapsed: Duration) {
        while let Some(entry) = self.entries.front()
            && entry.last < elapsed
        {
            self.sum = self.sum.checked_sub(entry.gas).unwrap_or(Mist::ZERO);
            self.entries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(hours: u64) -> Duration {
        Duration::from_secs(hours * 60 * 60)
    }

    fn spent(hours_ago: u64, gas: u64) -> GasSpent {
        GasSpent {
            at: TimestampMs::new((1_000 - hours_ago) * 60 * 60 * 1000),
            gas: mist(gas),
        }
    }

    fn loaded(spent: Vec<GasSpent>, elapsed: Duration) -> LastDay {
        LastDay::new(spent, TimestampMs::new(1_000 * 60 * 60 * 1000), elapsed)
    }

    fn mist(amount: u64) -> Mist {
        Mist::new(amount)
    }

    #[test]
    fn gas_counts_for_a_day() {
        const MOMENT: Duration = Duration::from_millis(1);
        // The process runs for an hour when it reads the journal.
        let mut day = loaded(vec![spent(1, 20), spent(2, 1)], hours(1));
        day.add(mist(300), hours(2));
        assert_eq!(day.sum(hours(2)), mist(321));
        assert_eq!(day.sum(hours(23)), mist(321));
        assert_eq!(day.sum(hours(23) + MOMENT), mist(320));
        assert_eq!(day.sum(hours(24) + MOMENT), mist(300));
        assert_eq!(day.sum(hours(26) + MOMENT), Mist::ZERO);
    }

    #[test]
    fn a_busy_day_takes_little_memory() {
        let mut day = LastDay::default();
        let second = |seconds| Duration::from_secs(seconds);
        for passed in 0..24 * 60 * 60 {
            day.add(mist(1), second(passed));
        }
        assert_eq!(day.sum(DAY), mist(24 * 60 * 60));
        assert!(day.entries.len() <= 24 * 60);
        // The last entry of each minute decides: nothing is forgotten too early.
        assert_eq!(day.sum(DAY + MINUTE - second(1)), mist(24 * 60 * 60));
        assert_eq!(day.sum(DAY + MINUTE), mist(23 * 60 * 60 + 59 * 60));
    }

    /// The clock was behind when the process began, or ahead when it was spent.
    #[test]
    fn what_was_spent_in_the_future_counts_for_a_day() {
        let mut future = spent(0, 20);
        future.at = TimestampMs::new(future.at.get() * 2);
        let mut day = loaded(vec![spent(2, 1), future], hours(5));
        assert_eq!(day.sum(hours(27)), mist(21));
        assert_eq!(day.sum(hours(28)), mist(20));
        assert_eq!(day.sum(hours(29)), mist(20));
        assert_eq!(day.sum(hours(30)), Mist::ZERO);
    }
}
