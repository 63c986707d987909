//! Looking ahead: while one settlement executes, what the next depends on is read, so that the
//! read is no part of the lane's way.
//!
//! The read is timed to end shortly before the execution does: it is as fresh as one made after
//! it, to within the time that a read takes. A settlement changes nothing that another settlement
//! is made from, so only settlements are looked ahead to, and only from settlements. What was read
//! is thrown away when the badge turns out to have been used by somebody else.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::IntentId;
use atoma_domain::journal::{Action, Intent};
use atoma_domain::ports::ContractView;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::lane::Lane;
use super::prepare::{self, Local};
use super::shared::Shared;

/// A read under way for the lane's next intent.
#[derive(Debug)]
pub(super) struct Ahead {
    id: IntentId,
    /// The badge's version when the read began.
    since: u64,
    /// Told when the read is wanted now.
    wanted: Arc<Notify>,
    reading: JoinHandle<Option<Read>>,
}

/// What was read, and when.
#[derive(Debug)]
struct Read {
    local: Local,
    view: ContractView,
    at: Instant,
}

/// What the runtime's clock can tell apart, and a bit.
const SHORTEST_WAIT: Duration = Duration::from_millis(3);

/// What was read longer ago than this is read again: the execution took longer than it used to.
const BEST_BEFORE: Duration = Duration::from_secs(1);

/// How long the lane's last execution and its last read took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    pub(super) execution: Duration,
    pub(super) view: Duration,
}

impl Pace {
    /// How long to wait, from a sending on, before the next intent's read.
    fn before_reading(self) -> Duration {
        // Half as long again as a read takes, so that it is seldom late.
        let wait = self.execution.saturating_sub(self.view + self.view / 2);
        // A shorter one takes as long as this anyhow, and the execution would be over.
        if wait < SHORTEST_WAIT {
            Duration::ZERO
        } else {
            wait
        }
    }

    /// Whether what was begun to be read so long ago may still be relied on.
    fn is_fresh(self, age: Duration) -> bool {
        age <= BEST_BEFORE.max(self.view * 2)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Lane {
    /// Begins to read for the next intent, if it and the current one are settlements.
    pub(super) fn look_ahead(&mut self, current: &[Intent]) {
        let is_settlement = |intent: &Intent| matches!(intent.action, Action::SettleStack { .. });
        let Some(next) = self.next_intent().filter(|next| is_settlement(next)) else {
            return;
        };
        if !current.iter().all(is_settlement) {
            return;
        }
        let Some(badge) = &self.badge else { return };
        let wanted = Arc::new(Notify::new());
        self.ahead = Some(Ahead {
            id: next.id,
            since: badge.version(),
            reading: self.shared.spawn(read(
                Arc::clone(&self.shared),
                next.clone(),
                self.pace.before_reading(),
                Arc::clone(&wanted),
            )),
            wanted,
        });
    }

    /// What was read ahead for this batch, if it was and can still be relied on.
    pub(super) async fn read_ahead(
        &mut self,
        batch: &[Intent],
    ) -> Option<(Vec<(Intent, Local)>, ContractView)> {
        let mut ahead = self.ahead.take()?;
        let [intent] = batch else { return None };
        if intent.id != ahead.id {
            return None;
        }
        ahead.wanted.notify_one();
        let Read { local, view, at } = (&mut ahead.reading).await.ok()??;
        if !self.pace.is_fresh(at.elapsed()) {
            return None;
        }
        // The badge's version is ours to know: from our own last transaction. A newer one on chain
        // is somebody else's doing, and then nothing read before it counts; an older one than when
        // the read began is shown by a node that lags.
        let known = self.badge.as_ref()?.version();
        let seen = view.badge.as_ref()?.version();
        (ahead.since..=known)
            .contains(&seen)
            .then(|| (vec![(intent.clone(), local)], view))
    }
}

async fn read(
    shared: Arc<Shared>,
    intent: Intent,
    wait: Duration,
    wanted: Arc<Notify>,
) -> Option<Read> {
    if wait > Duration::ZERO {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = wanted.notified() => {}
        }
    }
    // What fails here is tried again, and told, when the intent's turn has come.
    let at = Instant::now();
    let local = prepare::gather(&shared.ports, &intent).await.ok()?;
    let gathered = [(intent, local)];
    let view = shared
        .ports
        .chain
        .view(&prepare::query(&gathered))
        .await
        .ok()?;
    let [(_, local)] = gathered;
    Some(Read { local, view, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_read_ends_shortly_before_the_execution() {
        let ms = Duration::from_millis;
        let pace = |execution, view| {
            Pace {
                execution: ms(execution),
                view: ms(view),
            }
            .before_reading()
        };
        assert_eq!(pace(320, 20), ms(290));
        assert_eq!(pace(20, 20), Duration::ZERO);
        assert_eq!(pace(5, 2), Duration::ZERO);
        assert_eq!(Pace::default().before_reading(), Duration::ZERO);
    }

    #[test]
    fn what_was_read_long_ago_is_read_again() {
        let ms = Duration::from_millis;
        let pace = |view| Pace {
            execution: Duration::ZERO,
            view: ms(view),
        };
        assert!(pace(20).is_fresh(ms(1_000)));
        assert!(!pace(20).is_fresh(ms(1_001)));
        // A node that takes that long to answer is no reason to ask it twice each time.
        assert!(pace(2_000).is_fresh(ms(4_000)));
        assert!(!pace(2_000).is_fresh(ms(4_001)));
    }
}
