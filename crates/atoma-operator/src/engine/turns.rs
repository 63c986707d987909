//! Having a batch done: attempts until every intent of it is final, smaller ones where one of it
//! is bad.

use atoma_domain::journal::{Failure, Intent};
use atoma_domain::ports::JournalKey;
use tracing::warn;

use super::abandoned::Mark;
use super::attempt::Step;
use super::config::Backoff;
use super::lane::Lane;
use super::outage::Outage;
use super::shared::Written;
use crate::Ports;
use crate::causes::with_causes;

/// A batch that is to be attempted, with what was tried in vain.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) batch: Vec<Intent>,
    /// How often it was signed, executed and cancelled: what is dead spent nothing, and what moved
    /// its badge or ended its epoch made headway, so dead attempts are not counted.
    cancelled: u32,
    /// How often it was prepared and then doubted.
    doubted: u32,
    /// Of claims that the treasury was too small for together, these are dearer than those of the
    /// turns before.
    pub(super) is_dearer: bool,
}

impl Turn {
    const fn new(batch: Vec<Intent>) -> Self {
        Self {
            batch,
            cancelled: 0,
            doubted: 0,
            is_dearer: false,
        }
    }

    /// The same, with whether these are dearer.
    pub(super) fn dearer(batch: Vec<Intent>, is_dearer: bool) -> Self {
        Self {
            is_dearer,
            ..Self::new(batch)
        }
    }
}

impl Lane {
    /// Attempts a batch until every intent of it is final, or put back because nothing can be done
    /// for now.
    pub(super) async fn process(&mut self, batch: Vec<Intent>) {
        let (sign_attempts, read_attempts) = {
            let config = &self.shared.config;
            (config.sign_attempts, config.read_attempts)
        };
        let mut turns = vec![Turn::new(batch)];
        let mut backoff = Backoff::new(&self.shared.config);
        let mut congestion = Backoff::of_congestion(&self.shared.config);
        while let Some(mut turn) = turns.pop() {
            if self.shared.stopping.is_cancelled() {
                return;
            }
            turn.batch = self.without_abandoned(turn.batch).await;
            if turn.batch.is_empty() {
                continue;
            }
            if self.is_braked() {
                turns.push(turn);
                self.put_back(turns);
                return;
            }
            match self.attempt(turn.batch).await {
                Step::Finished => {}
                Step::Stopped => return,
                Step::Again { intents, cancelled } => {
                    let times = turn.cancelled + u32::from(cancelled.is_some());
                    if let Some(reason) = &cancelled
                        && times >= sign_attempts
                    {
                        let now = self.shared.ports.clock.now();
                        self.shared.guard.note_given_up(now);
                        let reason =
                            format!("gave up after {times} cancelled attempts, the last: {reason}");
                        self.fail_all(&intents, &Failure::ExecutionFailed { reason })
                            .await;
                        continue;
                    }
                    let pause = if cancelled.is_some() {
                        &mut congestion
                    } else {
                        &mut backoff
                    };
                    self.pause(pause).await;
                    turns.push(Turn {
                        batch: intents,
                        cancelled: times,
                        ..turn
                    });
                }
                Step::Doubt(doubtful) => {
                    let doubted = turn.doubted + 1;
                    if doubted >= read_attempts {
                        for (intent, failure) in doubtful {
                            self.fail(&intent, failure).await;
                        }
                        continue;
                    }
                    self.pause(&mut backoff).await;
                    turns.push(Turn {
                        batch: doubtful.into_iter().map(|(intent, _)| intent).collect(),
                        doubted,
                        ..turn
                    });
                }
                Step::Outage { intents, why } => {
                    turns.push(Turn::new(intents));
                    let config = &self.shared.config;
                    let outage = self.outage.get_or_insert_with(|| Outage::new(config));
                    outage.lasts(why);
                    if outage.is_long() {
                        // It may be about these alone: the next time others have their turn.
                        self.backlog.add(left_of(turns));
                    } else {
                        self.put_back(turns);
                    }
                    return;
                }
                Step::Split(mut batch) => {
                    let rest = batch.split_off(batch.len() / 2);
                    let is_dearer = turn.is_dearer;
                    turns.push(Turn::dearer(rest, is_dearer));
                    turns.push(Turn::dearer(batch, is_dearer));
                }
                Step::Short(claims) => {
                    self.face_shortage(&mut turns, claims, turn.is_dearer).await;
                }
            }
        }
    }

    /// Whether a brake holds; an outage is just what an attempt finds out about.
    fn is_braked(&self) -> bool {
        let now = self.shared.ports.clock.now();
        self.shared.guard.hold(now).is_some()
    }

    /// Puts what is left of a batch back, to be taken up first.
    fn put_back(&mut self, turns: Vec<Turn>) {
        self.backlog.add_first(left_of(turns));
    }

    /// Lets a pause pass; what is done is not kept waiting by it.
    async fn pause(&mut self, backoff: &mut Backoff) {
        self.write_done().await;
        tokio::select! {
            () = self.shared.stopping.cancelled() => {}
            () = backoff.pause() => {}
        }
    }

    /// Drops those that the operator gave up; nothing of them is with the network here.
    pub(super) async fn without_abandoned(&self, batch: Vec<Intent>) -> Vec<Intent> {
        let mut kept = Vec::with_capacity(batch.len());
        for intent in batch {
            match self.shared.abandoned.take(intent.id) {
                Some(Mark::Failed) => {}
                Some(Mark::Wanted) => self.fail(&intent, Failure::Abandoned {}).await,
                None => kept.push(intent),
            }
        }
        kept
    }

    /// Fails an intent of which nothing is with the network.
    pub(super) async fn fail(&self, intent: &Intent, failure: Failure) {
        let Ports { journal, clock, .. } = &self.shared.ports;
        let write = || journal.fail(intent.id, &failure, clock.now());
        let one = std::slice::from_ref(intent);
        match self.shared.insist(one, None, write).await {
            Written::Yes => {}
            Written::Disagrees(error) => {
                warn!(transaction.id = %intent.id, error = with_causes(&error), "it is not queued");
                self.without_ended(vec![intent.clone()]).await;
                return;
            }
            Written::Stopped => return,
        }
        self.announce_failure(intent, failure).await;
    }

    pub(super) async fn fail_all(&self, intents: &[Intent], failure: &Failure) -> Step {
        for intent in intents {
            self.fail(intent, failure.clone()).await;
        }
        Step::Finished
    }

    /// Drops those that the journal says are final: the operator gave them up.
    pub(super) async fn without_ended(&self, intents: Vec<Intent>) -> Vec<Intent> {
        let mut kept = Vec::with_capacity(intents.len());
        for intent in intents {
            let record = self.shared.ports.journal.find(JournalKey::Id(intent.id));
            match record.await {
                Ok(Some(record)) if record.status.is_final() => {
                    self.shared.abandoned.take(intent.id);
                    // Who gave it up has told this, or is about to.
                    self.shared.announce(&self.length, intent.id, record.into());
                }
                // Where it can't be read, the next attempt finds out.
                _ => kept.push(intent),
            }
        }
        kept
    }
}

/// What is left of a batch, in order.
fn left_of(turns: Vec<Turn>) -> Vec<Intent> {
    let left = turns.into_iter().rev();
    left.flat_map(|turn| turn.batch).collect()
}
