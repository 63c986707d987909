//! A Sui node that lags behind what the daemon knows is not believed.

use atoma_domain::PricePerMillion;
use atoma_domain::journal::{Action, Actor, Failure, GasOptions, NewIntent};
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::Submission;

use crate::support::ask::Ask;
use crate::support::generation::{Generation, PATIENCE};
use crate::support::subjects::{FIRST, SECOND};
use crate::support::world::{NONE, SAMPLING, World};

/// The contract counts a second attestation of one node, which freezes the stack. Another daemon on
/// the key has attested, this one has used the badge since, and then a node shows the ticket as it
/// was before: over the badge's newest version, known from effects, the attestation would execute.
#[test]
fn an_attestation_is_not_made_from_a_ticket_older_than_the_badges_last_use() {
    let world = World::start();
    let site = world.operator(2, 4);
    let stacks = world.buy(SAMPLING, FIRST, 1);
    world.draw(&stacks, Some(SECOND));
    let daemons = [site, world.site("second.sqlite", 1)].map(|site| world.begin(&site));
    for daemon in &daemons {
        daemon.finish(daemon.record(&stacks, None));
    }
    let [daemon, other] = daemons;
    let done = |daemon: &Generation, ask: Ask| {
        daemon.finish(daemon.catch_up());
        let answers = daemon.finish(ask.make(&daemon.operator, SECOND));
        assert_eq!(answers, [Ok(())], "{ask:?}");
    };
    daemon.finish(daemon.settle(&stacks));
    done(&other, Ask::Attest(stacks.clone()));
    done(
        &daemon,
        Ask::Update(world.tasks[NONE], PricePerMillion::new(7)),
    );
    // The call that finds the ticket, and the one that reads it.
    world.network.inject_fault(Fault {
        count: 2,
        ..Fault::once(FaultKind::StaleObjects)
    });
    let failure = daemon.finish(async {
        let nodes = daemon.operator.nodes().await.unwrap();
        let node = nodes
            .iter()
            .find(|own| own.node_small_id == SECOND)
            .unwrap();
        // Past the mirror, which has seen the other's attestation.
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
