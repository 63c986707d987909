//! The one alarm that can't wait in the database: that the database takes nothing.

use std::time::Duration;

use atoma_domain::alarms::{AlarmKind, AlarmPolicy};

/// How long the database has failed, and whether anybody knows. Times are those of a clock that nobody sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Emergency {
    failing_since: Option<Duration>,
    told_at: Option<Duration>,
}

impl Emergency {
    /// Notes that the database failed. Whether it is time to tell of it: `is_known` says that it has been of no use for long
    /// enough already, such as a full disk to which nothing had to be written before.
    pub(super) fn failed(&mut self, policy: &AlarmPolicy, is_known: bool, now: Duration) -> bool {
        let since = *self.failing_since.get_or_insert(now);
        let lasts = now.saturating_sub(since) >= AlarmKind::DatabaseUnusable.patience();
        let is_due = self
            .told_at
            .is_none_or(|told_at| now.saturating_sub(told_at) >= policy.repeat);
        (lasts || is_known) && is_due
    }

    /// Notes that somebody was told.
    pub(super) const fn told(&mut self, now: Duration) {
        self.told_at = Some(now);
    }

    /// Notes that the database works. Whether somebody was told that it doesn't.
    pub(super) const fn worked(&mut self) -> bool {
        self.failing_since = None;
        self.told_at.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    #[test]
    fn what_is_known_to_last_is_told_at_once_and_everything_else_after_a_while() {
        let policy = AlarmPolicy::default();
        let mut emergency = Emergency::default();
        assert!(!emergency.failed(&policy, false, minutes(0)));
        assert!(!emergency.failed(&policy, false, minutes(4)));
        assert!(emergency.failed(&policy, false, minutes(5)));
        // A full disk, which needed no write for five minutes.
        let mut emergency = Emergency::default();
        assert!(emergency.failed(&policy, true, minutes(5)));
        emergency.told(minutes(5));
        assert!(!emergency.failed(&policy, true, minutes(6)));
    }
}
