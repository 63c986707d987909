//! What the cap on gas costs an attempt on a busy day: the running sum against adding up the journal.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't be set up has nothing to measure"
)]

use std::sync::LazyLock;

use atoma_domain::journal::{
    Action, Actor, Attempt, AttemptOutcome, Conclusion, GasOptions, NewIntent, Receipt,
};
use atoma_domain::ports::{Clock, Journal, Opened, SignedTransaction};
use atoma_domain::{
    Address, Digest, Epoch, IntentId, Mist, NodeSmallId, ObjectReference, StackSmallId, TimestampMs,
};
use atoma_operator::GasCap;
use atoma_state::{SqliteState, StateOptions};
use divan::Bencher;
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

/// The attempts of the last day.
const ATTEMPTS: u64 = 50_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// What one attempt may spend, and does.
const GAS: Mist = Mist::new(1_000_000);
const CAP: Mist = Mist::new(u64::MAX);

/// A clock at the end of the day that the journal holds.
#[derive(Debug)]
struct EndOfDay;

impl Clock for EndOfDay {
    fn now(&self) -> TimestampMs {
        TimestampMs::new(DAY_MS)
    }
}

struct BusyDay {
    runtime: Runtime,
    journal: SqliteState,
    _folder: TempDir,
}

static BUSY_DAY: LazyLock<BusyDay> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let journal = runtime.block_on(async {
        // How the day came into the file is not measured.
        let journal = SqliteState::open_undurable(&path, StateOptions::default()).await;
        let journal = journal.unwrap();
        fill(&journal).await;
        journal
    });
    BusyDay {
        runtime,
        journal,
        _folder: folder,
    }
});

/// Fills a journal with a day of attempts, each for one claim.
async fn fill(journal: &SqliteState) {
    let mut previous: Option<Conclusion> = None;
    for number in 0..ATTEMPTS {
        let now = TimestampMs::new(number * DAY_MS / ATTEMPTS);
        let opened = journal.open(&[claim(number)], None, now).await.unwrap();
        let [Opened::New(intent)] = opened.as_slice() else {
            unreachable!("each claim is new");
        };
        let next = attempt(intent.id);
        let recorded = journal.record_attempt(&next, previous.as_ref(), now).await;
        recorded.unwrap();
        previous = Some(succeeded(next.digest()));
    }
    let last = previous.unwrap();
    let end = TimestampMs::new(DAY_MS - 1);
    journal.conclude(&last, end).await.unwrap();
}

fn claim(number: u64) -> NewIntent {
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
        gas_budget: GAS,
    }
}

fn succeeded(digest: Digest) -> Conclusion {
    let receipt = Receipt {
        gas_used: GAS,
        gas_returned: Mist::ZERO,
        effects: vec![7; 1_000],
        checkpoint: None,
        registered_badge: None,
    };
    Conclusion {
        digest,
        outcome: AttemptOutcome::Succeeded { receipt },
    }
}

/// The baseline: before each attempt, add up the attempts of the last 24 hours from the journal.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn adding_up_the_journal(bencher: Bencher<'_, '_>) {
    let BusyDay {
        runtime, journal, ..
    } = &*BUSY_DAY;
    bencher.bench_local(|| {
        let since = TimestampMs::new(0);
        let spent = runtime.block_on(journal.gas_spent(since, EndOfDay.now()));
        let spent: u64 = spent.unwrap().iter().map(|spent| spent.gas.get()).sum();
        assert_eq!(spent, ATTEMPTS * GAS.get());
        spent + GAS.get() <= CAP.get()
    });
}

/// The running sum, which has read the journal once.
#[divan::bench(sample_count = 50, sample_size = 100)]
fn running_sum(bencher: Bencher<'_, '_>) {
    let BusyDay {
        runtime, journal, ..
    } = &*BUSY_DAY;
    let cap = GasCap::new(CAP);
    let spend = || runtime.block_on(cap.spend(GAS, journal, &EndOfDay));
    assert!(spend().unwrap());
    bencher.bench_local(|| assert!(spend().unwrap()));
}
