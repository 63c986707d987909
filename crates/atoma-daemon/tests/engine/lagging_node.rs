//! The daemon does not trust a Sui node that lags behind what it already knows.

use atoma_domain::PricePerMillion;
use atoma_domain::journal::{Action, Actor, Failure, GasOptions, NewIntent};
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::Submission;

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
