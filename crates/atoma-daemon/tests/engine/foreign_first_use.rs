//! A daemon notices that another one used its badge, even if its own journal has no executed use of
//! it.

use atoma_domain::journal::{Action, Actor, Attempt, Failure, GasOptions, NewIntent};
use atoma_domain::{HexBytes, NodeSmallId, PricePerMillion};
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::{Applied, Engine, EngineConfig, KeyCommitment, Readiness, Submission};
use tokio_util::sync::CancellationToken;

use crate::support::fail_points::{CrashPoint, Side};
use crate::support::generation::{Generation, PATIENCE, Site};
use crate::support::request::Request;
use crate::support::world::{NODE_PRICE, NONE, SAMPLING, World};

/// An operator with this key, some coins and an empty database.
fn new_operator(world: &World, key: u16) -> Site {
    let site = world.site(&format!("newcomer-{key}.sqlite"), key);
    let coins = [1_000_000_000_000; 2];
    world.network.faucet_coins(site.address, &coins).unwrap();
    site
}

fn send(daemon: &Generation, request: &Request, node: NodeSmallId) {
    daemon.run(daemon.catch_up());
    let answers = daemon.run(request.send(&daemon.operator, node));
    assert_eq!(answers, [Ok(())], "{request:?}");
}

/// The only node of the daemon's key.
fn own_node(daemon: &Generation) -> NodeSmallId {
    daemon.run(daemon.catch_up());
    let nodes = daemon.run(daemon.operator.nodes()).unwrap();
    assert_eq!(nodes.len(), 1);
    nodes[0].node_small_id
}

fn subscribe(world: &World) -> Request {
    Request::Subscribe(world.tasks[NONE], NODE_PRICE)
}

const REGISTER: Request = Request::Register { additional: false };

/// A different request for the other daemon. The same request would give the same bytes, which this
/// journal would know.
fn different_request(world: &World) -> Request {
    Request::Subscribe(world.tasks[SAMPLING], NODE_PRICE)
}

/// Crashes the daemon when the first use of its badge is signed but not sent.
fn crash_before_the_first_use(world: &World, daemon: Generation, node: NodeSmallId) {
    daemon.run(daemon.catch_up());
    daemon.points.arm_crash(CrashPoint {
        name: "chain.execute",
        nth: 1,
        side: Side::Before,
    });
    let answers = daemon.run_until_crash(subscribe(world).send(&daemon.operator, node));
    assert_eq!(answers, None, "{:?}", daemon.points.calls());
    daemon.kill();
}

/// The attempt that a daemon left open.
fn left_open(daemon: &Generation) -> Attempt {
    let open = daemon.run(daemon.ports.journal.unfinished()).unwrap();
    assert_eq!(open.len(), 1);
    open[0].attempt.clone().unwrap()
}

/// The use of a badge elsewhere that a daemon finds when it starts.
fn foreign_use(daemon: &Generation) -> Option<Failure> {
    let readiness = Readiness::new(daemon.ports.clone(), Applied::default());
    let uses = daemon.run(readiness.foreign_uses()).unwrap();
    uses.first().map(|used| Failure::from(*used))
}

#[track_caller]
fn assert_noticed(daemon: &Generation, node: NodeSmallId) {
    let found = foreign_use(daemon);
    assert!(
        matches!(
            found,
            Some(Failure::BadgeUsedElsewhere { node_small_id, .. }) if node_small_id == node
        ),
        "{found:?}"
    );
}

#[test]
fn a_badge_registered_here_and_first_used_elsewhere_is_noticed() {
    let world = World::start();
    let site = new_operator(&world, 101);
    let daemon = world.begin(&site);
    send(&daemon, &REGISTER, NodeSmallId::new(0));
    let node = own_node(&daemon);
    assert_eq!(foreign_use(&daemon), None);
    crash_before_the_first_use(&world, daemon, node);

    let daemon = world.begin(&site);
    left_open(&daemon);
    assert_eq!(foreign_use(&daemon), None);
    let other = world.begin(&world.site("other.sqlite", 101));
    send(&other, &different_request(&world), node);
    assert_noticed(&daemon, node);
    // The other one doesn't know the registration, and it used the badge last.
    assert_eq!(foreign_use(&other), None);
}

/// The journal has no executed transaction of the badge. It only knows that it signed over a
/// version which the badge no longer has.
#[test]
fn a_badge_registered_elsewhere_and_signed_for_here_is_noticed() {
    let world = World::start();
    let site = new_operator(&world, 101);
    let registrar = world.begin(&site);
    send(&registrar, &REGISTER, NodeSmallId::new(0));
    let node = own_node(&registrar);
    let second = world.site("second.sqlite", 101);
    crash_before_the_first_use(&world, world.begin(&second), node);

    let daemon = world.begin(&second);
    let open = left_open(&daemon);
    // Not used yet.
    assert_eq!(foreign_use(&daemon), None);
    send(&registrar, &different_request(&world), node);
    assert_noticed(&daemon, node);
    let journal = &daemon.ports.journal;
    let badge = *open.badge.unwrap().object_id();
    assert_eq!(daemon.run(journal.last_use(badge)).unwrap(), None);
}

/// The start did not see the badge, because the Sui node's owner index was empty.
#[test]
fn a_badge_used_elsewhere_that_appears_after_the_start_signs_nothing() {
    let world = World::start();
    let site = new_operator(&world, 101);
    let other = world.begin(&site);
    send(&other, &REGISTER, NodeSmallId::new(0));
    let node = own_node(&other);
    send(&other, &subscribe(&world), node);
    other.stop();

    let daemon = world.begin(&world.site("new.sqlite", 101));
    let engine = Engine::new(
        daemon.ports.clone(),
        EngineConfig {
            allow_foreign_use: false,
            ..crate::support::faulty_node::config()
        },
        CancellationToken::new(),
    );
    daemon.run(daemon.catch_up());
    let badge = daemon.run(daemon.operator.nodes()).unwrap()[0].node_badge_id;
    daemon.run(async {
        let intent = NewIntent {
            action: Action::SubscribeToTask {
                task_small_id: world.tasks[SAMPLING],
                price: NODE_PRICE,
            },
            actor: Actor::Node {
                node_small_id: node,
                node_badge_id: badge,
                address: site.address,
            },
            gas: GasOptions::default(),
        };
        let submitted = engine.submit(vec![intent]).await.unwrap();
        let [Submission::Accepted(id)] = submitted[..] else {
            panic!("{submitted:?}");
        };
        let waited = engine.wait(&[id], PATIENCE).await.remove(0);
        assert!(
            matches!(waited.failure, Some(Failure::BadgeUsedElsewhere { node_small_id, .. }) if node_small_id == node),
            "{waited:?}"
        );
        assert_eq!(waited.tx_digest, None);
    });
}

/// A commitment by a device with this number.
fn key_of(device_type: u16) -> Request {
    Request::RotateKey(KeyCommitment {
        public_key_commitment: HexBytes(vec![7; 32]),
        evidence: HexBytes(vec![8; 40]),
        device_type,
        key_rotation_counter: None,
    })
}

/// The node's GPU machine rotates its key with the same badge. That is recognised, also several times in a row and
/// from the registration on; but it hides nothing that came before it.
#[test]
fn a_key_rotation_by_another_process_is_no_foreign_use() {
    let world = World::start();
    let site = new_operator(&world, 101);
    let daemon = world.begin(&site);
    send(&daemon, &REGISTER, NodeSmallId::new(0));
    let node = own_node(&daemon);
    let sibling = world.begin(&world.site("sibling.sqlite", 101));
    send(&sibling, &key_of(300), node);
    assert_eq!(foreign_use(&daemon), None);
    // The daemon's own next transaction is built over the badge as the sibling left it.
    send(&daemon, &subscribe(&world), node);
    for device_type in [301, 302, 303] {
        send(&sibling, &key_of(device_type), node);
    }
    // A database that knows only the registration follows them back to the use before them.
    assert_eq!(foreign_use(&daemon), None);
    send(&sibling, &different_request(&world), node);
    send(&sibling, &key_of(304), node);
    assert_noticed(&daemon, node);
}

/// While the daemon runs, a rotation elsewhere is no reason for a warning; another use is.
#[test]
fn only_other_uses_are_warned_of_while_the_daemon_runs() {
    let world = World::start();
    let site = new_operator(&world, 101);
    let daemon = world.begin(&site);
    send(&daemon, &REGISTER, NodeSmallId::new(0));
    let node = own_node(&daemon);
    let engine = Engine::new(
        daemon.ports.clone(),
        crate::support::faulty_node::config(),
        CancellationToken::new(),
    );
    let badge = daemon.run(daemon.operator.nodes()).unwrap()[0].node_badge_id;
    let update = |price: u64| {
        let intent = NewIntent {
            action: if price == 1 {
                Action::SubscribeToTask {
                    task_small_id: world.tasks[NONE],
                    price: PricePerMillion::new(price),
                }
            } else {
                Action::UpdateSubscription {
                    task_small_id: world.tasks[NONE],
                    price: PricePerMillion::new(price),
                }
            },
            actor: Actor::Node {
                node_small_id: node,
                node_badge_id: badge,
                address: site.address,
            },
            gas: GasOptions::default(),
        };
        daemon.run(async {
            let submitted = engine.submit(vec![intent]).await.unwrap();
            let [Submission::Accepted(id)] = submitted[..] else {
                panic!("{submitted:?}");
            };
            // While it waits for the Sui node, that is the answer.
            let waited = loop {
                let waited = engine.wait(&[id], PATIENCE).await.remove(0);
                if !matches!(waited.failure, Some(Failure::SuiNodeError { .. })) {
                    break waited;
                }
                tokio::task::yield_now().await;
            };
            assert_eq!(waited.failure, None);
        });
    };
    let foreign = || daemon.run(async { engine.figures().foreign_badges });
    update(1);
    let sibling = world.begin(&world.site("sibling.sqlite", 101));
    send(&sibling, &key_of(300), node);
    update(2);
    assert_eq!(foreign(), 0);
    // That the Sui node doesn't show it yet proves nothing: it is asked again.
    send(&sibling, &key_of(302), node);
    world.network.inject_fault(Fault {
        count: 3,
        ..Fault::once(FaultKind::TransactionsHidden)
    });
    update(4);
    assert_eq!(foreign(), 0);
    world.network.clear_faults();
    send(&sibling, &different_request(&world), node);
    send(&sibling, &key_of(301), node);
    update(3);
    assert_eq!(foreign(), 1);
}
