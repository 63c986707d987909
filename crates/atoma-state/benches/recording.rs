//! Sixteen services that record messages at the same time, with what waits in one commit. The baseline commits each
//! message by itself. Then each message has a reservation first, and the ledger is applied meanwhile.
//!
//! `cargo bench -p atoma-state --bench recording --features testing`: about half a minute. The database is in a
//! temporary folder, so `TMPDIR` chooses the disk.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't be set up has nothing to measure"
)]
#![expect(clippy::print_stdout, reason = "it tells what it measured")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use atoma_domain::events::StackCreated;
use atoma_domain::model::{Lease, NewMessage, NewReservation, StackChoice};
use atoma_domain::ports::{
    ChainEvents, EventCursor, LedgerFrame, LedgerPosition, LedgerTransaction, ServedWork,
};
use atoma_domain::{
    Address, CheckpointNumber, ComputeUnits, Digest, Epoch, Hash32, NodeSmallId, PricePerMillion,
    StackSmallId, TaskSmallId, TimestampMs,
};
use atoma_state::{SqliteState, StateOptions};
use tokio::task::JoinSet;

const WRITERS: u64 = 16;
/// Stacks that are served.
const SERVED: u64 = 64;
const LENGTH: Duration = Duration::from_secs(4);
const UNITS: ComputeUnits = ComputeUnits::new(1);

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let engine = SqliteState::open(path, StateOptions::default())
        .await
        .unwrap();
    let frames: Vec<_> = (1..=SERVED).map(bought).collect();
    engine.apply(&frames, Address::ZERO).await.unwrap();
    let run = Run {
        groups: engine.for_served_work(),
        alone: engine.for_served_work().without_groups(),
        engine,
        next: Arc::default(),
    };
    for round in 1..=2 {
        println!("round {round}");
        let record = Kind::Record;
        run.services("one service", 1, record, &run.groups).await;
        let baseline = "baseline, one commit a message";
        run.services(baseline, WRITERS, record, &run.alone).await;
        run.services("in groups", WRITERS, record, &run.groups)
            .await;
        let reserved = Kind::ReserveAndRecord;
        run.services("baseline, reserved before", WRITERS, reserved, &run.alone)
            .await;
        run.services("reserved before", WRITERS, reserved, &run.groups)
            .await;
        for (pause, at_once) in [(0, 1_000), (0, 100), (10, 100)] {
            run.beside_the_ledger(Duration::from_millis(pause), at_once)
                .await;
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Record,
    ReserveAndRecord,
}

struct Run {
    engine: SqliteState,
    groups: SqliteState,
    alone: SqliteState,
    /// The number of the next message, and of the next purchase.
    next: Arc<[AtomicU64; 2]>,
}

impl Run {
    /// Services that record for a while, and how that went.
    async fn services(&self, what: &str, count: u64, kind: Kind, store: &SqliteState) {
        let is_over = Arc::<AtomicBool>::default();
        let services = self.start(count, kind, store, &is_over);
        tokio::time::sleep(LENGTH).await;
        is_over.store(true, Ordering::Relaxed);
        report(what, services).await;
    }

    /// The ledger alone, and beside sixteen services.
    async fn beside_the_ledger(&self, pause: Duration, at_once: usize) {
        let is_over = Arc::<AtomicBool>::default();
        let alone = self.ledger(pause, at_once, LENGTH).await;
        let services = self.start(WRITERS, Kind::Record, &self.groups, &is_over);
        let both = self.ledger(pause, at_once, LENGTH).await;
        is_over.store(true, Ordering::Relaxed);
        let what = format!(
            "beside the ledger ({at_once} events at once, pauses of {} ms: {alone:.0} events a second alone, {both:.0} \
             beside)",
            pause.as_millis()
        );
        report(&what, services).await;
    }

    fn start(
        &self,
        count: u64,
        kind: Kind,
        store: &SqliteState,
        is_over: &Arc<AtomicBool>,
    ) -> JoinSet<Vec<Duration>> {
        let mut services = JoinSet::new();
        for _ in 0..count {
            let (store, is_over) = (store.clone(), Arc::clone(is_over));
            let next = Arc::clone(&self.next);
            services.spawn(async move {
                let mut took = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let number = next[0].fetch_add(1, Ordering::Relaxed);
                    let begun = Instant::now();
                    serve(&store, kind, number).await;
                    took.push(begun.elapsed());
                }
                took
            });
        }
        services
    }

    /// Applies purchases for so long, and returns how many in a second.
    async fn ledger(&self, pause: Duration, at_once: usize, length: Duration) -> f64 {
        let begun = Instant::now();
        let mut events = 0_u32;
        while begun.elapsed() < length {
            let first = self.next[1].fetch_add(1, Ordering::Relaxed);
            let count = u64::try_from(at_once).unwrap();
            let first = SERVED + 1 + first * 1_000;
            let frames: Vec<_> = (first..first + count).map(bought).collect();
            self.engine.apply(&frames, Address::ZERO).await.unwrap();
            events += u32::try_from(at_once).unwrap();
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
        f64::from(events) / begun.elapsed().as_secs_f64()
    }
}

async fn serve(store: &SqliteState, kind: Kind, number: u64) {
    let stack = StackSmallId::new(1 + number % SERVED);
    let now = TimestampMs::new(1);
    let reservation = match kind {
        Kind::Record => None,
        Kind::ReserveAndRecord => {
            let wanted = NewReservation {
                owner: Address::ZERO,
                stack: StackChoice::Stack(stack),
                num_compute_units: UNITS,
                holder: None,
                lease: Lease::default(),
                request: None,
            };
            Some(store.reserve_units(&wanted, now).await.unwrap().id)
        }
    };
    let hash = Hash32::of(&[&number.to_le_bytes()]);
    let message = NewMessage {
        reservation,
        id: Some(format!("message-{number}").parse().unwrap()),
        ..NewMessage::new(stack, hash, UNITS, now)
    };
    store.record_message(&message).await.unwrap();
}

async fn report(what: &str, services: JoinSet<Vec<Duration>>) {
    let mut took: Vec<Duration> = services.join_all().await.into_iter().flatten().collect();
    took.sort();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    let a_second = u32::try_from(took.len()).unwrap();
    println!(
        "{what}: {:.0} messages a second, p50 {:.2?}, p99 {:.2?}, slowest {:.2?}",
        f64::from(a_second) / LENGTH.as_secs_f64(),
        at(50),
        at(99),
        at(100)
    );
}

fn bought(id: u64) -> LedgerFrame {
    let event = StackCreated {
        stack_id: Address::ZERO,
        stack_small_id: StackSmallId::new(id),
        owner: Address::ZERO,
        task_small_id: TaskSmallId::new(1),
        selected_node_id: NodeSmallId::new(1),
        num_compute_units: ComputeUnits::new(u64::MAX),
        price_per_one_million_compute_units: PricePerMillion::new(1),
    };
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&id.to_le_bytes());
    LedgerFrame {
        transaction: Some(LedgerTransaction {
            digest: Digest::new(digest),
            position: LedgerPosition {
                checkpoint: CheckpointNumber::new(id),
                index: 0,
            },
            timestamp: TimestampMs::new(1),
            epoch: Epoch::new(1),
            sender: Address::ZERO,
            events: vec![event.into()],
            set_aside: Vec::new(),
            contract_version: None,
            unexplained: Vec::new(),
            balance_changes: None,
        }),
        cursor: EventCursor(vec![1].into()),
        covered: None,
    }
}
