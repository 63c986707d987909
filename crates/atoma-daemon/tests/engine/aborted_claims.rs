//! Claims that were right when they were simulated, and are not when they are executed. A crash at
//! every point of such a run is in `crash/matrix.rs`.

use atoma_domain::StackSmallId;
use atoma_domain::journal::Failure;
use atoma_operator::StackStatus;

use crate::support::ask::Ask;
use crate::support::audit::{Ledger, journal, journal_agrees_with_ledger};
use crate::support::generation::Generation;
use crate::support::matrix::{Row, Way, assert_done_once, die_at};
use crate::support::points::{Moment, Side};
use crate::support::subjects::{FIRST, Subject, stacks, to_claim_mixed};
use crate::support::world::{CHARGE, SAMPLING, World, charge, choice, gas};

/// What stacks of sampling-consensus tasks then cost in thousandths of others: more than the
/// treasury holds.
const TOO_MUCH: u64 = 1_000_000_000;

/// Transactions of the operator that were executed in vain.
fn aborted(ledger: &Ledger) -> usize {
    let transactions = ledger.transactions.iter();
    transactions.filter(|t| t.events.is_empty()).count()
}

/// A daemon of another operator whose node disputes that stack, when it is asked to.
fn rival(world: &World, stack: StackSmallId) -> impl FnOnce() + Send + 'static {
    let site = world.newcomer(&[1_000_000_000_000]);
    let node = world.register(&site, 1)[0];
    let rival = world.begin(&site);
    rival.finish(rival.record(&[stack], Some(node)));
    let dispute = move || {
        let answers = rival.finish(Ask::Dispute(stack).make(&rival.operator, node));
        assert_eq!(answers, [Ok(())]);
        rival.stop();
    };
    // It has a runtime of its own.
    || std::thread::spawn(dispute).join().unwrap()
}

#[test]
fn of_five_claims_that_abort_together_the_bad_one_fails_for_its_own_reason() {
    let world = World::start();
    let site = world.operator(2, 1);
    let stacks = stacks(&world, &site, SAMPLING, 5, true, false);
    world.network.advance_epoch().unwrap();
    world.network.advance_epoch().unwrap();
    let dispute = rival(&world, stacks[3]);
    let mut subject = Subject::to_claim(&site, stacks);
    subject.vain = vec![subject.effects[3].clone()];
    let generation = world.begin(&site);
    generation.finish(generation.catch_up());
    generation.points.before("chain.execute", dispute);
    generation.finish(async {
        let answers = Way::Keyed.ask(&generation, &subject).await;
        for (place, answer) in answers.iter().enumerate() {
            assert_eq!(answer.is_ok(), place != 3, "{answer:?}");
        }
        let failure = answers[3].as_ref().unwrap_err();
        let Failure::ContractAbort { abort_name, .. } = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(abort_name.as_deref(), Some("EStackInDispute"));
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, &subject, Way::Keyed, "one is disputed");
        assert_eq!(aborted(&ledger), 1);
    });
    generation.stop();
}

/// A claim of one stack, whose price changes to more than the treasury holds before it is sent.
fn too_dear() -> (World, Subject, Row) {
    let world = World::start();
    let site = world.operator(2, 1);
    let stacks = stacks(&world, &site, SAMPLING, 1, true, false);
    world.network.advance_epoch().unwrap();
    world.network.advance_epoch().unwrap();
    let row = Row {
        during: |world, points| world.change_charge_at_execution(points, TOO_MUCH),
        ..Row::new(2, to_claim_mixed)
    };
    (world, Subject::to_claim(&site, stacks), row)
}

/// The claim waits, and is made by itself when the treasury suffices.
async fn assert_waits_and_is_made(generation: &Generation, world: &World, subject: &Subject) {
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
    let answers = Way::Keyed.ask(generation, subject).await;
    assert!(answers[0].is_ok(), "{answers:?}");
    let ledger = journal_agrees_with_ledger(generation).await;
    assert_done_once(&ledger, subject, Way::Keyed, "the treasury has grown");
    assert_eq!(aborted(&ledger), 1);
}

#[test]
fn a_claim_that_the_treasury_turns_out_too_small_for_waits_and_is_made() {
    let (world, subject, row) = too_dear();
    let generation = world.begin(&subject.site);
    generation.finish(generation.catch_up());
    (row.during)(&world, &generation.points);
    generation.finish(async {
        let Ask::Claim(stacks) = &subject.ask else {
            panic!("{subject:?}");
        };
        let operator = generation.operator.with_key(subject.key());
        let results = operator.claim(stacks, choice(FIRST), gas()).await.unwrap();
        assert_eq!(results[0].status, StackStatus::Pending, "{results:?}");
        assert_eq!(results[0].failure, Some(Failure::TreasuryShort {}));
        assert_waits_and_is_made(&generation, &world, &subject).await;
    });
    generation.stop();
}

#[test]
fn a_claim_that_the_treasury_turned_out_too_small_for_is_made_though_the_daemon_dies() {
    for (name, side) in [
        ("chain.execute", Side::After),
        ("journal.conclude", Side::Before),
        ("journal.conclude", Side::After),
    ] {
        let (world, subject, row) = too_dear();
        let at = Moment { name, nth: 1, side };
        assert!(die_at(&world, &row, &subject, Way::Keyed, at));
        let generation = world.begin(&subject.site);
        generation.finish(async {
            generation.engine.recover().await.unwrap();
            assert_waits_and_is_made(&generation, &world, &subject).await;
        });
        generation.stop();
    }
}
