//! Who listens, and what they are told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::event::Event;
use super::log::{EventLog, Place};
use crate::error::ApiError;

/// How many streams there may be at once.
const MOST_STREAMS: usize = 32;

/// The log of events and those who listen to it. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// The number of the latest event.
    latest: watch::Sender<u64>,
    streams: Arc<Semaphore>,
}

#[derive(Debug)]
struct State {
    log: EventLog,
    is_collecting: bool,
}

/// A stream's place in the log, and among the streams.
#[derive(Debug)]
pub(crate) struct Listener {
    hub: Hub,
    place: Place,
    latest: watch::Receiver<u64>,
    _stream: OwnedSemaphorePermit,
}

impl Hub {
    /// Nobody listens yet. `run` begins the ids of events.
    pub(super) fn new(run: String) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                log: EventLog::new(run),
                is_collecting: false,
            }),
            latest: watch::Sender::new(0),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
        }))
    }

    /// Begins to listen, after the event with this id if it is still known. `collect` makes somebody collect events, if
    /// nobody does yet.
    ///
    /// # Errors
    /// When too many listen already.
    pub(super) fn listen(
        &self,
        last_event_id: Option<&str>,
        collect: impl FnOnce(),
    ) -> Result<Listener, ApiError> {
        let stream = Arc::clone(&self.0.streams).try_acquire_owned();
        let stream = stream.map_err(|_| ApiError::Busy {
            what: "event streams",
        })?;
        let mut state = self.state();
        if !state.is_collecting {
            // What happened meanwhile is not in it.
            state.log.skip();
            state.is_collecting = true;
            collect();
        }
        Ok(Listener {
            place: state.log.place(last_event_id),
            hub: self.clone(),
            latest: self.0.latest.subscribe(),
            _stream: stream,
        })
    }

    /// Whether anybody listens.
    pub(super) fn is_heard(&self) -> bool {
        self.0.streams.available_permits() < MOST_STREAMS
    }

    /// Notes that events are no longer collected, if nobody listens. Returns whether that is so.
    pub(super) fn end_unless_heard(&self) -> bool {
        let mut state = self.state();
        if self.is_heard() {
            return false;
        }
        state.is_collecting = false;
        true
    }

    /// Notes that events are no longer collected.
    pub(super) fn end(&self) {
        self.state().is_collecting = false;
    }

    /// Tells everybody.
    pub(super) fn tell(&self, event: &Event) {
        let number = self.state().log.add(event);
        self.0.latest.send_replace(number);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one call, so a panic of a holder leaves it whole.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// What to send next, as text; waits for it.
    pub(super) async fn next(&mut self) -> String {
        loop {
            // Before reading: what comes after is noticed.
            self.latest.mark_unchanged();
            let text = self.hub.state().log.after(&mut self.place);
            if let Some(text) = text {
                return text;
            }
            if self.latest.changed().await.is_err() {
                // The sender lives as long as `hub`.
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::changed;
    use super::*;

    #[tokio::test]
    async fn each_listener_is_told_everything_once() {
        let hub = Hub::new(String::from("a1"));
        let mut begun = 0;
        let mut first = hub.listen(None, || begun += 1).unwrap();
        let mut second = hub.listen(None, || begun += 1).unwrap();
        for listener in [&mut first, &mut second] {
            assert!(
                listener
                    .next()
                    .await
                    .starts_with("event: reset\nid: a1-1\n")
            );
        }
        hub.tell(&changed("alarms"));
        hub.tell(&changed("status"));
        assert!(first.next().await.contains("event: alarms"));
        let waits = async {
            let text = first.next().await;
            assert!(text.starts_with("event: autopilot"), "{text}");
        };
        let tells = async { hub.tell(&changed("autopilot")) };
        tokio::join!(waits, tells);
        assert_eq!(second.next().await.matches("event: ").count(), 3);
        // One that comes back goes on.
        drop(second);
        let mut back = hub.listen(Some("a1-3"), || begun += 1).unwrap();
        assert!(back.next().await.starts_with("event: autopilot"));
        assert!(!hub.end_unless_heard());
        drop((first, back));
        assert!(hub.end_unless_heard());
        let mut later = hub.listen(Some("a1-4"), || begun += 1).unwrap();
        assert!(later.next().await.starts_with("event: reset"));
        assert_eq!(begun, 2);
    }

    #[tokio::test]
    async fn the_number_of_streams_is_bounded() {
        let hub = Hub::new(String::from("a1"));
        let listen = || hub.listen(None, || {});
        let mut streams: Vec<_> = (0..MOST_STREAMS).map(|_| listen().unwrap()).collect();
        assert!(matches!(listen(), Err(ApiError::Busy { .. })));
        streams.pop();
        assert!(listen().is_ok());
    }
}
