//! A running sum over the last 24 hours.

use std::collections::VecDeque;

use atoma_domain::ports::GasSpent;
use atoma_domain::{Mist, TimestampMs};

/// The cap looks back 24 hours.
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// What was spent within a minute of the last entry is added to it.
const MINUTE_MS: u64 = 60 * 1000;

/// What was spent in the last 24 hours. It counts for up to a minute longer.
#[derive(Debug, Default)]
pub(super) struct LastDay {
    /// Ascending by time.
    entries: VecDeque<Entry>,
    sum: Mist,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    first: TimestampMs,
    last: TimestampMs,
    gas: Mist,
}

impl LastDay {
    pub(super) fn new(mut spent: Vec<GasSpent>) -> Self {
        spent.sort_by_key(|spent| spent.at);
        let mut day = Self::default();
        for GasSpent { at, gas } in spent {
            day.push(gas, at);
        }
        day
    }

    /// Adds what was spent just now.
    pub(super) fn add(&mut self, gas: Mist, now: TimestampMs) {
        self.forget(now);
        self.push(gas, now);
    }

    /// What was spent in the 24 hours before `now`.
    pub(super) fn sum(&mut self, now: TimestampMs) -> Mist {
        self.forget(now);
        self.sum
    }

    fn push(&mut self, gas: Mist, at: TimestampMs) {
        self.sum = self.sum.saturating_add(gas);
        match self.entries.back_mut() {
            Some(entry) if at.get() - entry.first.get() < MINUTE_MS => {
                entry.last = at;
                entry.gas = entry.gas.saturating_add(gas);
            }
            _ => self.entries.push_back(Entry {
                first: at,
                last: at,
                gas,
            }),
        }
    }

    /// Forgets what is older than a day. Times in the future, from before the clock was set back, become
    /// now: they count for a day, not until the future is past.
    fn forget(&mut self, now: TimestampMs) {
        for entry in self.entries.iter_mut().rev() {
            if entry.last <= now {
                break;
            }
            entry.last = now;
            entry.first = entry.first.min(now);
        }
        let oldest = now.get().saturating_sub(DAY_MS);
        while let Some(entry) = self.entries.front()
            && entry.last.get() < oldest
        {
            self.sum = self.sum.checked_sub(entry.gas).unwrap_or(Mist::ZERO);
            self.entries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 60 * MINUTE_MS;

    fn at(ms: u64) -> TimestampMs {
        TimestampMs::new(ms)
    }

    fn mist(amount: u64) -> Mist {
        Mist::new(amount)
    }

    #[test]
    fn gas_counts_for_a_day() {
        let mut day = LastDay::new(vec![
            GasSpent {
                at: at(2 * HOUR_MS),
                gas: mist(20),
            },
            GasSpent {
                at: at(HOUR_MS),
                gas: mist(1),
            },
        ]);
        day.add(mist(300), at(3 * HOUR_MS));
        assert_eq!(day.sum(at(3 * HOUR_MS)), mist(321));
        assert_eq!(day.sum(at(HOUR_MS + DAY_MS)), mist(321));
        assert_eq!(day.sum(at(HOUR_MS + DAY_MS + 1)), mist(320));
        assert_eq!(day.sum(at(2 * HOUR_MS + DAY_MS + 1)), mist(300));
        assert_eq!(day.sum(at(3 * HOUR_MS + DAY_MS + 1)), Mist::ZERO);
    }

    #[test]
    fn a_busy_day_takes_little_memory() {
        let mut day = LastDay::default();
        for second in 0..24 * 60 * 60 {
            day.add(mist(1), at(second * 1000));
        }
        assert_eq!(day.sum(at(DAY_MS)), mist(24 * 60 * 60));
        assert!(day.entries.len() <= 24 * 60);
        // The last entry of each minute decides: nothing is forgotten too early.
        assert_eq!(day.sum(at(DAY_MS + MINUTE_MS - 1000)), mist(24 * 60 * 60));
        assert_eq!(
            day.sum(at(DAY_MS + MINUTE_MS)),
            mist(23 * 60 * 60 + 59 * 60)
        );
    }

    /// The clock was 30 days ahead for an hour.
    #[test]
    fn what_was_spent_in_the_future_counts_for_a_day() {
        let ahead = 30 * DAY_MS;
        let mut day = LastDay::default();
        day.add(mist(1), at(0));
        day.add(mist(20), at(ahead));
        assert_eq!(day.sum(at(ahead)), mist(20));
        day.add(mist(300), at(2 * HOUR_MS));
        assert_eq!(day.sum(at(2 * HOUR_MS)), mist(320));
        assert_eq!(day.sum(at(2 * HOUR_MS + DAY_MS)), mist(320));
        assert_eq!(day.sum(at(2 * HOUR_MS + DAY_MS + 1)), Mist::ZERO);
    }
}
