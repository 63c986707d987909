//! Collects what changes, at most so often.

use std::time::Duration;

use atoma_domain::ports::Progress;
use atoma_operator::{Autopilot, MirrorChanges, Operator};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::event::{AppliedSince, Event, changed};
use super::hub::Hub;

/// The shortest time between two events of one kind.
const PACE: Duration = Duration::from_millis(500);
/// The same for the height of the mirror, which grows all the time.
const STATUS_PACE: Duration = Duration::from_secs(2);
/// How long events are collected for a page that comes back.
const LINGER: Duration = Duration::from_secs(60);

/// What the events come from.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub(super) operator: Operator,
    pub(super) autopilot: Autopilot,
}

/// Subscriptions to all of it.
#[derive(Debug)]
pub(super) struct Subscriptions {
    changes: MirrorChanges,
    transactions: watch::Receiver<u64>,
    /// `None` if nobody looks for what is wrong.
    alarms: Option<watch::Receiver<u64>>,
    autopilot: watch::Receiver<u64>,
    status: watch::Receiver<Progress>,
}

impl Sources {
    pub(super) fn subscribe(&self) -> Subscriptions {
        Subscriptions {
            changes: self.operator.changes(),
            transactions: self.operator.transactions_changed(),
            alarms: self.operator.alarms_changed(),
            autopilot: self.autopilot.changed(),
            status: self.operator.mirror_moved(),
        }
    }
}

/// Notes what happens, and when it may be told.
#[derive(Debug)]
struct Paced<T> {
    noted: T,
    may_be_told: Instant,
    pace: Duration,
}

impl<T: Default> Paced<T> {
    fn new(pace: Duration) -> Self {
        Self {
            noted: T::default(),
            may_be_told: Instant::now(),
            pace,
        }
    }

    /// What is noted, if it is time.
    fn due(&mut self, is_noted: impl Fn(&T) -> bool) -> Option<&mut T> {
        let now = Instant::now();
        if !is_noted(&self.noted) || now < self.may_be_told {
            return None;
        }
        self.may_be_told = now + self.pace;
        Some(&mut self.noted)
    }

    /// When what is noted may be told.
    fn next(&self, is_noted: impl Fn(&T) -> bool) -> Option<Instant> {
        is_noted(&self.noted).then_some(self.may_be_told)
    }
}

/// What waits to be told.
#[derive(Debug)]
struct Waiting {
    applied: Paced<AppliedSince>,
    /// Events whose name says all.
    named: [(&'static str, Paced<bool>); 4],
}

const TRANSACTIONS: usize = 0;
const ALARMS: usize = 1;
const AUTOPILOT: usize = 2;
const STATUS: usize = 3;

impl Waiting {
    fn new() -> Self {
        Self {
            applied: Paced::new(PACE),
            named: [
                ("transactions", Paced::new(PACE)),
                ("alarms", Paced::new(PACE)),
                ("autopilot", Paced::new(PACE)),
                ("status", Paced::new(STATUS_PACE)),
            ],
        }
    }

    fn note(&mut self, kind: usize) {
        if let Some((_, paced)) = self.named.get_mut(kind) {
            paced.noted = true;
        }
    }

    /// The events whose time has come.
    fn due(&mut self) -> Vec<Event> {
        let applied = self.applied.due(|applied| !applied.is_empty());
        let mut events: Vec<_> = applied.map(AppliedSince::take).into_iter().collect();
        for (name, paced) in &mut self.named {
            if let Some(noted) = paced.due(|noted| *noted) {
                *noted = false;
                events.push(changed(name));
            }
        }
        events
    }

    /// When the next of them is due.
    fn next(&self) -> Option<Instant> {
        let named = self.named.iter();
        let named = named.filter_map(|(_, paced)| paced.next(|noted| *noted));
        let applied = self.applied.next(|applied| !applied.is_empty());
        named.chain(applied).min()
    }
}

/// Collects events until nobody has listened for a while, or the node has stopped.
pub(super) async fn collect(hub: Hub, mut from: Subscriptions) {
    let mut waiting = Waiting::new();
    let mut heard_at = Instant::now();
    loop {
        waiting.due().iter().for_each(|event| hub.tell(event));
        let look = heard_at + LINGER;
        let wake = waiting.next().map_or(look, |next| next.min(look));
        tokio::select! {
            change = from.changes.next() => match change {
                Some(change) => waiting.applied.noted.add(&change),
                None => break,
            },
            Ok(()) = from.transactions.changed() => waiting.note(TRANSACTIONS),
            () = changed_if_any(&mut from.alarms) => waiting.note(ALARMS),
            Ok(()) = from.autopilot.changed() => waiting.note(AUTOPILOT),
            Ok(()) = from.status.changed() => waiting.note(STATUS),
            () = sleep_until(wake) => {}
        }
        if hub.is_heard() {
            heard_at = Instant::now();
        } else if heard_at.elapsed() >= LINGER && hub.end_unless_heard() {
            return;
        }
    }
    // The node stops, and so does the server.
    hub.end();
}

/// Waits for a change, for ever if there is nothing that changes.
async fn changed_if_any(watched: &mut Option<watch::Receiver<u64>>) {
    if let Some(watched) = watched
        && watched.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use atoma_operator::MirrorChange;

    use super::*;

    fn names(events: Vec<Event>) -> Vec<&'static str> {
        events.into_iter().map(|event| event.name).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_is_told_at_once_and_more_of_its_kind_after_a_while() {
        let mut waiting = Waiting::new();
        assert_eq!(waiting.next(), None);
        for kind in [TRANSACTIONS, STATUS] {
            waiting.note(kind);
        }
        assert_eq!(waiting.next(), Some(Instant::now()));
        assert_eq!(names(waiting.due()), ["transactions", "status"]);
        assert_eq!(waiting.next(), None);
        for kind in [TRANSACTIONS, TRANSACTIONS, STATUS, ALARMS] {
            waiting.note(kind);
        }
        assert_eq!(names(waiting.due()), ["alarms"]);
        assert_eq!(waiting.next(), Some(Instant::now() + PACE));
        tokio::time::advance(PACE).await;
        assert_eq!(names(waiting.due()), ["transactions"]);
        assert_eq!(waiting.next(), Some(Instant::now() + STATUS_PACE - PACE));
        tokio::time::advance(STATUS_PACE - PACE).await;
        assert_eq!(names(waiting.due()), ["status"]);
        assert_eq!(waiting.next(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_mirror_missed_is_told_as_well() {
        let mut waiting = Waiting::new();
        waiting.applied.noted.add(&MirrorChange::Missed);
        let events = waiting.due();
        assert_eq!(events[0].data["is_partial"], true);
        assert_eq!(names(events), ["applied"]);
        assert!(waiting.due().is_empty());
    }
}
