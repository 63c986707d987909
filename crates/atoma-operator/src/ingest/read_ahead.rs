//! Reading the ledger ahead.

use std::sync::Arc;

use atoma_domain::ports::{ChainError, LedgerFrame, LedgerStream};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;

/// The most steps that are applied in one database transaction.
const STEPS_AT_ONCE: usize = 1_000;
/// How many steps the reading task takes from the stream at once. Until it has sent them, they count for nothing
/// below.
const STEPS_IN_HAND: usize = 32;
/// How many events wait to be taken at the most. One transaction can have hundreds.
const EVENTS_AHEAD: u32 = 20_000;

/// What was read, with the room that it takes until it is taken.
type Read = Result<(LedgerFrame, OwnedSemaphorePermit), ChainError>;

/// A stream that is read in a task of its own, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct ReadAhead {
    read: Receiver<Read>,
    /// An error to return with the next call, because steps before it had to be delivered first.
    pending_error: Option<ChainError>,
    _reading: AbortOnDropHandle<()>,
}

impl ReadAhead {
    /// Begins to read.
    pub(super) fn begin(stream: Box<dyn LedgerStream>) -> Self {
        let (sender, read) = mpsc::channel(STEPS_AT_ONCE);
        Self {
            read,
            pending_error: None,
            _reading: AbortOnDropHandle::new(tokio::spawn(read_all(stream, sender))),
        }
    }

    /// Waits for at least one step and returns all that were read, at most [`STEPS_AT_ONCE`], in ledger order.
    ///
    /// # Errors
    /// An error ends the stream.
    pub(super) async fn next_steps(&mut self) -> Result<Vec<LedgerFrame>, ChainError> {
        if let Some(error) = self.pending_error.take() {
            return Err(error);
        }
        let mut read = Vec::new();
        self.read.recv_many(&mut read, STEPS_AT_ONCE).await;
        let mut steps = Vec::with_capacity(read.len());
        for step in read {
            match step {
                Ok((step, _)) => steps.push(step),
                Err(error) if steps.is_empty() => return Err(error),
                Err(error) => self.pending_error = Some(error),
            }
        }
        match steps.is_empty() {
            // The task ends after an error only.
            true => Err(ChainError::Unavailable(
                "the stream of the ledger ended".into(),
            )),
            false => Ok(steps),
        }
    }
}

async fn read_all(mut stream: Box<dyn LedgerStream>, sender: Sender<Read>) {
    let room = Arc::new(Semaphore::new(usize::try_from(EVENTS_AHEAD).unwrap_or(1)));
    loop {
        let steps = match stream.next_steps(STEPS_IN_HAND).await {
            Ok(steps) => steps,
            Err(error) => {
                // Nobody waits for it if the ingestion has ended.
                let _ = sender.send(Err(error)).await;
                return;
            }
        };
        for step in steps {
            let events = step.transaction.as_ref().map_or(0, |t| t.events.len());
            let events = u32::try_from(events).unwrap_or(EVENTS_AHEAD);
            // What is larger than all the room takes all of it.
            let Ok(permit) = Arc::clone(&room)
                .acquire_many_owned(events.min(EVENTS_AHEAD))
                .await
            else {
                return;
            };
            if sender.send(Ok((step, permit))).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use atoma_domain::CheckpointNumber;
    use atoma_domain::events::NodeUnsubscribedFromTask;
    use atoma_domain::ports::{EventCursor, LedgerPosition, LedgerTransaction};
    use atoma_domain::{Address, Digest, Epoch, NodeSmallId, TaskSmallId, TimestampMs};

    use super::*;

    /// Gives as many steps at a time as are asked for, each with so many events, and counts them; after `steps` of
    /// them it fails.
    #[derive(Debug, Default)]
    struct Ledger {
        steps: u64,
        events: usize,
        given: Arc<AtomicU64>,
    }

    fn step(number: u64, events: usize) -> LedgerFrame {
        let event = NodeUnsubscribedFromTask {
            task_small_id: TaskSmallId::new(1),
            node_small_id: NodeSmallId::new(1),
        };
        LedgerFrame {
            transaction: Some(LedgerTransaction {
                digest: Digest::ZERO,
                position: LedgerPosition {
                    checkpoint: CheckpointNumber::new(number),
                    index: 0,
                },
                timestamp: TimestampMs::new(1),
                epoch: Epoch::new(1),
                sender: Address::ZERO,
                events: vec![event.into(); events],
                set_aside: Vec::new(),
                contract_version: None,
                unexplained: Vec::new(),
                balance_changes: None,
            }),
            cursor: EventCursor(vec![1].into()),
            covered: None,
        }
    }

    #[async_trait]
    impl LedgerStream for Ledger {
        async fn next_steps(&mut self, limit: usize) -> Result<Vec<LedgerFrame>, ChainError> {
            let limit = u64::try_from(limit).unwrap();
            let given = self.given.fetch_add(limit, Ordering::SeqCst);
            let next = given..self.steps.min(given.saturating_add(limit));
            match next.is_empty() {
                false => Ok(next.map(|number| step(number, self.events)).collect()),
                true => Err(ChainError::Unavailable("the end".into())),
            }
        }
    }

    /// Lets the reading task go on as far as it can.
    async fn settle() {
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn steps_come_in_order_and_before_the_error_that_follows_them() {
        let mut ahead = ReadAhead::begin(Box::new(Ledger {
            steps: 3,
            ..Ledger::default()
        }));
        let mut checkpoints = Vec::new();
        let error = loop {
            match ahead.next_steps().await {
                Ok(steps) => checkpoints.extend(
                    steps
                        .iter()
                        .filter_map(|step| step.transaction.as_ref())
                        .map(|transaction| transaction.position.checkpoint.get()),
                ),
                Err(error) => break error,
            }
        };
        assert_eq!(checkpoints, [0, 1, 2]);
        assert!(matches!(error, ChainError::Unavailable(_)));
        assert!(ahead.next_steps().await.is_err());
    }

    #[tokio::test]
    async fn what_is_read_ahead_is_bounded_by_steps_and_by_events() {
        for (events, most) in [(1, 1_000), (15_000, 1), (30_000, 1)] {
            let given = Arc::new(AtomicU64::new(0));
            let _ahead = ReadAhead::begin(Box::new(Ledger {
                steps: u64::MAX,
                events,
                given: Arc::clone(&given),
            }));
            settle().await;
            let in_hand = given.load(Ordering::SeqCst) - most;
            let most_in_hand = u64::try_from(STEPS_IN_HAND).unwrap();
            assert!(
                (1..=most_in_hand).contains(&in_hand),
                "{events} events: {in_hand}"
            );
        }
    }

    #[tokio::test]
    async fn reading_ends_with_its_reader() {
        let given = Arc::new(AtomicU64::new(0));
        let ahead = ReadAhead::begin(Box::new(Ledger {
            steps: u64::MAX,
            given: Arc::clone(&given),
            ..Ledger::default()
        }));
        drop(ahead);
        while Arc::strong_count(&given) > 1 {
            tokio::task::yield_now().await;
        }
    }
}
