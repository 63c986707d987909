//! The cost of a lane's write to the journal: the outcome of one attempt together with the next
//! attempt, durable when it returns. The baseline is the smallest durable write of SQLite.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't be set up has nothing to measure"
)]

mod support;

use atoma_domain::journal::{
    Action, Actor, Attempt, AttemptOutcome, Conclusion, GasOptions, NewIntent, Receipt,
};
use atoma_domain::ports::{Journal, Opened, SignedTransaction};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, IntentId, Mist, NodeSmallId, ObjectReference,
    StackSmallId, TimestampMs,
};
use atoma_state::{SqliteState, StateOptions};
use divan::Bencher;
use support::{baseline, runtime};

fn main() {
    divan::main();
}

/// How many writes are measured.
const STEPS: u32 = 500;

const NOW: TimestampMs = TimestampMs::new(1);

/// An intent that needs no stack in the mirror.
fn new_intent(number: u64) -> NewIntent {
    NewIntent {
        action: Action::ClaimStack {
            stack_small_id: StackSmallId::new(number),
        },
        actor: Actor::Node {
            node_small_id: NodeSmallId::new(1),
            node_badge_id: Address::ZERO,
            address: Address::ZERO,
        },
        gas: GasOptions::default(),
    }
}

/// An attempt of a settlement's size, which uses the badge and one coin at the next version.
fn attempt(id: IntentId) -> Attempt {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&id.get().to_le_bytes());
    let version = |object| ObjectReference::new(Address::new([object; 32]), id.get(), Digest::ZERO);
    Attempt {
        intents: vec![id],
        transaction: SignedTransaction {
            bytes: vec![7; 700],
            digest: Digest::new(digest),
            signatures: vec![vec![7; 97]],
        },
        expires_after: Epoch::new(1),
        badge: Some(version(1)),
        gas: vec![version(2)],
        gas_budget: Mist::new(1),
    }
}

fn succeeded(digest: Digest) -> Conclusion {
    let receipt = Receipt {
        gas_used: Mist::new(1),
        gas_returned: Mist::ZERO,
        effects: vec![7; 1_000],
        checkpoint: Some(CheckpointNumber::new(1)),
        registered_badge: None,
    };
    Conclusion {
        digest,
        outcome: AttemptOutcome::Succeeded { receipt },
    }
}

/// Measures writes, each with the outcome of the attempt before.
fn steps(bencher: Bencher<'_, '_>, is_durable: bool) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let (store, mut attempts) = runtime.block_on(async {
        let options = StateOptions::default();
        let store = match is_durable {
            true => SqliteState::open(&path, options).await.unwrap(),
            false => SqliteState::open_undurable(&path, options).await.unwrap(),
        };
        let wanted: Vec<_> = (0..=u64::from(STEPS)).map(new_intent).collect();
        let opened = store.open(&wanted, None, NOW).await.unwrap();
        let attempts: Vec<_> = opened
            .into_iter()
            .filter_map(|opened| match opened {
                Opened::New(intent) => Some(attempt(intent.id)),
                _ => None,
            })
            .collect();
        (store, attempts.into_iter())
    });
    let first = attempts.next().unwrap();
    runtime
        .block_on(store.record_attempt(&first, None, NOW))
        .unwrap();
    let mut previous = first.digest();
    bencher.bench_local(|| {
        let next = attempts.next().unwrap();
        let done = succeeded(previous);
        let written = store.record_attempt(&next, Some(&done), NOW);
        runtime.block_on(written).unwrap();
        previous = next.digest();
    });
}

#[divan::bench(sample_count = STEPS, sample_size = 1)]
fn step(bencher: Bencher<'_, '_>) {
    steps(bencher, true);
}

#[divan::bench(sample_count = STEPS, sample_size = 1)]
fn step_without_fsync(bencher: Bencher<'_, '_>) {
    steps(bencher, false);
}

/// The baseline: a row with one number, durable.
#[divan::bench(sample_count = STEPS, sample_size = 1)]
fn smallest_write(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let table = "CREATE TABLE numbers (number INTEGER)";
    let mut connection = runtime.block_on(baseline(folder.path(), table));
    bencher.bench_local(|| {
        let insert = sqlx::query("INSERT INTO numbers VALUES (1)");
        runtime.block_on(insert.execute(&mut connection)).unwrap()
    });
}
