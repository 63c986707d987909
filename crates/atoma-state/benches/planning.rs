//! What the autopilot reads and decides at a look: 5,000 unpaid stacks among 80,000 (`ATOMA_LISTS_STACKS` sets another number;
//! the others are paid). The baseline is the list of as many stacks of the same node, as the API reads it.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't be set up has nothing to measure"
)]

use std::sync::LazyLock;

use atoma_domain::autopilot::{
    AutopilotPolicy, Circumstances, Duty, EpochWindow, GasEstimates, Moment, UnpaidStack,
    stack_duty, weigh,
};
use atoma_domain::events::{ClaimedStack, ContractEvent, StackCreated, TaskRegistered};
use atoma_domain::model::{NewMessage, Task};
use atoma_domain::ports::{
    AutopilotStore, ChainEvents, EventCursor, LedgerFrame, LedgerPosition, LedgerTransaction, Page,
    ServedWork, StackFilter, StateReader,
};
use atoma_domain::{
    Address, CheckpointNumber, ComputeUnits, Digest, Epoch, Hash32, MicroUsdc, Mist, NodeSmallId,
    Permille, PricePerMillion, SecurityLevel, StackSmallId, TaskRole, TaskSmallId, TimestampMs,
};
use atoma_state::{SqliteState, StateOptions};
use divan::Bencher;
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
/// How many of them are not paid.
const UNPAID: u64 = 5_000;
const NODE: NodeSmallId = NodeSmallId::new(1);
const TASK: TaskSmallId = TaskSmallId::new(1);

fn frame(id: u64, events: Vec<ContractEvent>) -> LedgerFrame {
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
            events,
            set_aside: Vec::new(),
            contract_version: None,
            unexplained: Vec::new(),
            balance_changes: None,
        }),
        cursor: EventCursor(vec![1].into()),
        covered: None,
    }
}

fn task() -> ContractEvent {
    TaskRegistered {
        task_id: Address::ZERO,
        task_small_id: TASK,
        role: TaskRole::new(0),
        model_name: None,
        security_level: SecurityLevel::CONFIDENTIAL_COMPUTE,
        minimum_reputation_score: None,
    }
    .into()
}

/// A stack that is bought, and paid unless it is one of the last.
fn stack(id: u64) -> LedgerFrame {
    let bought = StackCreated {
        stack_id: Address::ZERO,
        stack_small_id: StackSmallId::new(id),
        owner: Address::ZERO,
        task_small_id: TASK,
        selected_node_id: NODE,
        num_compute_units: ComputeUnits::new(1_000_000),
        price_per_one_million_compute_units: PricePerMillion::new(1_000_000),
    };
    let paid = ClaimedStack {
        stack_small_id: StackSmallId::new(id),
        selected_node_id: NODE,
        num_claimed_compute_units: ComputeUnits::new(1),
        user_refund_amount: MicroUsdc::ZERO,
    };
    let mut events = vec![bought.into()];
    if id + UNPAID <= *STACKS {
        events.push(paid.into());
    }
    frame(id, events)
}

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
        store
            .apply(&[frame(0, vec![task()])], Address::ZERO)
            .await
            .unwrap();
        let ids: Vec<u64> = (1..=*STACKS).collect();
        for ids in ids.chunks(1_000) {
            let frames: Vec<_> = ids.iter().copied().map(stack).collect();
            store.apply(&frames, Address::ZERO).await.unwrap();
        }
        for id in ids.into_iter().skip_while(|id| id + UNPAID <= *STACKS) {
            let (stack, hash) = (StackSmallId::new(id), Hash32::of(&[&id.to_le_bytes()]));
            let units = ComputeUnits::new(500_000 + id % 500_000);
            let message = NewMessage::new(stack, hash, units, TimestampMs::new(1));
            store.record_message(&message).await.unwrap();
        }
        store
    });
    (runtime, store, folder)
});

async fn read(store: &SqliteState) -> (Vec<UnpaidStack>, Task) {
    let unpaid = store
        .unpaid_stacks(NODE, Page::first(10_000))
        .await
        .unwrap();
    assert_eq!(u64::try_from(unpaid.len()).unwrap(), UNPAID);
    (unpaid, store.task(TASK).await.unwrap().unwrap())
}

fn decide(unpaid: &[UnpaidStack], task: &Task) -> Vec<Duty> {
    let policy = AutopilotPolicy::default();
    let window = EpochWindow {
        starts_at: TimestampMs::new(0),
        ends_at: TimestampMs::new(86_400_000),
    };
    let moment = Moment::new(TimestampMs::new(9), Epoch::new(1), Some(window));
    let at = Circumstances {
        policy: &policy,
        moment: &moment,
        own_nodes: &[NODE],
        charge: Permille::new(1_200),
        gas: GasEstimates {
            settle: Mist::new(5_000_000),
            claim_transaction: Mist::new(1_000_000),
            claim_stack: Mist::new(1_000_000),
        },
        balance: None,
        daily_cap: None,
    };
    let duties = unpaid
        .iter()
        .map(|stack| stack_duty(stack, Some(task), &at));
    let mut duties: Vec<_> = duties.collect();
    weigh(&mut duties, &at);
    duties
}

/// Reading the unpaid stacks and deciding what to do about them.
#[divan::bench]
fn plan(bencher: Bencher<'_, '_>) {
    let (runtime, store, _) = &*STORE;
    bencher.bench(|| {
        let (unpaid, task) = runtime.block_on(read(store));
        decide(&unpaid, &task)
    });
}

/// Deciding alone.
#[divan::bench]
fn decisions(bencher: Bencher<'_, '_>) {
    let (runtime, store, _) = &*STORE;
    let (unpaid, task) = runtime.block_on(read(store));
    bencher.bench(|| decide(&unpaid, &task));
}

/// The baseline.
#[divan::bench]
fn listed_stacks(bencher: Bencher<'_, '_>) {
    let (runtime, store, _) = &*STORE;
    let filter = StackFilter {
        nodes: &[NODE],
        filled_beyond: None,
    };
    bencher.bench(|| {
        let page = Page::first(5_000);
        runtime.block_on(store.stacks(filter, page)).unwrap()
    });
}
