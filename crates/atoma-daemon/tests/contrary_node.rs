//! A Sui node that says what a node should not say, of attempts that it has.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod contrary;
mod crashing;

use std::sync::Arc;

use atoma_domain::StackSmallId;
use atoma_domain::journal::{Action, Actor, Failure, GasOptions, IntentStatus, NewIntent};
use atoma_domain::ports::RefusalKind;
use atoma_operator::{Engine, Submission, Waited};
use tokio_util::sync::CancellationToken;

use contrary::Contrary;
use crashing::generation::{Generation, PATIENCE};
use crashing::subjects::FIRST;
use crashing::world::{NONE, World};

/// A daemon whose mirror knows some stacks, and an engine over its database and such a node.
fn begin(stacks: usize) -> (World, Generation, Vec<StackSmallId>) {
    let world = World::start();
    let site = world.operator(1, 1);
    let stacks = world.buy(NONE, FIRST, stacks);
    let daemon = world.begin(&site);
    daemon.finish(daemon.record(&stacks, None));
    daemon.finish(daemon.catch_up());
    (world, daemon, stacks)
}

async fn settle(daemon: &Generation, stack: StackSmallId, gas: GasOptions) -> NewIntent {
    let nodes = daemon.operator.nodes().await.unwrap();
    let node = nodes.iter().find(|own| own.node_small_id == FIRST).unwrap();
    NewIntent {
        action: Action::SettleStack {
            stack_small_id: stack,
            num_claimed_compute_units: None,
        },
        actor: Actor::Node {
            node_small_id: node.node_small_id,
            node_badge_id: node.node_badge_id,
            address: node.address,
        },
        gas,
    }
}

fn engine_over(daemon: &Generation, chain: &Arc<Contrary>) -> Engine {
    let ports = atoma_operator::Ports {
        chain: Arc::clone(chain) as _,
        ..daemon.ports.clone()
    };
    Engine::new(ports, contrary::config(), CancellationToken::new())
}

async fn outcome(engine: &Engine, intent: NewIntent) -> Waited {
    let submitted = engine.submit(vec![intent]).await.unwrap();
    let [Submission::Accepted(id)] = submitted[..] else {
        panic!("{submitted:?}");
    };
    engine.wait(&[id], PATIENCE).await.unwrap().remove(0)
}

/// That a coin can't be used is the fault of who chose it: the daemon chooses again, a request fails.
#[test]
fn a_refused_coin_fails_a_request_only_where_the_request_named_it() {
    let (_world, daemon, stacks) = begin(2);
    daemon.finish(async {
        let chain = Contrary::over(&daemon.ports.chain);
        let engine = engine_over(&daemon, &chain);
        let address = daemon.ports.signer.address();
        let coins = chain.as_ref().coins(address).await;
        let coin = *coins[0].reference.object_id();
        let not_usable = RefusalKind::ObjectNotUsable { object: Some(coin) };
        chain.refuse_next(not_usable.clone());
        let unnamed = settle(&daemon, stacks[0], GasOptions::default()).await;
        let waited = outcome(&engine, unnamed).await;
        assert_eq!(waited.status, IntentStatus::Succeeded, "{waited:?}");
        chain.refuse_next(not_usable);
        let gas = GasOptions {
            coin: Some(coin),
            ..GasOptions::default()
        };
        let named = settle(&daemon, stacks[1], gas).await;
        let waited = outcome(&engine, named).await;
        let failure = waited.failure.expect("it failed");
        assert!(
            matches!(failure, Failure::ObjectNotUsable { object_id, .. } if object_id == coin),
            "{failure:?}"
        );
    });
}
