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

/// People look at the last sums rather than wait for new ones.
#[tokio::test]
async fn who_does_not_wait_sees_the_sample_before() {
    let chain = Arc::new(FakeChain(Mutex::new(FakeLedger::default())));
    let (log, mut logged) = mpsc::unbounded_channel();
    let gated = Arc::new(Gated {
        gate: Semaphore::new(1),
        log,
    });
    let clock = Arc::new(SetClock::default());
    let ports = Ports {
        figures: gated.clone(),
        clock: clock.clone(),
        ..ports(chain).await
    };
    let stopping = CancellationToken::new();
    let engine = Engine::new(ports.clone(), EngineConfig::default(), stopping);
    let (sampler, applied) = (Sampler::default(), Applied::default());
    let read_at = async |now| {
        clock.set(TimestampMs::new(now));
        let measured = sampler.measure_without_waiting(&ports, &engine, &applied);
        measured.await.sample.at.get()
    };
    // The first is waited for.
    assert_eq!(read_at(50_000).await, 50_000);
    assert_eq!(
        (logged.recv().await, logged.recv().await),
        (Some("began"), Some("ended"))
    );
    // The gate is closed: a new one is begun, once.
    assert_eq!(read_at(60_000).await, 50_000);
    assert_eq!(read_at(75_000).await, 50_000);
    assert_eq!(logged.recv().await, Some("began"));
    assert!(logged.try_recv().is_err());
    gated.gate.add_permits(1);
    let taken = sampler.measure(&ports, &engine, &applied).await;
    assert_eq!(taken.sample.at.get(), 60_000);
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
