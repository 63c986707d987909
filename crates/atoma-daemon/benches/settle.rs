//! Settling 30 stacks of one badge on a network with real delays: the engine against the way that
//! reads everything anew before each transaction and waits for a checkpoint after it.
//!
//! `cargo bench -p atoma-daemon --bench settle`: one run each, about half a minute.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark may stop where it can't go on"
)]

mod support;

use std::time::Duration;

use atoma_domain::contract::{ContractCall, drawable_attesters};
use atoma_domain::journal::GasOptions;
use atoma_domain::ports::{SimulatedGas, SubscriberQuery, TransactionPlan, ViewQuery};
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{Mist, NodeSmallId, StackSmallId};
use atoma_operator::{NodeChoice, Ports, StackStatus};
use support::{World, runtime};

const STACKS: u32 = 30;
const CONSENSUS_MS: u64 = 300;
const RPC_MS: u64 = 20;
const CHECKPOINT_MS: u64 = 250;

fn main() {
    let floor = Duration::from_millis(CONSENSUS_MS + RPC_MS) * STACKS;
    divan::main();
    #[expect(clippy::print_stdout, reason = "the figure to compare with")]
    {
        println!("floor: {STACKS} × ({CONSENSUS_MS} + {RPC_MS}) ms = {floor:?}");
    }
}

/// The daemon's engine.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn engine(bencher: divan::Bencher<'_, '_>) {
    let runtime = runtime();
    bencher
        .with_inputs(|| prepared(&runtime))
        .bench_values(|(world, stacks)| {
            let results = runtime
                .block_on(world.daemon.operator().settle(
                    &stacks,
                    None,
                    NodeChoice::default(),
                    GasOptions::default(),
                ))
                .unwrap();
            assert!(results.iter().all(|r| r.status == StackStatus::Succeeded));
            world
        });
}

/// Reads, simulates, sends and waits for the checkpoint, stack by stack.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn baseline(bencher: divan::Bencher<'_, '_>) {
    let runtime = runtime();
    bencher
        .with_inputs(|| prepared(&runtime))
        .bench_values(|(world, stacks)| {
            let ports = world.daemon.operator().ports().clone();
            for stack in stacks {
                runtime.block_on(settle_reading_everything(&ports, stack, world.node()));
            }
            world
        });
}

fn prepared(runtime: &tokio::runtime::Runtime) -> (World, Vec<StackSmallId>) {
    runtime.block_on(async {
        let world = World::start(CONSENSUS_MS, RPC_MS, CHECKPOINT_MS).await;
        let stacks = world
            .stacks_with_work(world.node(), u64::from(STACKS))
            .await;
        (world, stacks)
    })
}

async fn settle_reading_everything(ports: &Ports, stack: StackSmallId, node: NodeSmallId) {
    let owner = ports.signer.address();
    let badges = ports.chain.badges(owner).await.unwrap();
    let badge = badges
        .iter()
        .find(|badge| badge.node_small_id == node)
        .unwrap();
    let coins = ports.chain.gas_coins(owner).await.unwrap();
    let known = ports.state.stacks_by_id(&[stack]).await.unwrap().remove(0);
    let inputs = ports.state.settlement_inputs(stack).await.unwrap().unwrap();
    let view = ports
        .chain
        .view(&ViewQuery {
            subscribers: Some(SubscriberQuery {
                task: known.task_small_id,
                expected: inputs.subscribers,
            }),
            ..ViewQuery::default()
        })
        .await
        .unwrap();
    let drawable = drawable_attesters(
        view.subscribers.as_deref().unwrap(),
        known.price_per_one_million_compute_units,
        known.num_compute_units,
    );
    let extra_nodes = view.parameters.cross_validation_extra_nodes_count;
    let proof =
        SettlementProof::of_selected_node(&known.merkle_root.unwrap(), extra_nodes, drawable)
            .unwrap();
    let mut plan = TransactionPlan {
        split: Vec::new(),
        sender: owner,
        badge: Some(badge.reference.clone()),
        calls: vec![ContractCall::TrySettleStack {
            stack,
            claimed: known.already_computed_units,
            proof,
        }],
        gas: vec![coins[0].reference.clone()],
        gas_price: view.epoch.reference_gas_price,
        gas_budget: Mist::new(1_000_000_000),
        expires_after: view.epoch.epoch,
    };
    let simulated = ports
        .chain
        .simulate(&ports.chain.build(&plan).unwrap(), SimulatedGas::Ample)
        .await
        .unwrap();
    plan.gas_budget = Mist::new(simulated.gas_needed.get() * 5 / 4);
    let unsigned = ports.chain.build(&plan).unwrap();
    let signed = ports.signer.sign(unsigned).await.unwrap();
    let executed = ports.chain.execute(&signed).await.unwrap();
    // Each look costs a call's delay, which paces the loop.
    while ports
        .chain
        .lookup(executed.digest)
        .await
        .unwrap()
        .is_none_or(|found| found.checkpoint.is_none())
    {}
}
