//! Applying the ledger: the whole lives of stacks, one event in a transaction, in batches as they are read from a node. The
//! baseline applies each transaction by itself.
//!
//! `cargo bench -p atoma-state --bench events --features testing`.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't be set up has nothing to measure"
)]

use atoma_domain::events::{
    ContractEvent, NewStackSettlementAttestation, StackCreated, StackSettlementTicketClaimed,
    StackTrySettle,
};
use atoma_domain::ports::{
    ChainEvents, EventCursor, LedgerFrame, LedgerPosition, LedgerTransaction,
};
use atoma_domain::{
    Address, CheckpointNumber, ComputeUnits, Digest, Epoch, Hash32, MicroUsdc, NodeSmallId,
    PricePerMillion, StackSmallId, TaskSmallId, TimestampMs,
};
use atoma_state::{SqliteState, StateOptions};
use divan::Bencher;
use divan::counter::ItemsCount;
use tokio::runtime::Builder;

fn main() {
    divan::main();
}

/// Of which each has five events.
const STACKS: u64 = 4_000;
/// How many of these live at the same time.
const ALIVE: u64 = 400;
const NODE: NodeSmallId = NodeSmallId::new(1);

fn bought(stack: StackSmallId) -> ContractEvent {
    StackCreated {
        stack_id: Address::ZERO,
        stack_small_id: stack,
        owner: Address::ZERO,
        task_small_id: TaskSmallId::new(1),
        selected_node_id: NODE,
        num_compute_units: ComputeUnits::new(1_000),
        price_per_one_million_compute_units: PricePerMillion::new(1),
    }
    .into()
}

fn settled(stack: StackSmallId) -> ContractEvent {
    StackTrySettle {
        stack_small_id: stack,
        selected_node_id: NODE,
        requested_attestation_nodes: vec![NodeSmallId::new(2), NodeSmallId::new(3)],
        committed_stack_proof: Hash32::ZERO.into(),
        stack_merkle_leaf: Hash32::ZERO.into(),
        num_claimed_compute_units: ComputeUnits::new(900),
    }
    .into()
}

fn attested(stack: StackSmallId, by: u64) -> ContractEvent {
    NewStackSettlementAttestation {
        stack_small_id: stack,
        attestation_node_id: NodeSmallId::new(by),
        committed_stack_proof: Hash32::ZERO.into(),
        stack_merkle_leaf: Hash32::ZERO.into(),
    }
    .into()
}

fn claimed(stack: StackSmallId) -> ContractEvent {
    StackSettlementTicketClaimed {
        stack_small_id: stack,
        selected_node_id: NODE,
        attestation_nodes: Vec::new(),
        num_claimed_compute_units: ComputeUnits::new(900),
        user_refund_amount: MicroUsdc::ZERO,
    }
    .into()
}

fn frame(number: u64, event: ContractEvent) -> LedgerFrame {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_le_bytes());
    LedgerFrame {
        transaction: Some(LedgerTransaction {
            digest: Digest::new(digest),
            position: LedgerPosition {
                checkpoint: CheckpointNumber::new(number),
                index: 0,
            },
            timestamp: TimestampMs::new(1),
            epoch: Epoch::new(1),
            sender: Address::ZERO,
            events: vec![event],
            set_aside: Vec::new(),
            contract_version: None,
            unexplained: Vec::new(),
            balance_changes: None,
        }),
        cursor: EventCursor(vec![1].into()),
        covered: None,
    }
}

fn ledger() -> Vec<LedgerFrame> {
    let mut events = Vec::new();
    for first in (1..=STACKS).step_by(usize::try_from(ALIVE).unwrap()) {
        let stacks = || (first..first + ALIVE).map(StackSmallId::new);
        events.extend(stacks().map(bought));
        events.extend(stacks().map(settled));
        events.extend(stacks().flat_map(|stack| [attested(stack, 2), attested(stack, 3)]));
        events.extend(stacks().map(claimed));
    }
    (1..)
        .zip(events)
        .map(|(number, event)| frame(number, event))
        .collect()
}

#[divan::bench(args = [1, 100, 1_000], sample_count = 5, sample_size = 1)]
fn transactions_at_once(bencher: Bencher<'_, '_>, at_once: usize) {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().unwrap();
    let frames = ledger();
    bencher
        .counter(ItemsCount::new(frames.len()))
        .with_inputs(|| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state.sqlite");
            let opened = runtime.block_on(SqliteState::open(path, StateOptions::default()));
            (opened.unwrap(), folder)
        })
        .bench_local_refs(|(store, _)| {
            for batch in frames.chunks(at_once) {
                runtime.block_on(store.apply(batch, Address::ZERO)).unwrap();
            }
        });
}
