//! Claims that pass simulation and abort on execution. `crash/matrix.rs` crashes at every point of
//! such a run.

use atoma_domain::StackSmallId;
use atoma_domain::journal::Failure;
use atoma_operator::StackStatus;

use crate::support::audit::{Ledger, journal, journal_agrees_with_ledger};
use crate::support::cases::{Case, FIRST, stacks, to_claim_mixed};
use crate::support::fail_points::{CrashPoint, Side};
use crate::support::generation::Generation;
use crate::support::matrix::{Idempotency, Row, assert_done_once, crash_at};
use crate::support::request::Request;
use crate::support::world::{CHARGE, SAMPLING, World, charge, gas};

/// The charge for stacks of sampling-consensus tasks, in permille, that makes one cost more than
/// the treasury holds.
const TOO_MUCH: u64 = 1_000_000_000;

/// How many of the operator's transactions aborted.
fn aborted(ledger: &Ledger) -> usize {
    let transactions = ledger.transactions.iter();
    transactions.filter(|t| t.events.is_empty()).count()
}

/// Prepares another operator's daemon. The returned closure disputes the stack with its node.
fn rival(world: &World, stack: StackSmallId) -> impl FnOnce() + Send + 'static {
    let site = world.new_operator(&[1_000_000_000_000]);
    let node = world.register(&site, 1)[0];
    let rival = world.begin(&site);
    rival.run(rival.record(&[stack], Some(node)));
    let dispute = move || {
        let answers = rival.run(Request::Dispute(stack).send(&rival.operator, node));
        assert_eq!(answers, [Ok(())]);
        rival.stop();
    };
    // It runs on its own runtime, which can't start inside this one.
    || std::thread::spawn(dispute).join().unwrap()
}

#[test]
fn of_five_claims_that_abort_together_only_the_bad_one_fails() {
    let world = World::start();
    let site = world.operator(2, 1);
    let stacks = stacks(&world, &site, SAMPLING, 5, true, false);
    world.network.advance_epoch().unwrap();
    world.network.advance_epoch().unwrap();
    let dispute = rival(&world, stacks[3]);
    let mut case = Case::to_claim(&site, stacks);
    case.failing = vec![case.effects[3].clone()];
    let generation = world.begin(&site);
    generation.run(generation.catch_up());
    generation.points.before("chain.execute", dispute);
    generation.run(async {
        let answers = Idempotency::Keyed.send(&generation, &case).await;
        for (place, answer) in answers.iter().enumerate() {
            assert_eq!(answer.is_ok(), place != 3, "{answer:?}");
        }
        let failure = answers[3].as_ref().unwrap_err();
        let Failure::ContractAbort { abort_name, .. } = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(abort_name.as_deref(), Some("EStackInDispute"));
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, &case, Idempotency::Keyed, "one is disputed");
        assert_eq!(aborted(&ledger), 1);
    });
    generation.stop();
}

/// A claim of one stack whose price rises above the treasury's balance just before it is sent.
fn too_expensive() -> (World, Case, Row) {
    let world = World::start();
    let site = world.operator(2, 1);
    let stacks = stacks(&world, &site, SAMPLING, 1, true, false);
    world.network.advance_epoch().unwrap();
    world.network.advance_epoch().unwrap();
    let row = Row {
        during: |world, points| world.change_charge_at_execution(points, TOO_MUCH),
        ..Row::new(2, to_claim_mixed)
    };
    (world, Case::to_claim(&site, stacks), row)
}

/// The claim waits, and succeeds on its own once the treasury has enough.
async fn assert_waits_and_succeeds(generation: &Generation, world: &World, case: &Case) {
    let id = journal(generation).await[0].intent.id;
    let is_held = async || {
        let held = generation.engine.held(id);
        (held == Some(Failure::TreasuryShort {})).then_some(())
    };
    generation.points.until(is_held).await;
    assert_eq!(generation.unfinished().await, [id]);
    charge(&world.network, CHARGE);
    world.buy(SAMPLING, FIRST, 1);
    generation.all_final().await;
    generation.catch_up().await;
    let answers = Idempotency::Keyed.send(generation, case).await;
    assert!(answers[0].is_ok(), "{answers:?}");
    let ledger = journal_agrees_with_ledger(generation).await;
    assert_done_once(&ledger, case, Idempotency::Keyed, "the treasury has grown");
    assert_eq!(aborted(&ledger), 1);
}

#[test]
fn a_claim_that_the_treasury_cannot_pay_on_execution_waits_and_succeeds() {
    let (world, case, row) = too_expensive();
    let generation = world.begin(&case.site);
    generation.run(generation.catch_up());
    (row.during)(&world, &generation.points);
    generation.run(async {
        let Request::Claim(stacks) = &case.request else {
            panic!("{case:?}");
        };
        let operator = generation.operator.with_key(case.key());
        let results = operator.claim(stacks, FIRST.into(), gas()).await.unwrap();
        assert_eq!(results[0].status, StackStatus::Pending, "{results:?}");
        assert_eq!(results[0].failure, Some(Failure::TreasuryShort {}));
        assert_waits_and_succeeds(&generation, &world, &case).await;
    });
    generation.stop();
}

#[test]
fn a_claim_that_the_treasury_could_not_pay_succeeds_after_a_crash() {
    for (name, side) in [
        ("chain.execute", Side::After),
        ("journal.conclude", Side::Before),
        ("journal.conclude", Side::After),
    ] {
        let (world, case, row) = too_expensive();
        let at = CrashPoint { name, nth: 1, side };
        assert!(crash_at(&world, &row, &case, Idempotency::Keyed, at));
        let generation = world.begin(&case.site);
        generation.run(async {
            generation.engine.recover().await.unwrap();
            assert_waits_and_succeeds(&generation, &world, &case).await;
        });
        generation.stop();
    }
}
