//! Prefetch: while one settlement executes, the inputs of the next are read, so that the lane does
//! not wait for that read.
//!
//! The read is timed to end shortly before the execution does, so it is as fresh as one made
//! afterwards, to within the time that a read takes. Settling one stack changes nothing that
//! another settlement depends on, so only settlements are prefetched, and only behind settlements.
//! The read is thrown away if somebody else turns out to have used the badge.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::journal::{Action, Intent};
use atoma_domain::{IntentId, ObjectReference};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::engine::attempt::{Inputs, gather, query};
use crate::engine::shared::Context;

/// The shortest pause that the runtime's clock can measure, with a margin.
const SHORTEST_WAIT: Duration = Duration::from_millis(3);

/// An older read is repeated, because the execution took longer than usual.
const BEST_BEFORE: Duration = Duration::from_secs(1);

/// The read for a lane's next intent, and the pace that times it.
#[derive(Debug, Default)]
pub(super) struct Prefetch {
    reading: Option<Reading>,
    pub(super) pace: Pace,
}

/// A read that is under way.
#[derive(Debug)]
struct Reading {
    id: IntentId,
    /// The badge's version when the read began.
    since: u64,
    /// Notified when the lane wants the result now.
    wanted: Arc<Notify>,
    task: JoinHandle<Option<(Inputs, Instant)>>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How long the lane's last execution and its last read took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    pub(super) execution: Duration,
    pub(super) view: Duration,
}

impl Pace {
    /// How long to wait between sending a transaction and reading for the next intent.
    fn before_reading(self) -> Duration {
        // Half as long again as a read takes, so that it is seldom late.
        let wait = self.execution.saturating_sub(self.view + self.view / 2);
        // A shorter pause would last this long anyway, and the execution would be over.
        if wait < SHORTEST_WAIT {
            Duration::ZERO
        } else {
            wait
        }
    }

    /// Whether the result of a read of this age is still good.
    fn is_fresh(self, age: Duration) -> bool {
        age <= BEST_BEFORE.max(self.view * 2)
    }
}

impl Prefetch {
    /// Begins to read for the next intent, if it and the current ones are settlements.
    pub(super) fn begin(
        &mut self,
        context: &Arc<Context>,
        current: &[Intent],
        next: Option<&Intent>,
        badge: Option<&ObjectReference>,
    ) {
        let is_settlement = |intent: &Intent| matches!(intent.action, Action::SettleStack { .. });
        let (Some(next), Some(badge)) = (next.filter(|next| is_settlement(next)), badge) else {
            return;
        };
        if !current.iter().all(is_settlement) {
            return;
        }
        let wanted = Arc::new(Notify::new());
        let read = read(
            Arc::clone(context),
            next.clone(),
            self.pace.before_reading(),
            Arc::clone(&wanted),
        );
        self.reading = Some(Reading {
            id: next.id,
            since: badge.version(),
            wanted,
            task: context.spawn(read),
        });
    }

    /// The prefetched inputs of this batch, if there are any and they are still good.
    pub(super) async fn take(
        &mut self,
        batch: &[Intent],
        badge: Option<&ObjectReference>,
    ) -> Option<Inputs> {
        let mut reading = self.reading.take()?;
        let [intent] = batch else { return None };
        if intent.id != reading.id {
            return None;
        }
        reading.wanted.notify_one();
        let (inputs, began_at) = (&mut reading.task).await.ok()??;
        if !self.pace.is_fresh(began_at.elapsed()) {
            return None;
        }
        // The latest version comes from our own last transaction. A newer one on chain is somebody
        // else's doing, and then nothing read before it counts. An older one than when the read
        // began comes from a node that lags.
        let known = badge?.version();
        let seen = inputs.view.badge.as_ref()?.version();
        (reading.since..=known).contains(&seen).then_some(inputs)
    }
}

async fn read(
    context: Arc<Context>,
    intent: Intent,
    wait: Duration,
    wanted: Arc<Notify>,
) -> Option<(Inputs, Instant)> {
    if wait > Duration::ZERO {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = wanted.notified() => {}
        }
    }
    // A failure here is not reported: the read is repeated when it is the intent's turn.
    let began_at = Instant::now();
    let local = gather(&context.ports, &intent).await.ok()?;
    let gathered = vec![(intent, local)];
    let chain = context.ports.chain_for_attempt();
    let view = chain.view(&query(&gathered)).await.ok()?;
    let inputs = Inputs {
        chain,
        gathered,
        view,
    };
    Some((inputs, began_at))
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
    fn an_old_read_is_repeated() {
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
