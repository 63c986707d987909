//! Recording one more message of a long stack, compared with a column that holds all hashes.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't be set up has nothing to measure"
)]

mod support;

use atoma_domain::events::StackCreated;
use atoma_domain::model::{Fill, NewMessage};
use atoma_domain::ports::{
    ChainEvents, EventCursor, LedgerFrame, LedgerPosition, LedgerTransaction, ServedWork,
};
use atoma_domain::settlement::StackAccumulator;
use atoma_domain::{
    Address, CheckpointNumber, ComputeUnits, Digest, Epoch, Hash32, NodeSmallId, PricePerMillion,
    StackSmallId, TaskSmallId, TimestampMs,
};
use atoma_state::{SqliteState, StateOptions};
use divan::Bencher;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use support::{baseline, runtime};
use tempfile::TempDir;

fn main() {
    divan::main();
}

const LENGTHS: [u64; 2] = [1_000, 1_000_000];

const STACK: StackSmallId = StackSmallId::new(1);

fn hash(number: u64) -> Hash32 {
    Hash32::of(&[&number.to_le_bytes()])
}

fn bought() -> LedgerFrame {
    let event = StackCreated {
        stack_id: Address::ZERO,
        stack_small_id: STACK,
        owner: Address::ZERO,
        task_small_id: TaskSmallId::new(1),
        selected_node_id: NodeSmallId::new(1),
        num_compute_units: ComputeUnits::new(u64::MAX),
        price_per_one_million_compute_units: PricePerMillion::new(1),
    };
    LedgerFrame {
        transaction: Some(LedgerTransaction {
            digest: Digest::ZERO,
            position: LedgerPosition {
                checkpoint: CheckpointNumber::new(1),
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

/// A store whose stack has that many messages, inserted directly: recording them one by one would take
/// minutes of `fsync`.
async fn store(folder: &TempDir, messages: u64) -> SqliteState {
    let path = folder.path().join("state.sqlite");
    let store = SqliteState::open(&path, StateOptions::default())
        .await
        .unwrap();
    store.apply(&[bought()], Address::ZERO).await.unwrap();
    let mut accumulator = StackAccumulator::new();
    for number in 0..messages {
        accumulator.append(hash(number)).unwrap();
    }
    let peaks: Vec<u8> = accumulator
        .peaks()
        .iter()
        .flat_map(|hash| *hash.as_bytes())
        .collect();
    let fill = Fill::of(ComputeUnits::new(messages), ComputeUnits::new(u64::MAX));
    let options = SqliteConnectOptions::new().filename(&path);
    let mut raw = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(
        "INSERT INTO work_records (stack_small_id, node_small_id, messages, peaks, merkle_root, \
         computed_units, reserved_units, fill, fill_level) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?3, zeroblob(8), ?6, '0')",
    )
    .bind(STACK.get().to_be_bytes().to_vec())
    .bind(1_u64.to_be_bytes().to_vec())
    .bind(messages.to_be_bytes().to_vec())
    .bind(peaks)
    .bind(accumulator.root().unwrap().as_bytes().to_vec())
    .bind(fill.get().to_be_bytes().to_vec())
    .execute(&mut raw)
    .await
    .unwrap();
    raw.close().await.unwrap();
    store
}

/// One message through the store, durable when it returns.
#[divan::bench(args = LENGTHS)]
fn record_message(bencher: Bencher<'_, '_>, length: u64) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(store(&folder, length));
    let units = ComputeUnits::new(1);
    let message = NewMessage::new(STACK, hash(length), units, TimestampMs::new(1));
    bencher.bench_local(|| runtime.block_on(store.record_message(&message)).unwrap());
}

/// The baseline: each message is appended to a column with all hashes of the stack.
#[divan::bench(args = LENGTHS, sample_count = 10, sample_size = 1)]
fn append_to_all_hashes(bencher: Bencher<'_, '_>, length: u64) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let table = "CREATE TABLE stacks (id INTEGER PRIMARY KEY, hashes BLOB NOT NULL)";
    let mut connection = runtime.block_on(async {
        let mut connection = baseline(folder.path(), table).await;
        sqlx::query("INSERT INTO stacks VALUES (1, zeroblob(?))")
            .bind(i64::try_from(length * 32).unwrap())
            .execute(&mut connection)
            .await
            .unwrap();
        connection
    });
    let message = hash(length);
    bencher.bench_local(|| {
        let append = sqlx::query("UPDATE stacks SET hashes = CAST(hashes || ? AS BLOB)")
            .bind(message.as_bytes().as_slice());
        runtime.block_on(append.execute(&mut connection)).unwrap()
    });
}
