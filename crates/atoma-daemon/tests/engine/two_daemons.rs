//! Two daemons with the same key: one of them processes each stack, and the other reports why it
//! did not.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::journal::{AttemptStatus, Failure};
use atoma_domain::{Digest, NodeSmallId, StackSmallId, TaskSmallId};
use tokio::time::timeout;

use crate::support::audit::Ledger;
use crate::support::cases::{FIRST, SECOND};
use crate::support::fail_points::{FailPoints, Side};
use crate::support::generation::Generation;
use crate::support::interceptor::{Gate, Interceptor};
use crate::support::request::Request;
use crate::support::world::{NODE_PRICE, NONE, SAMPLING, World};

/// An upper limit for waiting.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a daemon answers for each stack.
type Answers = Vec<Result<Digest, Failure>>;

/// Two daemons with a database each and the same key.
struct Pair {
    world: World,
    one: Generation,
    other: Generation,
    /// Stands between `other` and the network.
    interceptor: Arc<Interceptor>,
}

impl Pair {
    fn start() -> Self {
        let world = World::start();
        let site = world.operator(2, 4);
        let second = world.site("second.sqlite", 1);
        assert_eq!(site.address, second.address);
        let one = world.begin(&site);
        let interceptor = Arc::new(Interceptor::default());
        let points = FailPoints::new(&world.network);
        let other = Generation::start_behind(&second, points, |ports| interceptor.wrap(ports));
        Self {
            world,
            one,
            other,
            interceptor,
        }
    }

    /// Stacks of the first node that both daemons have served.
    fn stacks(&self, level: usize, count: usize) -> Vec<StackSmallId> {
        let stacks = self.world.buy(level, FIRST, count);
        let attester = (level == SAMPLING).then_some(SECOND);
        self.world.draw(&stacks, attester);
        for daemon in [&self.one, &self.other] {
            daemon.run(daemon.record(&stacks, None));
        }
        stacks
    }

    fn catch_up(&self) {
        for daemon in [&self.one, &self.other] {
            daemon.run(daemon.catch_up());
        }
    }

    /// Sends a request to `other` on its own thread, and does `meanwhile` on this one.
    fn while_other_sends<T>(
        &self,
        request: &Request,
        node: NodeSmallId,
        meanwhile: impl FnOnce() -> T,
    ) -> (T, Answers) {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| answers(&self.other, request, node));
            let meanwhile = meanwhile();
            (meanwhile, other.join().unwrap())
        })
    }

    fn wait_for(&self, gate: &Gate) {
        let reached = async { timeout(PATIENCE, gate.reached()).await };
        self.world.block_on(reached).expect("the gate is reached");
    }

    /// How many attempts of `other` have ended with this status.
    fn ended(&self, status: AttemptStatus) -> usize {
        self.interceptor.observer.count(status)
    }

    /// Checks that each of these effects is on chain once and that no intent is open.
    fn stop(self, effects: impl Iterator<Item = String>) {
        let Self {
            world, one, other, ..
        } = self;
        let ledger = one.run(Ledger::read(&one));
        ledger.assert_nothing_twice();
        let shown = ledger.effects();
        for effect in effects {
            assert_eq!(shown.get(&effect), Some(&1), "{effect}");
        }
        for daemon in [one, other] {
            let open = daemon.run(daemon.unfinished());
            assert_eq!(open, [], "everything is decided");
            daemon.stop();
        }
        drop(world);
    }
}

fn answers(daemon: &Generation, request: &Request, node: NodeSmallId) -> Answers {
    daemon.run(request.send_for_digests(&daemon.operator, node))
}

fn attested(stacks: &[StackSmallId]) -> impl Iterator<Item = String> {
    let effect = |stack| format!("attest {stack} by {SECOND}");
    stacks.iter().map(effect)
}

/// One transaction processed each stack. If both daemons built the same bytes, both name it.
/// Otherwise one succeeded, and the other reports that it is already done.
fn assert_one_winner_each(request: &Request, one: &Answers, other: &Answers) {
    assert_eq!(one.len(), other.len());
    for answers in one.iter().zip(other) {
        match answers {
            (Ok(one), Ok(other)) => assert_eq!(one, other),
            (Ok(_), Err(failure)) | (Err(failure), Ok(_)) if request.is_already_done(failure) => {}
            neither => panic!("{neither:?}"),
        }
    }
}

#[test]
fn daemons_that_race_settle_each_stack_once_and_attest_it_once() {
    let pair = Pair::start();
    let stacks = pair.stacks(SAMPLING, 10);
    // The cost of a settlement is simulated once and then known. A simulation that hits a badge
    // which has just changed is retried only a few times, so the race begins after it.
    let first = pair.stacks(SAMPLING, 2);
    for (daemon, stack) in [&pair.one, &pair.other].into_iter().zip(&first) {
        let done = answers(daemon, &Request::Settle(vec![*stack]), FIRST);
        assert!(done[0].is_ok(), "{done:?}");
    }
    let settle = Request::Settle(stacks.clone());
    let (one, other) =
        pair.while_other_sends(&settle, FIRST, || answers(&pair.one, &settle, FIRST));
    assert_one_winner_each(&settle, &one, &other);
    pair.catch_up();
    let attest = Request::Attest(stacks.clone());
    let (one, other) =
        pair.while_other_sends(&attest, SECOND, || answers(&pair.one, &attest, SECOND));
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

/// Whether a failure says that the other daemon did it. A claim is checked against the mirror; if
/// the claim of the other one is later than that, the contract aborts because the ticket is gone.
fn says_other_did_it(request: &Request, failure: &Failure) -> bool {
    let gone = "EFieldDoesNotExist";
    request.is_already_done(failure)
        || matches!(
            (request, failure),
            (Request::Claim(_), Failure::ContractAbort { abort_name, .. })
                if abort_name.as_deref() == Some(gone)
        )
}

/// Holds `other` at a call while `one` sends the same request, then releases it. It must notice,
/// whether it had signed by then or not.
fn overtake(pair: &Pair, request: &Request, node: NodeSmallId, call: &'static str, side: Side) {
    let gate = pair.interceptor.gate(call, side);
    let (won, lost) = pair.while_other_sends(request, node, || {
        pair.wait_for(&gate);
        // Otherwise both would build the same bytes.
        let moved = answers(
            &pair.one,
            &Request::Update(TaskSmallId::new(1), NODE_PRICE),
            node,
        );
        assert!(moved[0].is_ok(), "{moved:?}");
        let won = answers(&pair.one, request, node);
        gate.open();
        won
    });
    assert!(won.iter().all(Result::is_ok), "{won:?}");
    for failure in lost {
        let failure = failure.expect_err("the first one did it");
        assert!(says_other_did_it(request, &failure), "{failure:?}");
    }
}

/// Overtakes `other` twice: after its attempt was signed and recorded, and after it had only read
/// the chain. Returns how many attempts were proved dead each time.
fn overtake_twice(
    pair: &Pair,
    request: fn(Vec<StackSmallId>) -> Request,
    node: NodeSmallId,
    stacks: &[StackSmallId],
) -> (usize, usize) {
    let (signed, looked_at) = stacks.split_at(stacks.len() / 2);
    overtake(
        pair,
        &request(signed.to_vec()),
        node,
        "execute",
        Side::Before,
    );
    let first = pair.ended(AttemptStatus::Dead);
    overtake(
        pair,
        &request(looked_at.to_vec()),
        node,
        "view",
        Side::After,
    );
    let second = pair.ended(AttemptStatus::Dead) - first;
    assert_eq!(pair.ended(AttemptStatus::Succeeded), 0);
    (first, second)
}

#[test]
fn a_daemon_that_is_overtaken_does_not_settle_again() {
    let pair = Pair::start();
    let stacks = pair.stacks(SAMPLING, 2);
    let dead = overtake_twice(&pair, Request::Settle, FIRST, &stacks);
    // The second time the cost is known, so it signs without a simulation.
    assert_eq!(dead, (1, 1));
    pair.stop(stacks.iter().map(|stack| format!("settle {stack}")));
}

#[test]
fn a_daemon_that_is_overtaken_does_not_attest_again() {
    let pair = Pair::start();
    let stacks = pair.stacks(SAMPLING, 4);
    pair.one.run(pair.one.settle(&stacks));
    pair.catch_up();
    let dead = overtake_twice(&pair, Request::Attest, SECOND, &stacks);
    // The second time the simulation rejects the old badge version, before anything is signed.
    assert_eq!(dead, (1, 0));
    pair.stop(attested(&stacks));
}

#[test]
fn a_daemon_that_is_overtaken_does_not_claim_again() {
    let pair = Pair::start();
    let stacks = pair.stacks(NONE, 4);
    pair.one.run(pair.one.settle(&stacks));
    for _ in 0..2 {
        pair.world.network.advance_epoch().unwrap();
    }
    pair.catch_up();
    let dead = overtake_twice(&pair, Request::Claim, FIRST, &stacks);
    assert_eq!(dead, (1, 0));
    pair.stop(stacks.iter().map(|stack| format!("claim {stack}")));
}

#[test]
fn a_daemon_that_is_overtaken_repeatedly_succeeds_in_the_end() {
    let pair = Pair::start();
    // More than the engine's tries for a transaction that is cancelled.
    let stacks = pair.stacks(SAMPLING, 8);
    pair.one.run(pair.one.settle(&stacks));
    pair.catch_up();
    let (own, others) = stacks.split_first().unwrap();
    let first = pair.interceptor.gate("execute", Side::Before);
    let ((), done) = pair.while_other_sends(&Request::Attest(vec![*own]), SECOND, || {
        let mut gate = first;
        for stack in others {
            pair.wait_for(&gate);
            let attested = answers(&pair.one, &Request::Attest(vec![*stack]), SECOND);
            assert!(attested[0].is_ok(), "{attested:?}");
            // For its next submission.
            let next = pair.interceptor.gate("execute", Side::Before);
            gate.open();
            gate = next;
        }
        gate.open();
    });
    assert!(done[0].is_ok(), "{done:?}");
    assert_eq!(pair.ended(AttemptStatus::Dead), others.len());
    pair.stop(attested(&stacks));
}
