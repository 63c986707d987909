//! The daemon in numbers, for metrics.
//!
//! What needs the database or the Sui node is read at most once in [`SAMPLE_MS`], however often it is asked for,
//! and a node that doesn't answer delays nothing but its own figures.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::model::{OperatorNode, StoreFigures};
use atoma_domain::ports::{EpochInfo, StoreError, ViewQuery};
use atoma_domain::{CheckpointNumber, Epoch, Permille, TimestampMs, with_causes};
use tokio::sync::Mutex;
use tracing::debug;

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
    /// What was read from the database and the Sui node.
    pub sample: Arc<Sample>,
    /// The current time.
    pub now: TimestampMs,
}

/// What was read from the database and the Sui node. What can't be read is `None`.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When.
    pub at: TimestampMs,
    /// The database.
    pub store: Option<StoreSample>,
    /// The ledger as the Sui node shows it; `None` if the node does not answer.
    pub ledger: Option<LedgerSample>,
    /// The current epoch.
    pub epoch: Option<EpochInfo>,
    /// The contract's charge for sampling consensus, from this sample or the last that had it.
    pub sampling_charge: Option<Permille>,
}

/// What the database holds.
#[derive(Clone, Debug)]
pub struct StoreSample {
    /// The operator's nodes.
    pub nodes: Vec<OperatorNode>,
    /// The sums.
    pub figures: StoreFigures,
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

/// The last sample. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sampler {
    last: Arc<Mutex<Option<Arc<Sample>>>>,
}

impl Sampler {
    /// The daemon in numbers. Concurrent callers share one sample.
    pub(crate) async fn measure(
        &self,
        ports: &Ports,
        engine: &Engine,
        applied: &Applied,
    ) -> Measurements {
        let sample = self.sample(ports, applied).await;
        Measurements {
            engine: engine.figures(),
            limits: engine.limits().await.ok(),
            covered: applied.progress().covered,
            sample,
            now: ports.clock.now(),
        }
    }

    async fn sample(&self, ports: &Ports, applied: &Applied) -> Arc<Sample> {
        let mut last = self.last.lock().await;
        let now = ports.clock.now();
        if let Some(sample) = last.as_ref() {
            // One from the future is not recent: the clock was set back.
            let age = now.get().checked_sub(sample.at.get());
            if age.is_some_and(|age| age < SAMPLE_MS) {
                return Arc::clone(sample);
            }
        }
        let charge = last.as_ref().and_then(|sample| sample.sampling_charge);
        let sample = Arc::new(read(ports, applied, now, charge).await);
        *last = Some(Arc::clone(&sample));
        sample
    }
}

async fn read(
    ports: &Ports,
    applied: &Applied,
    now: TimestampMs,
    known_charge: Option<Permille>,
) -> Sample {
    let (ledger, epoch, charge, progress) = tokio::join!(
        patiently(read_ledger(ports, applied)),
        patiently(async { ports.chain.epoch().await.ok() }),
        patiently(read_charge(ports)),
        ports.events.progress(),
    );
    let mirrored = progress.ok().and_then(|progress| progress.epoch);
    let current = epoch.map(|info| info.epoch).or(mirrored);
    let store = match read_store(ports, current.unwrap_or_default()).await {
        Ok(store) => Some(store),
        Err(error) => {
            debug!(
                error = with_causes(&error),
                "can't read the database for metrics"
            );
            None
        }
    };
    Sample {
        at: now,
        store,
        ledger,
        epoch,
        sampling_charge: charge.or(known_charge),
    }
}

async fn patiently<T>(read: impl Future<Output = Option<T>>) -> Option<T> {
    tokio::time::timeout(PATIENCE, read).await.ok().flatten()
}

async fn read_store(ports: &Ports, epoch: Epoch) -> Result<StoreSample, StoreError> {
    let nodes = ports.state.operator_nodes().await?;
    let ids: Vec<_> = nodes.iter().map(|node| node.node_small_id).collect();
    let figures = ports.figures.figures(&ids, epoch).await?;
    Ok(StoreSample { nodes, figures })
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
