//! The daemon in numbers, for metrics.
//!
//! What needs the database or the Sui node is read at most once in [`SAMPLE_MS`], however often it is asked for,
//! and a node that doesn't answer delays nothing but its own figures.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atoma_domain::model::{OperatorNode, StoreFigures};
use atoma_domain::ports::{EpochInfo, StoreError, SuiNodeReport, ViewQuery};
use atoma_domain::{CheckpointNumber, Permille, TimestampMs, with_causes};
use tokio::sync::watch;
use tracing::debug;

use crate::alarms::AlarmFigures;
use crate::autopilot::AutopilotFigures;
use crate::engine::{Engine, EngineFigures, LimitStatus};
use crate::ingest::Applied;
use crate::ports::Ports;

/// How long a sample counts, in milliseconds.
const SAMPLE_MS: u64 = 10_000;
/// The longest wait for the Sui node.
const PATIENCE: Duration = Duration::from_secs(2);

/// The daemon in numbers. What can't be read is `None`.
#[derive(Clone, Debug)]
pub struct Measurements {
    /// The engine.
    pub engine: EngineFigures,
    /// How close the limits are to stopping new transactions.
    pub limits: Option<LimitStatus>,
    /// The last checkpoint that the mirror has processed.
    pub covered: Option<CheckpointNumber>,
    /// How the Sui nodes stand, in the order in which they are asked.
    pub sui_nodes: Vec<SuiNodeReport>,
    /// How many events the mirror has set aside, because this version can't read them.
    pub set_aside: u64,
    /// How many amounts of the books differed from the chain when they were checked last; `None` until they were.
    pub books_differences: Option<u64>,
    /// The alarms, and the messages about them; `None` without alarms.
    pub alarms: Option<AlarmFigures>,
    /// What was read from the database and the Sui node.
    pub sample: Arc<Sample>,
    /// The autopilot; `None` until it is [added](crate::Autopilot::add_to).
    pub autopilot: Option<AutopilotFigures>,
    /// The current time.
    pub now: TimestampMs,
}

/// What was read from the database and the Sui node. What can't be read is `None`.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When.
    pub at: TimestampMs,
    /// The operator's nodes, from this sample or the last that had them: lanes are told by them.
    pub nodes: Vec<OperatorNode>,
    /// The sums over the database.
    pub store: Option<StoreFigures>,
    /// The ledger as the Sui node shows it; `None` if the node does not answer.
    pub ledger: Option<LedgerSample>,
    /// The current epoch.
    pub epoch: Option<EpochInfo>,
    /// The contract's charge for sampling consensus, from this sample or the last that had it.
    pub sampling_charge: Option<Permille>,
}

/// How far the Sui node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerSample {
    /// The node's last checkpoint.
    pub height: CheckpointNumber,
    /// The time of that checkpoint.
    pub height_at: Option<TimestampMs>,
    /// The time of the last checkpoint that the mirror had processed then.
    pub covered_at: Option<TimestampMs>,
}

impl LedgerSample {
    /// How long before the node's last checkpoint the mirror's last one was made.
    pub fn lag(&self) -> Option<Duration> {
        let behind = self.height_at?.get().saturating_sub(self.covered_at?.get());
        Some(Duration::from_millis(behind))
    }
}

/// The latest sample. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sampler {
    latest: Arc<Mutex<Option<Taken>>>,
}

/// A sample that is taken or being taken, in a task of its own: the callers' tasks end when their clients leave, and
/// a reading that nobody drives would hold its snapshot of the database.
#[derive(Debug)]
struct Taken {
    at: TimestampMs,
    sample: watch::Receiver<Option<Arc<Sample>>>,
    /// The one before, while this one is taken.
    before: Option<Arc<Sample>>,
}

impl Taken {
    /// Whether it is neither taken yet nor given up.
    fn is_under_way(&self) -> bool {
        self.sample.borrow().is_none() && self.sample.has_changed().is_ok()
    }
}

impl Sampler {
    /// The daemon in numbers. Concurrent callers share one sample.
    pub(crate) async fn measure(
        &self,
        ports: &Ports,
        engine: &Engine,
        applied: &Applied,
    ) -> Measurements {
        let now = ports.clock.now();
        let (taking, _) = self.latest(ports, engine, applied, now);
        Self::measured(ports, engine, applied, now, taken(taking).await).await
    }

    /// The same with the sample before while a new one is taken. Only the first is waited for.
    pub(crate) async fn measure_without_waiting(
        &self,
        ports: &Ports,
        engine: &Engine,
        applied: &Applied,
    ) -> Measurements {
        let now = ports.clock.now();
        let (taking, before) = self.latest(ports, engine, applied, now);
        let sample = match before {
            Some(before) if taking.borrow().is_none() => Some(before),
            _ => taken(taking).await,
        };
        Self::measured(ports, engine, applied, now, sample).await
    }

    async fn measured(
        ports: &Ports,
        engine: &Engine,
        applied: &Applied,
        now: TimestampMs,
        sample: Option<Arc<Sample>>,
    ) -> Measurements {
        let progress = applied.progress();
        Measurements {
            engine: engine.figures(),
            limits: engine.limits().await.ok(),
            sui_nodes: ports.chain.sui_nodes(),
            covered: progress.covered,
            set_aside: progress.set_aside,
            books_differences: None,
            alarms: None,
            autopilot: None,
            // The daemon stops.
            sample: sample.unwrap_or_else(|| Arc::new(Sample::empty(now))),
            now: ports.clock.now(),
        }
    }

    fn latest(
        &self,
        ports: &Ports,
        engine: &Engine,
        applied: &Applied,
        now: TimestampMs,
    ) -> (watch::Receiver<Option<Arc<Sample>>>, Option<Arc<Sample>>) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = latest.as_ref() {
            // One from the future is not recent: the clock was set back.
            let age = now.get().checked_sub(taken.at.get());
            let is_recent = age.is_some_and(|age| age < SAMPLE_MS);
            // A database that hangs is asked once.
            if taken.is_under_way() || is_recent && taken.sample.borrow().is_some() {
                return (taken.sample.clone(), taken.before.clone());
            }
        }
        let before = latest.as_ref().and_then(|taken| {
            let sample = taken.sample.borrow().clone();
            sample.or_else(|| taken.before.clone())
        });
        let earlier = before.clone();
        let (ports, applied) = (ports.clone(), applied.clone());
        let (taken, sample) = watch::channel(None);
        engine.spawn_until_stopped(async move {
            let sample = read(&ports, &applied, now, before.as_deref()).await;
            taken.send_replace(Some(Arc::new(sample)));
        });
        *latest = Some(Taken {
            at: now,
            sample: sample.clone(),
            before: earlier.clone(),
        });
        (sample, earlier)
    }
}

impl Sample {
    /// A sample without anything in it.
    const fn empty(at: TimestampMs) -> Self {
        Self {
            at,
            nodes: Vec::new(),
            store: None,
            ledger: None,
            epoch: None,
            sampling_charge: None,
        }
    }
}

async fn read(
    ports: &Ports,
    applied: &Applied,
    now: TimestampMs,
    before: Option<&Sample>,
) -> Sample {
    let (ledger, epoch, charge, progress) = tokio::join!(
        patiently(read_ledger(ports, applied)),
        patiently(async { ports.chain.epoch().await.ok() }),
        patiently(read_charge(ports)),
        ports.events.progress(),
    );
    let mirrored = progress.ok().and_then(|progress| progress.epoch);
    let current = epoch.map(|info| info.epoch).or(mirrored);
    let nodes = readable(ports.state.operator_nodes().await);
    let store = match &nodes {
        Some(nodes) => {
            let ids: Vec<_> = nodes.iter().map(|node| node.node_small_id).collect();
            readable(
                ports
                    .figures
                    .figures(&ids, current.unwrap_or_default())
                    .await,
            )
        }
        None => None,
    };
    Sample {
        at: now,
        nodes: nodes
            .or_else(|| before.map(|before| before.nodes.clone()))
            .unwrap_or_default(),
        store,
        ledger,
        epoch,
        sampling_charge: charge.or_else(|| before?.sampling_charge),
    }
}

/// The sample once it is taken; `None` if the daemon stops.
async fn taken(mut taking: watch::Receiver<Option<Arc<Sample>>>) -> Option<Arc<Sample>> {
    let taken = taking.wait_for(Option::is_some).await;
    taken.ok().and_then(|sample| sample.clone())
}

async fn patiently<T>(read: impl Future<Output = Option<T>>) -> Option<T> {
    tokio::time::timeout(PATIENCE, read).await.ok().flatten()
}

fn readable<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| {
        debug!(
            error = with_causes(error),
            "can't read the database for metrics"
        );
    })
    .ok()
}

async fn read_ledger(ports: &Ports, applied: &Applied) -> Option<LedgerSample> {
    let chain = &ports.chain;
    let height = chain.height().await.ok()?;
    let covered = applied.progress().covered;
    // The mirror can be ahead of the height by now.
    let height = covered.map_or(height, |covered| height.max(covered));
    let height_at = chain.checkpoint_time(height).await.ok();
    let covered_at = match covered {
        Some(covered) if covered == height => height_at,
        Some(covered) => chain.checkpoint_time(covered).await.ok(),
        None => None,
    };
    Some(LedgerSample {
        height,
        height_at,
        covered_at,
    })
}

async fn read_charge(ports: &Ports) -> Option<Permille> {
    let view = ports.chain.view(&ViewQuery::default()).await.ok()?;
    Some(view.parameters.sampling_consensus_charge)
}

#[cfg(test)]
mod tests;
