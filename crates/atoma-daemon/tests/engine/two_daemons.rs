//! Two daemons on one key: each stack is done by one of them, and the other says why it was not it.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::journal::{AttemptStatus, Failure};
use atoma_domain::{Digest, NodeSmallId, StackSmallId, TaskSmallId};
use tokio::time::timeout;

use crate::support::ask::Ask;
use crate::support::audit::Ledger;
use crate::support::gate::{Between, Gate};
use crate::support::generation::Generation;
use crate::support::points::{Points, Side};
use crate::support::subjects::{FIRST, SECOND};
use crate::support::world::{NODE_PRICE, NONE, SAMPLING, World};

/// Longer than anything takes that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a daemon answers for each stack.
type Answers = Vec<Result<Digest, Failure>>;

/// Two daemons with a database each and the same key.
struct Pair {
    world: World,
    one: Generation,
    other: Generation,
    /// Between the other one and the network.
    between: Arc<Between>,
}

impl Pair {
    fn start() -> Self {
        let world = World::start();
        let site = world.operator(2, 4);
        let second = world.site("second.sqlite", 1);
        assert_eq!(site.address, second.address);
        let one = world.begin(&site);
        let between = Arc::new(Between::default());
        let points = Points::new(&world.network);
        let other = Generation::start_behind(&second, points, |ports| between.stand(ports));
        Self {
            world,
            one,
            other,
            between,
        }
    }

    /// Stacks of the first node that both daemons have served.
    fn stacks(&self, level: usize, count: usize) -> Vec<StackSmallId> {
        let stacks = self.world.buy(level, FIRST, count);
        let attester = (level == SAMPLING).then_some(SECOND);
        self.world.draw(&stacks, attester);
        for daemon in [&self.one, &self.other] {
            daemon.finish(daemon.record(&stacks, None));
        }
        stacks
    }

    fn catch_up(&self) {
        for daemon in [&self.one, &self.other] {
            daemon.finish(daemon.catch_up());
        }
    }

    /// Has the other one do something beside the test.
    fn beside<T>(
        &self,
        ask: &Ask,
        node: NodeSmallId,
        meanwhile: impl FnOnce() -> T,
    ) -> (T, Answers) {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| answers(&self.other, ask, node));
            let meanwhile = meanwhile();
            (meanwhile, other.join().unwrap())
        })
    }

    fn wait_for(&self, gate: &Gate) {
        let reached = async { timeout(PATIENCE, gate.reached()).await };
        self.world.block_on(reached).expect("the gate is reached");
    }

    /// How many attempts of the other one have ended like this.
    fn ended(&self, status: AttemptStatus) -> usize {
        self.between.witness.count(status)
    }

    /// Each of these is on chain once; nothing is open.
    fn stop(self, effects: impl Iterator<Item = String>) {
        let Self {
            world, one, other, ..
        } = self;
        let ledger = one.finish(Ledger::read(&one));
        ledger.assert_nothing_twice();
        let shown = ledger.effects();
        for effect in effects {
            assert_eq!(shown.get(&effect), Some(&1), "{effect}");
        }
        for daemon in [one, other] {
            let open = daemon.finish(daemon.unfinished());
            assert_eq!(open, [], "everything is decided");
            daemon.stop();
        }
        drop(world);
    }
}

fn answers(daemon: &Generation, ask: &Ask, node: NodeSmallId) -> Answers {
    daemon.finish(ask.make_for_digests(&daemon.operator, node))
}

fn attested(stacks: &[StackSmallId]) -> impl Iterator<Item = String> {
    let effect = |stack| format!("attest {stack} by {SECOND}");
    stacks.iter().map(effect)
}

/// Each stack was done by one transaction. Both daemons may come to the very same bytes and then
/// both name it; else one did it, and the other says that it is done.
fn assert_one_winner_each(ask: &Ask, one: &Answers, other: &Answers) {
    assert_eq!(one.len(), other.len());
    for answers in one.iter().zip(other) {
        match answers {
            (Ok(one), Ok(other)) => assert_eq!(one, other),
            (Ok(_), Err(failure)) | (Err(failure), Ok(_)) if ask.is_already_so(failure) => {}
            neither => panic!("{neither:?}"),
        }
    }
}

#[test]
fn daemons_that_race_settle_each_stack_once_and_attest_it_once() {
    let pair = Pair::start();
    let stacks = pair.stacks(SAMPLING, 10);
    // What a settlement costs is simulated once and then known. A simulation that meets a badge
    // which has just moved is doubted a few times only, so the race begins after it.
    let first = pair.stacks(SAMPLING, 2);
    for (daemon, stack) in [&pair.one, &pair.other].into_iter().zip(&first) {
        let done = answers(daemon, &Ask::Settle(vec![*stack]), FIRST);
        assert!(done[0].is_ok(), "{done:?}");
    }
    let settle = Ask::Settle(stacks.clone());
    let (one, other) = pair.beside(&settle, FIRST, || answers(&pair.one, &settle, FIRST));
    assert_one_winner_each(&settle, &one, &other);
    pair.catch_up();
    let attest = Ask::Attest(stacks.clone());
    let (one, other) = pair.beside(&attest, SECOND, || answers(&pair.one, &attest, SECOND));
    assert_one_winner_each(&attest, &one, &other);
    let state = pair.world.network.state().unwrap();
    for stack in &stacks {
        let ticket = &state["tickets"][stack.to_string()];
        let attesters = &ticket["already_attested_nodes"];
        assert_eq!(*attesters, serde_json::json!([SECOND]));
    }
    let settled = stacks.iter().map(|stack| format!("settle {stack}"));
    let effects: Vec<_> = settled.chain(attested(&stacks)).collect();
    pair.stop(effects.into_iter());
}

/// Whether a failure says that another has done it. A claim is asked for with what the mirror knows;
/// later than that the contract itself says that the ticket is gone.
fn says_why(ask: &Ask, failure: &Failure) -> bool {
    let gone = "EFieldDoesNotExist";
    ask.is_already_so(failure)
        || matches!(
            (ask, failure),
            (Ask::Claim(_), Failure::ContractAbort { abort_name, .. })
                if abort_name.as_deref() == Some(gone)
        )
}

/// Stops the other daemon at a call, has the first one do the same, lets the other go on: it finds
/// out, whether it had signed anything by then or not.
fn overtake(pair: &Pair, ask: &Ask, node: NodeSmallId, call: &'static str, side: Side) {
    let gate = pair.between.gate(call, side);
    let (won, lost) = pair.beside(ask, node, || {
        pair.wait_for(&gate);
        // Else both would come to the very same bytes.
        let moved = answers(
            &pair.one,
            &Ask::Update(TaskSmallId::new(1), NODE_PRICE),
            node,
        );
        assert!(moved[0].is_ok(), "{moved:?}");
        let won = answers(&pair.one, ask, node);
        gate.open();
        won
    });
    assert!(won.iter().all(Result::is_ok), "{won:?}");
    for failure in lost {
        let failure = failure.expect_err("the first one did it");
        assert!(says_why(ask, &failure), "{failure:?}");
    }
}

/// Twice: when the bytes were signed and written down, and when only the chain had been looked at.
/// Tells how many bytes were proved dead each time.
fn overtake_twice(
    pair: &Pair,
    ask: fn(Vec<StackSmallId>) -> Ask,
    node: NodeSmallId,
    stacks: &[StackSmallId],
) -> (usize, usize) {
    let (signed, looked_at) = stacks.split_at(stacks.len() / 2);
    overtake(pair, &ask(signed.to_vec()), node, "execute", Side::Before);
    let first = pair.ended(AttemptStatus::Dead);
    overtake(pair, &ask(looked_at.to_vec()), node, "view", Side::After);
    let second = pair.ended(AttemptStatus::Dead) - first;
    assert_eq!(pair.ended(AttemptStatus::Succeeded), 0);
    (first, second)
}

#[test]
fn a_daemon_that_is_overtaken_does_not_settle_again() {
    let pair = Pair::start();
    let stacks = pair.stacks(SAMPLING, 2);
    let dead = overtake_twice(&pair, Ask::Settle, FIRST, &stacks);
    // What it costs is known the second time, so it is signed without a simulation.
    assert_eq!(dead, (1, 1));
    pair.stop(stacks.iter().map(|stack| format!("settle {stack}")));
}

#[test]
fn a_daemon_that_is_overtaken_does_not_attest_again() {
    let pair = Pair::start();
    let stacks = pair.stacks(SAMPLING, 4);
    pair.one.finish(pair.one.settle(&stacks));
    pair.catch_up();
    let dead = overtake_twice(&pair, Ask::Attest, SECOND, &stacks);
    // The second time the simulation refuses the old badge, before anything is signed.
    assert_eq!(dead, (1, 0));
    pair.stop(attested(&stacks));
}

#[test]
fn a_daemon_that_is_overtaken_does_not_claim_again() {
    let pair = Pair::start();
    let stacks = pair.stacks(NONE, 4);
    pair.one.finish(pair.one.settle(&stacks));
    for _ in 0..2 {
        pair.world.network.advance_epoch().unwrap();
    }
    pair.catch_up();
    let dead = overtake_twice(&pair, Ask::Claim, FIRST, &stacks);
    assert_eq!(dead, (1, 0));
    pair.stop(stacks.iter().map(|stack| format!("claim {stack}")));
}

#[test]
fn a_daemon_that_is_overtaken_again_and_again_does_its_own_in_the_end() {
    let pair = Pair::start();
    // More than the engine tries to have a transaction executed that is cancelled.
    let stacks = pair.stacks(SAMPLING, 8);
    pair.one.finish(pair.one.settle(&stacks));
    pair.catch_up();
    let (own, others) = stacks.split_first().unwrap();
    let first = pair.between.gate("execute", Side::Before);
    let ((), done) = pair.beside(&Ask::Attest(vec![*own]), SECOND, || {
        let mut gate = first;
        for stack in others {
            pair.wait_for(&gate);
            let attested = answers(&pair.one, &Ask::Attest(vec![*stack]), SECOND);
            assert!(attested[0].is_ok(), "{attested:?}");
            // The next time that it sends anything.
            let next = pair.between.gate("execute", Side::Before);
            gate.open();
            gate = next;
        }
        gate.open();
    });
    assert!(done[0].is_ok(), "{done:?}");
    assert_eq!(pair.ended(AttemptStatus::Dead), others.len());
    pair.stop(attested(&stacks));
}
