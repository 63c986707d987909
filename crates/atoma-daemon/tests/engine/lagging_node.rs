//! The daemon does not trust a Sui node that lags behind what it already knows.

use atoma_domain::PricePerMillion;
use atoma_domain::journal::{Action, Actor, Failure, GasOptions, NewIntent};
use atoma_domain::model::OperatorNode;
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::{Applied, Readiness, Submission};

use crate::support::cases::{FIRST, SECOND};
use crate::support::generation::{Generation, PATIENCE};
use crate::support::request::Request;
use crate::support::world::{NONE, SAMPLING, World};

/// The contract counts a second attestation by the same node, which freezes the stack. Here another
/// daemon with the key has attested, this one has used the badge since, and then the Sui node shows
/// an old version of the ticket. Signed over the badge's newest version, which the daemon knows
/// from effects, the attestation would execute.
#[test]
fn an_attestation_is_not_built_from_a_ticket_older_than_the_badges_last_use() {
    let world = World::start();
    let site = world.operator(2, 4);
    let stacks = world.buy(SAMPLING, FIRST, 1);
    world.draw(&stacks, Some(SECOND));
    let daemons = [site, world.site("second.sqlite", 1)].map(|site| world.begin(&site));
    for daemon in &daemons {
        daemon.run(daemon.record(&stacks, None));
    }
    let [daemon, other] = daemons;
    let done = |daemon: &Generation, request: Request| {
        daemon.run(daemon.catch_up());
        let answers = daemon.run(request.send(&daemon.operator, SECOND));
        assert_eq!(answers, [Ok(())], "{request:?}");
    };
    daemon.run(daemon.settle(&stacks));
    done(&other, Request::Attest(stacks.clone()));
    done(
        &daemon,
        Request::Update(world.tasks[NONE], PricePerMillion::new(7)),
    );
    // One for the call that finds the ticket, one for the call that reads it.
    world.network.inject_fault(Fault {
        count: 2,
        ..Fault::once(FaultKind::StaleObjects)
    });
    let failure = daemon.run(async {
        let nodes = daemon.operator.nodes().await.unwrap();
        let node = nodes
            .iter()
            .find(|own| own.node_small_id == SECOND)
            .unwrap();
        // Bypasses the mirror, which has the other daemon's attestation.
        let intent = NewIntent {
            action: Action::AttestSettlement {
                stack_small_id: stacks[0],
                allow_dispute: false,
            },
            actor: Actor::Node {
                node_small_id: node.node_small_id,
                node_badge_id: node.node_badge_id,
                address: node.address,
            },
            gas: GasOptions::default(),
        };
        let submitted = daemon.engine.submit(vec![intent]).await.unwrap();
        let [Submission::Accepted(id)] = submitted[..] else {
            panic!("{submitted:?}");
        };
        let waited = daemon.engine.wait(&[id], PATIENCE).await;
        waited[0].failure.clone()
    });
    let already = Failure::AlreadyAttested {
        stack_small_id: stacks[0],
        node_small_id: SECOND,
    };
    assert_eq!(failure, Some(already));
    let state = world.network.state().unwrap();
    let ticket = &state["tickets"][stacks[0].to_string()];
    let attested = &ticket["already_attested_nodes"];
    assert_eq!(*attested, serde_json::json!([SECOND]));
    daemon.stop();
    other.stop();
}

/// The node's owner index is empty: it lists neither badges nor coins. A start keeps the operator's
/// nodes, and pays with a coin that the journal knows.
#[test]
fn an_empty_owner_index_costs_no_node_and_no_intent() {
    let world = World::start();
    let site = world.operator(2, 1);
    let stacks = world.buy(NONE, FIRST, 2);
    let daemon = world.begin(&site);
    daemon.run(daemon.record(&stacks, None));
    daemon.run(daemon.settle(&stacks[..1]));
    daemon.stop();

    world.network.inject_fault(Fault {
        count: u64::MAX,
        ..Fault::once(FaultKind::OwnedObjectsHidden)
    });
    let daemon = world.begin(&site);
    let nodes = daemon.run(daemon.operator.nodes()).unwrap();
    assert_eq!(nodes.len(), 2);
    daemon.run(daemon.engine.recover()).unwrap();
    daemon.run(daemon.settle(&stacks[1..]));
    daemon.stop();
}

/// A second node would cost gas and stay without work.
#[test]
fn an_empty_owner_index_lets_nobody_register_a_second_node() {
    let world = World::start();
    let site = world.operator(1, 1);
    let daemon = world.begin(&site);
    daemon.run(daemon.catch_up());
    world.network.inject_fault(Fault {
        count: u64::MAX,
        ..Fault::once(FaultKind::OwnedObjectsHidden)
    });
    let request = Request::Register { additional: false };
    let answers = daemon.run(request.send(&daemon.operator, FIRST));
    assert!(
        matches!(answers[..], [Err(Failure::AlreadyRegistered { .. })]),
        "{answers:?}"
    );
    assert_eq!(daemon.points.count("chain.execute"), 0);
    daemon.stop();
}

/// The mirror takes a node for the operator's own whose badge is in another address's hands by now.
#[test]
fn a_badge_that_is_shown_to_be_anothers_is_given_up() {
    let world = World::start();
    let site = world.operator(2, 1);
    let other = world.new_operator(&[1_000_000_000_000]);
    world.register(&other, 1);
    let theirs = world.begin(&other);
    let sent = theirs.run(theirs.operator.nodes()).unwrap()[0];
    theirs.stop();

    let daemon = world.begin(&site);
    let nodes = daemon.run(daemon.operator.nodes()).unwrap();
    let mut mirrored = nodes.clone();
    mirrored.push(OperatorNode {
        address: site.address,
        ..sent
    });
    let stored = daemon
        .ports
        .events
        .set_operator_nodes(site.address, &mirrored);
    daemon.run(stored).unwrap();
    let readiness = Readiness::new(daemon.ports.clone(), Applied::default());
    daemon.run(readiness.reconcile_nodes()).unwrap();
    assert_eq!(daemon.run(daemon.operator.nodes()).unwrap(), nodes);
    daemon.stop();
}

/// Without any coin an intent waits: the coins may only be missing from the node's index.
#[test]
fn an_intent_waits_while_the_node_lists_no_coin() {
    let world = World::start();
    let site = world.operator(2, 1);
    let stacks = world.buy(NONE, FIRST, 1);
    let daemon = world.begin(&site);
    daemon.run(daemon.record(&stacks, None));
    world.network.inject_fault(Fault {
        count: u64::MAX,
        ..Fault::once(FaultKind::OwnedObjectsHidden)
    });
    daemon.run(daemon.catch_up());
    let request = Request::Settle(stacks);
    let waiting = daemon.run(request.send(&daemon.operator, FIRST));
    assert!(
        matches!(&waiting[..], [Err(Failure::SuiNodeError { reason })] if reason.contains("too few SUI coins")),
        "{waiting:?}"
    );
    world.network.clear_faults();
    daemon.run(daemon.all_final());
    let answers = daemon.run(request.send(&daemon.operator, FIRST));
    assert!(
        matches!(answers[..], [Err(Failure::AlreadySettling { .. })]),
        "{answers:?}"
    );
    daemon.stop();
}
