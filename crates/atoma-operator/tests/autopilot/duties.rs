//! Each duty, from when it waits to when it is done.

use std::collections::BTreeSet;

use atoma_domain::autopilot::{AutopilotPolicy, PauseScope};
use atoma_domain::journal::GasOptions;
use atoma_domain::model::{Lease, NewReservation, StackChoice};
use atoma_domain::ports::{Journal as _, JournalFilter, Page, StateReader as _};
use atoma_domain::{MicroUsdc, Mist, StackSmallId};

use crate::site::{KEYS, Site};
use crate::world::{HOUR_MS, UNITS, World};

/// Gas that costs next to nothing, so that small stacks pay.
pub(crate) fn policy() -> AutopilotPolicy {
    let mut policy = AutopilotPolicy::default();
    policy.gas.sui_price = MicroUsdc::new(1_000);
    policy.gas.reserve = Mist::new(0);
    policy
}

async fn is_claimed(site: &Site, stack: StackSmallId) -> bool {
    let stacks = site.state.stacks_by_id(&[stack]).await.unwrap();
    stacks[0].is_claimed
}

#[tokio::test]
async fn a_stack_is_settled_and_claimed_without_anybody() {
    let world = World::start(1).await;
    let task = world.task(0);
    let mut site = Site::start(&world, KEYS[0], 1, &[task], policy()).await;
    let node = site.nodes[0];
    let [stack] = world.buy(task, node, 1)[..] else {
        panic!("one stack was bought");
    };
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["settle waiting first_message"]);
    site.serve(stack, node, UNITS / 2, 1).await;
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["settle waiting more_messages"]);
    site.serve(stack, node, UNITS / 2, 2).await;
    assert_eq!(site.duties(stack).await, ["settle due filled"]);
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["claim waiting claimable_epoch"]);
    world.end_epoch();
    assert_eq!(site.duties(stack).await, ["claim due pays"]);
    site.step(&world).await;
    assert!(is_claimed(&site, stack).await);
    assert_eq!(site.duties(stack).await, [""; 0]);
    site.node.stop().await.unwrap();
}

#[tokio::test]
async fn an_idle_stack_is_settled_after_a_day() {
    let world = World::start(2).await;
    let task = world.task(0);
    let mut site = Site::start(&world, KEYS[0], 1, &[task], policy()).await;
    let node = site.nodes[0];
    let stack = world.buy(task, node, 1)[0];
    site.mirrored(&world).await;
    site.serve(stack, node, 1_000, 1).await;
    // A clock that is days ahead is not believed: the epoch is a day long.
    world.pass(23 * HOUR_MS);
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["settle waiting more_messages"]);
    world.end_epoch();
    world.pass(2 * HOUR_MS);
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["claim waiting claimable_epoch"]);
    site.node.stop().await.unwrap();
}

#[tokio::test]
async fn a_confidential_stack_is_claimed_without_a_settlement() {
    let world = World::start(3).await;
    let task = world.task(1);
    let mut site = Site::start(&world, KEYS[0], 1, &[task], policy()).await;
    let node = site.nodes[0];
    let stack = world.buy(task, node, 1)[0];
    site.mirrored(&world).await;
    site.serve(stack, node, UNITS, 1).await;
    assert_eq!(site.duties(stack).await, ["claim due filled"]);
    site.step(&world).await;
    assert!(is_claimed(&site, stack).await);
    site.node.stop().await.unwrap();
}

/// An operator whose first node has settled a stack, and whose second one is drawn to attest that.
pub(crate) async fn with_a_drawn_node(world: &World) -> (Site, StackSmallId) {
    let task = world.task(2);
    let mut site = Site::start(world, KEYS[0], 2, &[task], policy()).await;
    let [first, second] = site.nodes[..] else {
        panic!("two nodes are registered");
    };
    let stack = world.buy(task, first, 1)[0];
    world.network.force_attesters(stack, vec![second]);
    site.mirrored(world).await;
    site.serve(stack, first, UNITS, 1).await;
    site.step(world).await;
    (site, stack)
}

/// An operator whose node is drawn to attest one of so many stacks of another operator, which has settled it.
async fn drawn_by_another(world: &World, stacks: u64) -> (Site, Site, StackSmallId) {
    let task = world.task(2);
    let mut other = Site::start(world, KEYS[1], 1, &[task], policy()).await;
    let site = Site::start(world, KEYS[0], 1, &[task], policy()).await;
    let selected = other.nodes[0];
    let stack = world.buy(task, selected, stacks)[0];
    world.network.force_attesters(stack, vec![site.nodes[0]]);
    other.mirrored(world).await;
    other.serve(stack, selected, UNITS, 1).await;
    other.step(world).await;
    (site, other, stack)
}

/// The operator's second node is drawn. It attests from the record of the first.
#[tokio::test]
async fn a_drawn_node_attests_in_the_same_epoch() {
    let world = World::start(4).await;
    let (mut site, stack) = with_a_drawn_node(&world).await;
    assert_eq!(
        site.duties(stack).await,
        ["attest due drawn", "claim waiting claimable_epoch"]
    );
    site.run.step_attestations().await.unwrap();
    site.run.settled().await;
    site.mirrored(&world).await;
    assert_eq!(site.duties(stack).await, ["claim waiting claimable_epoch"]);
    world.end_epoch();
    site.step(&world).await;
    assert!(is_claimed(&site, stack).await);
    site.node.stop().await.unwrap();
}

#[tokio::test]
async fn without_a_record_the_duty_says_what_is_missing() {
    let world = World::start(5).await;
    let (mut site, other, stack) = drawn_by_another(&world, 1).await;
    let node = site.nodes[0];
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["attest blocked no_record"]);
    // The requests were run again, with another result: nothing is sent.
    site.serve(stack, node, UNITS, 2).await;
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["attest blocked record_differs"]);
    let settled = site.state.settlements_by_id(&[stack]).await.unwrap();
    assert!(!settled[0].is_in_dispute);
    site.node.stop().await.unwrap();
    other.node.stop().await.unwrap();
}

/// A node that only attests has no claim of its own that would pay its share.
#[tokio::test]
async fn the_share_of_a_node_that_claims_nothing_is_withdrawn() {
    let world = World::start(10).await;
    // What the other stacks cost lets the treasury pay the share.
    let (mut site, mut other, stack) = drawn_by_another(&world, 3).await;
    let node = site.nodes[0];
    site.mirrored(&world).await;
    site.serve(stack, node, UNITS, 1).await;
    site.step(&world).await;
    let withdrawals = async |site: &Site| -> Vec<String> {
        let survey = site.autopilot.survey().await.unwrap();
        let of_nodes = survey
            .duties
            .iter()
            .filter(|duty| duty.stack_small_id.is_none());
        of_nodes
            .map(|duty| duty.standing.reason().to_owned())
            .collect()
    };
    assert_eq!(withdrawals(&site).await, [""; 0]);
    world.end_epoch();
    other.step(&world).await;
    assert!(is_claimed(&other, stack).await);
    site.mirrored(&world).await;
    assert_eq!(withdrawals(&site).await, ["pays"]);
    let address = site.operator().ports().signer.address();
    let owed = world.owed(node);
    assert!(owed > 0);
    let before = world.usdc_of(address);
    site.step(&world).await;
    assert_eq!(world.usdc_of(address) - before, owed);
    assert_eq!(world.owed(node), 0);
    assert_eq!(withdrawals(&site).await, [""; 0]);
    site.node.stop().await.unwrap();
    other.node.stop().await.unwrap();
}

/// Requests in progress are let to their end; no more begin.
#[tokio::test]
async fn a_stack_drains_before_it_is_settled() {
    let world = World::start(6).await;
    let task = world.task(0);
    let mut site = Site::start(&world, KEYS[0], 1, &[task], policy()).await;
    let node = site.nodes[0];
    let stack = world.buy(task, node, 1)[0];
    site.mirrored(&world).await;
    site.serve(stack, node, UNITS - 10, 1).await;
    let owner = site.state.stacks_by_id(&[stack]).await.unwrap()[0].owner_address;
    let wanted = NewReservation {
        owner,
        stack: StackChoice::Stack(stack),
        num_compute_units: atoma_domain::ComputeUnits::new(1),
        holder: None,
        lease: Lease::default(),
        request: None,
    };
    let reserve = async |site: &Site| {
        let now = atoma_domain::ports::Clock::now(&*world.clock);
        let reserved = atoma_domain::ports::ServedWork::reserve_units(&site.state, &wanted, now);
        reserved.await
    };
    let open = reserve(&site).await.unwrap();
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["settle waiting reservations"]);
    assert!(reserve(&site).await.is_err());
    // While nothing is settled, it may serve on.
    let autopilot = site.autopilot.clone();
    let scope = PauseScope::AllButAttestations;
    autopilot.pause(scope, None).await.unwrap();
    site.step(&world).await;
    let meanwhile = reserve(&site).await.unwrap();
    autopilot.resume().await.unwrap();
    site.step(&world).await;
    assert!(reserve(&site).await.is_err());
    site.operator()
        .release_reservation(meanwhile.id)
        .await
        .unwrap();
    site.operator().release_reservation(open.id).await.unwrap();
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["claim waiting claimable_epoch"]);
    site.node.stop().await.unwrap();
}

/// A restart neither forgets a duty nor does it twice.
#[tokio::test]
async fn a_restart_changes_nothing() {
    let world = World::start(7).await;
    let task = world.task(0);
    let mut site = Site::start(&world, KEYS[0], 1, &[task], policy()).await;
    let node = site.nodes[0];
    let stacks = world.buy(task, node, 3);
    site.mirrored(&world).await;
    for stack in &stacks {
        site.serve(*stack, node, UNITS, 1).await;
    }
    site.run.step().await.unwrap();
    // What was begun is left to the engine, and the daemon stops in the middle.
    let mut site = site.restart(&world).await;
    world.end_epoch();
    for _ in 0..2 {
        site.step(&world).await;
        world.end_epoch();
    }
    for stack in stacks {
        assert!(is_claimed(&site, stack).await);
    }
    site.node.stop().await.unwrap();
}

/// Fifty attestations share a transaction.
#[tokio::test]
async fn many_attestations_go_out_in_few_transactions() {
    const STACKS: u64 = 120;
    let world = World::start(8).await;
    let task = world.task(2);
    let mut other = Site::start(&world, KEYS[1], 1, &[task], policy()).await;
    let mut site = Site::start(&world, KEYS[0], 1, &[task], policy()).await;
    let (node, selected) = (site.nodes[0], other.nodes[0]);
    let stacks = world.buy(task, selected, STACKS);
    other.mirrored(&world).await;
    for stack in &stacks {
        world.network.force_attesters(*stack, vec![node]);
        other.serve(*stack, selected, UNITS, 1).await;
    }
    // Settlements go out fifty at a time.
    for _ in 0..3 {
        other.step(&world).await;
    }
    site.mirrored(&world).await;
    for stack in &stacks {
        site.serve(*stack, node, UNITS, 1).await;
    }
    site.step(&world).await;
    let settled = site.state.settlements_by_id(&stacks).await.unwrap();
    assert!(
        settled
            .iter()
            .all(|settled| settled.attested_nodes == [node])
    );
    assert_eq!(settled.len(), stacks.len());
    let filter = JournalFilter {
        kind: Some("attest_settlement"),
        ..JournalFilter::default()
    };
    let attested = site.state.list(&filter, Page::first(1_000)).await.unwrap();
    let digests: BTreeSet<_> = attested.iter().map(|record| record.tx_digest).collect();
    assert_eq!(digests.len(), 3);
    site.node.stop().await.unwrap();
    other.node.stop().await.unwrap();
}

/// Until somebody buys, the contract draws nobody while one of a task's subscribers has left.
#[tokio::test]
async fn a_subscriber_that_leaves_only_delays_settlements() {
    let world = World::start(12).await;
    let task = world.task(2);
    let other = Site::start(&world, KEYS[1], 1, &[task], policy()).await;
    let mut site = Site::start(&world, KEYS[0], 1, &[task], policy()).await;
    let node = site.nodes[0];
    let stacks = world.buy(task, node, 12);
    site.mirrored(&world).await;
    for stack in &stacks {
        site.serve(*stack, node, UNITS, stack.get()).await;
    }
    let gas = GasOptions::default();
    let left = other.operator();
    let left = left.unsubscribe_from_task(task, other.nodes[0].into(), gas);
    left.await.unwrap();
    site.step(&world).await;
    assert_eq!(site.duties(stacks[0]).await, ["settle waiting retry"]);
    site.step(&world).await;
    assert_eq!(site.autopilot.status().await.unwrap().pause, None);
    world.buy(task, node, 1);
    world.pass(HOUR_MS);
    site.step(&world).await;
    let settled = site.state.settlements_by_id(&stacks).await.unwrap();
    assert_eq!(settled.len(), stacks.len());
    site.node.stop().await.unwrap();
    other.node.stop().await.unwrap();
}
