//! Pages of stacks among 80,000 served ones (`ATOMA_LISTS_STACKS` sets another number), as the store reads them. The baselines are a page of one stack, and
//! the columns of a page that sqlx hands over row by row, without making stacks of them.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't be set up has nothing to measure"
)]

use std::sync::LazyLock;

use atoma_domain::events::StackCreated;
use atoma_domain::model::NewMessage;
use atoma_domain::ports::{
    ChainEvents, EventCursor, LedgerFrame, LedgerPosition, LedgerTransaction, Page, ServedWork,
    StackFilter, StateReader,
};
use atoma_domain::{
    Address, CheckpointNumber, ComputeUnits, Digest, Epoch, Hash32, NodeSmallId, PricePerMillion,
    StackSmallId, TaskSmallId, TimestampMs,
};
use atoma_state::{SqliteState, StateOptions};
use divan::Bencher;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

fn main() {
    divan::main();
}

/// How many stacks there are.
static STACKS: LazyLock<u64> = LazyLock::new(|| {
    let setting = std::env::var("ATOMA_LISTS_STACKS").ok();
    setting.map_or(80_000, |value| value.parse().unwrap())
});
const NODE: NodeSmallId = NodeSmallId::new(1);

fn bought(id: u64) -> LedgerFrame {
    let event = StackCreated {
        stack_id: Address::ZERO,
        stack_small_id: StackSmallId::new(id),
        owner: Address::ZERO,
        task_small_id: TaskSmallId::new(1),
        selected_node_id: NODE,
        num_compute_units: ComputeUnits::new(1_000),
        price_per_one_million_compute_units: PricePerMillion::new(1),
    };
    LedgerFrame {
        transaction: Some(LedgerTransaction {
            digest: Digest::ZERO,
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

/// A store whose stacks are 97 % computed, and every two-thousandth 99 %.
static STORE: LazyLock<(Runtime, SqliteState, TempDir)> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(async {
        let path = folder.path().join("state.sqlite");
        let opened = SqliteState::open_undurable(path, StateOptions::default()).await;
        let store = opened.unwrap();
        let ids: Vec<u64> = (1..=*STACKS).collect();
        for ids in ids.chunks(1_000) {
            let frames: Vec<_> = ids.iter().copied().map(bought).collect();
            store.apply(&frames, Address::ZERO).await.unwrap();
        }
        for id in ids {
            let units = if id % 2_000 == 0 { 990 } else { 970 };
            let (stack, hash) = (StackSmallId::new(id), Hash32::of(&[&id.to_le_bytes()]));
            let message =
                NewMessage::new(stack, hash, ComputeUnits::new(units), TimestampMs::new(1));
            store.record_message(&message).await.unwrap();
        }
        store
    });
    (runtime, store, folder)
});

fn page(bencher: Bencher<'_, '_>, filled_beyond: Option<f64>, limit: u32) {
    let (runtime, store, _) = &*STORE;
    let filter = StackFilter {
        nodes: &[NODE],
        filled_beyond,
    };
    let read = || {
        runtime
            .block_on(store.stacks(filter, Page::first(limit)))
            .unwrap()
    };
    read();
    bencher.bench(read);
}

#[divan::bench(args = [1, 100, 1_000])]
fn stacks(bencher: Bencher<'_, '_>, limit: u32) {
    page(bencher, None, limit);
}

#[divan::bench(args = [100, 1_000])]
fn rows_of_stacks(bencher: Bencher<'_, '_>, limit: u32) {
    let (runtime, _, folder) = &*STORE;
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("state.sqlite"))
        .read_only(true);
    let mut connection = runtime
        .block_on(SqliteConnection::connect_with(&options))
        .unwrap();
    bencher.bench_local(|| {
        let query = sqlx::query(
            "SELECT s.*, w.computed_units, w.reserved_units, w.is_frozen, w.messages, w.merkle_root, \
             t.is_claimed AS is_paid FROM stacks s \
             LEFT JOIN work_records w \
             ON w.stack_small_id = s.stack_small_id AND w.node_small_id = s.selected_node_id \
             LEFT JOIN settlements t ON t.stack_small_id = s.stack_small_id \
             WHERE s.selected_node_id = $1 ORDER BY s.stack_small_id LIMIT $2",
        );
        let node = NODE.get().to_be_bytes().to_vec();
        let rows = query.bind(node).bind(limit).fetch_all(&mut connection);
        runtime.block_on(rows).unwrap()
    });
}

/// All of them match.
#[divan::bench(args = [100, 1_000])]
fn filled_beyond_95_percent(bencher: Bencher<'_, '_>, limit: u32) {
    page(bencher, Some(0.95), limit);
}

/// Forty match.
#[divan::bench(args = [1_000])]
fn filled_beyond_98_percent(bencher: Bencher<'_, '_>, limit: u32) {
    page(bencher, Some(0.98), limit);
}
