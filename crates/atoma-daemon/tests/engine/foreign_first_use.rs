//! A badge that this journal never used to the end: whoever else uses it is noticed all the same.

use atoma_domain::NodeSmallId;
use atoma_domain::journal::{Attempt, Failure};
use atoma_operator::{Applied, Readiness};

use crate::support::ask::Ask;
use crate::support::generation::{Generation, Site};
use crate::support::points::{Moment, Side};
use crate::support::world::{NODE_PRICE, NONE, SAMPLING, World};

/// An operator of that key with money and an empty database.
fn newcomer(world: &World, key: u16) -> Site {
    let site = world.site(&format!("newcomer-{key}.sqlite"), key);
    let coins = [1_000_000_000_000; 2];
    world.network.faucet_coins(site.address, &coins).unwrap();
    site
}

fn done(daemon: &Generation, ask: &Ask, node: NodeSmallId) {
    daemon.finish(daemon.catch_up());
    let answers = daemon.finish(ask.make(&daemon.operator, node));
    assert_eq!(answers, [Ok(())], "{ask:?}");
}

/// The only node of the daemon's key.
fn own_node(daemon: &Generation) -> NodeSmallId {
    daemon.finish(daemon.catch_up());
    let nodes = daemon.finish(daemon.operator.nodes()).unwrap();
    assert_eq!(nodes.len(), 1);
    nodes[0].node_small_id
}

fn subscribe(world: &World) -> Ask {
    Ask::Subscribe(world.tasks[NONE], NODE_PRICE)
}

const REGISTER: Ask = Ask::Register { additional: false };

/// What the other asks for: of the same the very same bytes would come, and be known here.
fn something_else(world: &World) -> Ask {
    Ask::Subscribe(world.tasks[SAMPLING], NODE_PRICE)
}

/// Has the daemon die when its badge's first use is signed and not yet sent.
fn die_before_the_first_use(world: &World, daemon: Generation, node: NodeSmallId) {
    daemon.finish(daemon.catch_up());
    daemon.points.arm_crash(Moment {
        name: "chain.execute",
        nth: 1,
        side: Side::Before,
    });
    let answers = daemon.drive(subscribe(world).make(&daemon.operator, node));
    assert_eq!(answers, None, "{:?}", daemon.points.calls());
    daemon.kill();
}

/// The attempt that a daemon left open.
fn left_open(daemon: &Generation) -> Attempt {
    let open = daemon.finish(daemon.ports.journal.unfinished()).unwrap();
    assert_eq!(open.len(), 1);
    open[0].attempt.clone().unwrap()
}

/// What a daemon finds out when it starts.
fn foreign_use(daemon: &Generation) -> Option<Failure> {
    let readiness = Readiness::new(daemon.ports.clone(), Applied::default());
    daemon.finish(readiness.foreign_use()).unwrap()
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
    let site = newcomer(&world, 101);
    let daemon = world.begin(&site);
    done(&daemon, &REGISTER, NodeSmallId::new(0));
    let node = own_node(&daemon);
    assert_eq!(foreign_use(&daemon), None);
    die_before_the_first_use(&world, daemon, node);

    let daemon = world.begin(&site);
    left_open(&daemon);
    assert_eq!(foreign_use(&daemon), None);
    let other = world.begin(&world.site("other.sqlite", 101));
    done(&other, &something_else(&world), node);
    assert_noticed(&daemon, node);
    // The other knows nothing of the registration, and has used the badge last.
    assert_eq!(foreign_use(&other), None);
}

/// The journal knows no transaction of the badge that was executed, only that it signed over a
/// version that is not the badge's any more.
#[test]
fn a_badge_registered_elsewhere_and_signed_for_here_is_noticed() {
    let world = World::start();
    let site = newcomer(&world, 101);
    let registrar = world.begin(&site);
    done(&registrar, &REGISTER, NodeSmallId::new(0));
    let node = own_node(&registrar);
    let second = world.site("second.sqlite", 101);
    die_before_the_first_use(&world, world.begin(&second), node);

    let daemon = world.begin(&second);
    let open = left_open(&daemon);
    // Nobody has used it yet.
    assert_eq!(foreign_use(&daemon), None);
    done(&registrar, &something_else(&world), node);
    assert_noticed(&daemon, node);
    let journal = &daemon.ports.journal;
    let badge = *open.badge.unwrap().object_id();
    assert_eq!(daemon.finish(journal.last_use(badge)).unwrap(), None);
}
