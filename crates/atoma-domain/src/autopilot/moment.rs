//! The time of a decision.

use std::time::Duration;

use crate::{Epoch, Permille, TimestampMs};

/// When an epoch began, and when it is expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochWindow {
    /// When it began.
    pub starts_at: TimestampMs,
    /// When it is expected to end. It can end earlier or later.
    pub ends_at: TimestampMs,
}

/// The time of a decision, by the chain and by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    clock: TimestampMs,
    now: TimestampMs,
    epoch: Epoch,
    window: Option<EpochWindow>,
}

impl Moment {
    /// `now` is the clock's time, `epoch` the chain's current one, and `window` its times as far as the Sui node tells them.
    /// A clock that is outside of the window is wrong, or the epoch is late to end: it counts as the nearest time inside.
    pub fn new(now: TimestampMs, epoch: Epoch, window: Option<EpochWindow>) -> Self {
        // A node's answer may be nonsense.
        let window = window.filter(|window| window.starts_at < window.ends_at);
        let clock = now;
        let now = window.map_or(now, |window| now.clamp(window.starts_at, window.ends_at));
        Self {
            clock,
            now,
            epoch,
            window,
        }
    }

    /// The same epoch at another time of the clock.
    #[must_use]
    pub fn at(&self, now: TimestampMs) -> Self {
        Self::new(now, self.epoch, self.window)
    }

    /// The time, within the epoch's.
    pub const fn now(&self) -> TimestampMs {
        self.now
    }

    /// The time as the clock tells it.
    pub const fn clock(&self) -> TimestampMs {
        self.clock
    }

    /// How long the current epoch is expected to take; `None` if the Sui node doesn't say.
    pub fn epoch_length(&self) -> Option<Duration> {
        let window = self.window?;
        let length = window.ends_at.get().saturating_sub(window.starts_at.get());
        Some(Duration::from_millis(length))
    }

    /// The chain's current epoch.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// When the current epoch is expected to end; `None` if the Sui node doesn't say.
    pub fn epoch_ends_at(&self) -> Option<TimestampMs> {
        self.window.map(|window| window.ends_at)
    }

    /// When the current epoch began, or a later one is expected to begin if every epoch takes as long as the current one.
    /// `None` for past ones, and if the Sui node doesn't say.
    pub fn beginning_of(&self, epoch: Epoch) -> Option<TimestampMs> {
        let ahead = epoch.get().checked_sub(self.epoch.get())?;
        let window = self.window?;
        let Some(further) = ahead.checked_sub(1) else {
            return Some(window.starts_at);
        };
        let length = window.ends_at.get().saturating_sub(window.starts_at.get());
        let later = length.saturating_mul(further);
        Some(TimestampMs::new(window.ends_at.get().saturating_add(later)))
    }

    /// Whether the current epoch is in its last part, which takes this share of it. False if the Sui node doesn't say when
    /// it ends.
    pub fn is_in_last(&self, share: Permille) -> bool {
        self.window.is_some_and(|window| {
            let length = u128::from(window.ends_at.get().saturating_sub(window.starts_at.get()));
            let left = u128::from(window.ends_at.get().saturating_sub(self.now.get()));
            left * 1_000 < length * u128::from(share.get())
        })
    }

    /// Whether so much time has passed since then.
    pub fn is_after(&self, since: TimestampMs, wait: Duration) -> bool {
        self.now >= later(since, wait)
    }
}

/// A time and a duration after it.
pub(super) fn later(time: TimestampMs, wait: Duration) -> TimestampMs {
    TimestampMs::new(time.get().saturating_add(milliseconds(wait)))
}

/// A time and a duration before it.
pub(super) fn earlier(time: TimestampMs, margin: Duration) -> TimestampMs {
    TimestampMs::new(time.get().saturating_sub(milliseconds(margin)))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(now: u64) -> Moment {
        let window = EpochWindow {
            starts_at: TimestampMs::new(1_000),
            ends_at: TimestampMs::new(2_000),
        };
        Moment::new(TimestampMs::new(now), Epoch::new(7), Some(window))
    }

    #[test]
    fn the_last_part_begins_where_its_share_is_left() {
        let share = Permille::new(200);
        assert!(!moment(1_800).is_in_last(share));
        assert!(moment(1_801).is_in_last(share));
        assert!(!moment(1_999).is_in_last(Permille::new(0)));
    }

    #[test]
    fn a_wrong_clock_counts_as_the_nearest_time_of_the_epoch() {
        assert_eq!(moment(0).now().get(), 1_000);
        assert_eq!(moment(u64::MAX).now().get(), 2_000);
        assert!(moment(u64::MAX).is_in_last(Permille::new(1)));
        let hour = Duration::from_secs(3_600);
        assert!(!moment(u64::MAX).is_after(TimestampMs::new(1_500), hour));
    }

    #[test]
    fn later_epochs_begin_a_length_apart() {
        let beginning = |epoch| moment(1_500).beginning_of(Epoch::new(epoch));
        assert_eq!(beginning(6), None);
        assert_eq!(beginning(7), Some(TimestampMs::new(1_000)));
        assert_eq!(beginning(8), Some(TimestampMs::new(2_000)));
        assert_eq!(beginning(10), Some(TimestampMs::new(4_000)));
        assert_eq!(beginning(u64::MAX), Some(TimestampMs::new(u64::MAX)));
    }

    #[test]
    fn an_impossible_window_counts_as_none() {
        let window = EpochWindow {
            starts_at: TimestampMs::new(2),
            ends_at: TimestampMs::new(2),
        };
        let moment = Moment::new(TimestampMs::new(9), Epoch::new(1), Some(window));
        assert_eq!(moment.epoch_ends_at(), None);
        assert_eq!(moment.now().get(), 9);
    }
}
