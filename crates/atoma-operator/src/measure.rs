//! The daemon in numbers, for metrics.
//!
//! What needs the database or the Sui node is read at most once in [`SAMPLE_MS`], however often it is asked for,
//! and a node that doesn't answer delays nothing but its own figures.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atoma_domain::model::{OperatorNode, StoreFigures};
use atoma_domain::ports::{EpochInfo, StoreError, ViewQuery};
use atoma_domain::{CheckpointNumber, Permille, TimestampMs, with_causes};
use tokio::sync::watch;
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
        let mut taking = self.latest(ports, engine, applied, now);
        let taken = taking.wait_for(Option::is_some).await;
        let sample = taken.ok().and_then(|sample| sample.clone());
        Measurements {
            engine: engine.figures(),
            limits: engine.limits().await.ok(),
            covered: applied.progress().covered,
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
    ) -> watch::Receiver<Option<Arc<Sample>>> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = latest.as_ref() {
            // One from the future is not recent: the clock was set back.
            let age = now.get().checked_sub(taken.at.get());
            let is_recent = age.is_some_and(|age| age < SAMPLE_MS);
            // A database that hangs is asked once.
            if taken.is_under_way() || is_recent && taken.sample.borrow().is_some() {
                return taken.sample.clone();
            }
        }
        let before = latest
            .as_ref()
            .and_then(|taken| taken.sample.borrow().clone());
        let (ports, applied) = (ports.clone(), applied.clone());
        let (taken, sample) = watch::channel(None);
        engine.spawn_until_stopped(async move {
            let sample = read(&ports, &applied, now, before.as_deref()).await;
            taken.send_replace(Some(Arc::new(sample)));
        });
        *latest = Some(Taken {
            at: now,
            sample: sample.clone(),
        });
        sample
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
mod tests {
    use async_trait::async_trait;
    use atoma_domain::ports::{ChainEvents as _, Figures};
    use atoma_domain::{Address, Epoch, NodeSmallId};
    use atoma_state::SqliteState;
    use tokio::sync::{Semaphore, mpsc};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::engine::EngineConfig;
    use crate::engine::testing::ledger::{FakeChain, FakeLedger};
    use crate::engine::testing::{SetClock, ports};

    /// Longer than anything here takes.
    const BOUND: Duration = Duration::from_secs(5);

    /// Figures that are read while the gate is open; says when that began, ended or was given up.
    #[derive(Debug)]
    struct Gated {
        gate: Semaphore,
        log: mpsc::UnboundedSender<&'static str>,
    }

    struct GivenUp<'a>(Option<&'a Gated>);

    impl Drop for GivenUp<'_> {
        fn drop(&mut self) {
            if let Some(gated) = self.0 {
                let _ = gated.log.send("given up");
            }
        }
    }

    #[async_trait]
    impl Figures for Gated {
        async fn figures(&self, _: &[NodeSmallId], _: Epoch) -> Result<StoreFigures, StoreError> {
            let mut guard = GivenUp(Some(self));
            self.log.send("began").unwrap();
            self.gate.acquire().await.unwrap().forget();
            guard.0 = None;
            self.log.send("ended").unwrap();
            Ok(StoreFigures::default())
        }
    }

    /// A sampler whose reading of the database is under way, and whose only caller has left.
    struct Left {
        engine: Engine,
        stopping: CancellationToken,
        gated: Arc<Gated>,
        logged: mpsc::UnboundedReceiver<&'static str>,
        _sampler: Sampler,
    }

    async fn left() -> Left {
        let chain = Arc::new(FakeChain(Mutex::new(FakeLedger::default())));
        let (log, mut logged) = mpsc::unbounded_channel();
        let gate = Semaphore::new(0);
        let gated = Arc::new(Gated { gate, log });
        let ports = Ports {
            figures: gated.clone(),
            ..ports(chain).await
        };
        let stopping = CancellationToken::new();
        let engine = Engine::new(ports.clone(), EngineConfig::default(), stopping.clone());
        let (sampler, applied) = (Sampler::default(), Applied::default());
        tokio::select! {
            _ = sampler.measure(&ports, &engine, &applied) => panic!("the gate is closed"),
            began = logged.recv() => assert_eq!(began, Some("began")),
        }
        Left {
            engine,
            stopping,
            gated,
            logged,
            _sampler: sampler,
        }
    }

    /// It holds a snapshot of the database, which must not wait for the next scrape.
    #[tokio::test]
    async fn a_reading_ends_although_its_caller_has_left() {
        let mut left = left().await;
        left.gated.gate.add_permits(1);
        let ended = tokio::time::timeout(BOUND, left.logged.recv()).await;
        assert_eq!(ended.unwrap(), Some("ended"));
    }

    /// Otherwise the database could not be closed.
    #[tokio::test]
    async fn a_reading_that_hangs_ends_when_the_daemon_stops() {
        let mut left = left().await;
        left.stopping.cancel();
        left.engine.stopped().await;
        assert_eq!(left.logged.try_recv(), Ok("given up"));
    }

    /// A lane keeps its name while the database can't be read: another name would be another series.
    #[tokio::test]
    async fn the_nodes_stay_known_while_the_database_can_not_be_read() {
        let chain = Arc::new(FakeChain(Mutex::new(FakeLedger::default())));
        let clock = Arc::new(SetClock::default());
        let state = SqliteState::open_temporary().await.unwrap();
        let node = OperatorNode {
            node_small_id: NodeSmallId::new(7),
            node_badge_id: Address::new([7; 32]),
            address: Address::new([9; 32]),
        };
        state
            .set_operator_nodes(node.address, &[node])
            .await
            .unwrap();
        let ports = Ports {
            clock: clock.clone(),
            ..ports(chain).await.over_database(state.clone())
        };
        let stopping = CancellationToken::new();
        let engine = Engine::new(ports.clone(), EngineConfig::default(), stopping);
        let (sampler, applied) = (Sampler::default(), Applied::default());
        let measured = async |now| {
            clock.set(TimestampMs::new(now));
            sampler.measure(&ports, &engine, &applied).await.sample
        };
        let sample = measured(50_000).await;
        assert_eq!(
            (&sample.nodes[..], sample.store.is_some()),
            (&[node][..], true)
        );
        state.close().await;
        for now in [60_000, 70_000] {
            let sample = measured(now).await;
            assert_eq!(
                (&sample.nodes[..], sample.store.is_some()),
                (&[node][..], false)
            );
        }
    }

    /// However often it is asked for, the database and the node are read once in ten seconds.
    #[tokio::test]
    async fn a_sample_counts_for_ten_seconds() {
        let chain = Arc::new(FakeChain(Mutex::new(FakeLedger::default())));
        let clock = Arc::new(SetClock::default());
        let ports = Ports {
            clock: clock.clone(),
            ..ports(chain.clone()).await
        };
        let engine = Engine::new(
            ports.clone(),
            EngineConfig::default(),
            CancellationToken::new(),
        );
        let (sampler, applied) = (Sampler::default(), Applied::default());
        let epoch_at = async |now, epoch| {
            clock.set(TimestampMs::new(now));
            chain.0.lock().unwrap().epoch = epoch;
            let measured = sampler.measure(&ports, &engine, &applied).await;
            measured.sample.epoch.map(|info| info.epoch.get())
        };
        let later = Some(Epoch::new(4));
        assert_eq!(epoch_at(50_000, Some(Epoch::new(3))).await, Some(3));
        assert_eq!(epoch_at(59_999, later).await, Some(3));
        assert_eq!(epoch_at(60_000, later).await, Some(4));
        // The clock was set back.
        assert_eq!(epoch_at(1_000, Some(Epoch::new(5))).await, Some(5));
        // A node that does not answer costs its own figures only.
        assert_eq!(epoch_at(20_000, None).await, None);
        let measured = sampler.measure(&ports, &engine, &applied).await;
        assert!(measured.sample.store.is_some());
    }
}
