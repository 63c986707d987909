//! Journals that can't be written, or whose answer is lost: nothing is sent that is not written
//! down, and what is written down is done once.

use atoma_domain::journal::{Action, Actor, Failure, GasOptions, IntentStatus, NewIntent};
use atoma_operator::{StackResult, StackStatus, Submission};

use crate::support::ask::Ask;
use crate::support::audit::{Ledger, journal_agrees_with_ledger};
use crate::support::generation::{Generation, PATIENCE};
use crate::support::matrix::{Way, assert_done_once, come_back};
use crate::support::subjects::{FIRST, SECOND, Subject, to_settle};
use crate::support::world::{NONE, World, choice, gas};

/// The daemon's calls of those names, in order.
fn calls_named(generation: &Generation, names: &[&str]) -> Vec<&'static str> {
    let mut calls = generation.points.calls();
    calls.retain(|call| names.contains(call));
    calls
}

/// A daemon whose journal fails `times` times at the call of that name, with a stack to settle.
fn with_failing_journal(call: &'static str, times: usize) -> (World, Subject, Generation) {
    let world = World::start();
    let site = world.operator(2, 1);
    let subject = to_settle(&world, &site, 1).remove(0);
    let generation = world.begin(&site);
    generation.finish(generation.catch_up());
    generation.points.arm(Default::default());
    generation.points.refuse(call, times);
    (world, subject, generation)
}

/// Asks for the stack to be settled. While the journal can't be written the answer is an early one:
/// then waits until all is final.
async fn ask_until_final(generation: &Generation, subject: &Subject) -> StackResult {
    let result = settle(generation, subject).await;
    if result.status == StackStatus::Pending {
        let told = matches!(result.failure, Some(Failure::Internal { .. }));
        assert!(told, "{result:?}");
        generation.all_final().await;
    }
    result
}

async fn settle(generation: &Generation, subject: &Subject) -> StackResult {
    let Ask::Settle(stacks) = &subject.ask else {
        panic!("{:?}", subject.ask);
    };
    let operator = &generation.operator;
    let settled = operator.settle(stacks, None, choice(FIRST), gas()).await;
    settled.unwrap().remove(0)
}

#[test]
fn nothing_is_begun_that_the_journal_does_not_take() {
    let (_world, subject, generation) = with_failing_journal("journal.open", 1);
    generation.finish(async {
        let refused = subject.ask.make(&generation.operator, FIRST).await;
        assert!(
            matches!(refused[..], [Err(Failure::Internal { .. })]),
            "{refused:?}"
        );
        assert_eq!(generation.points.calls(), ["journal.open"]);
        assert_eq!(
            subject.ask.make(&generation.operator, FIRST).await,
            [Ok(())]
        );
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, &subject, Way::Keyless, "later");
    });
    generation.stop();
}

#[test]
fn nothing_is_sent_before_it_is_written_down() {
    let (_world, subject, generation) = with_failing_journal("journal.record_attempt", 5);
    generation.finish(async {
        let told = ask_until_final(&generation, &subject).await;
        assert_eq!((told.status, told.tx_digest), (StackStatus::Pending, None));
        let mut expected = vec!["journal.record_attempt"; 6];
        expected.push("chain.execute");
        let calls = ["journal.record_attempt", "chain.execute"];
        assert_eq!(calls_named(&generation, &calls), expected);
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, &subject, Way::Keyless, "later");
    });
    generation.stop();
}

#[test]
fn an_attempt_that_can_never_be_written_down_is_never_sent_and_made_by_the_next_daemon() {
    let (world, subject, generation) = with_failing_journal("journal.record_attempt", usize::MAX);
    generation.finish(async {
        let four = async || (generation.points.count("journal.record_attempt") > 4).then_some(());
        // Told after the first try; it is tried on.
        let told = Way::Keyed.ask(&generation, &subject).await;
        assert!(
            matches!(told[..], [Err(Failure::Internal { .. })]),
            "{told:?}"
        );
        generation.points.until(four).await;
        assert_eq!(generation.points.count("chain.execute"), 0);
        let effects = Ledger::read(&generation).await.effects();
        assert_eq!(effects.get(&subject.effects[0]), None);
    });
    generation.kill();
    let moment = "with a journal that works";
    come_back(&world, &subject, Way::Keyed, Some(true), moment);
}

#[test]
fn an_outcome_that_can_not_be_written_down_at_once_is_not_lost_and_nothing_sent_again() {
    let (_world, subject, generation) = with_failing_journal("journal.conclude", 3);
    generation.finish(async {
        let told = ask_until_final(&generation, &subject).await;
        assert_eq!(told.status, StackStatus::Pending);
        assert!(told.tx_digest.is_some(), "{told:?}");
        let mut expected = vec!["chain.execute"];
        expected.extend(["journal.conclude"; 4]);
        let calls = ["chain.execute", "journal.conclude"];
        assert_eq!(calls_named(&generation, &calls), expected);
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, &subject, Way::Keyless, "later");
    });
    generation.stop();
}

/// A database can fail to say that it did what it did, as a server does whose connection breaks
/// off while it commits. Whatever the request is told, what the journal holds is done once.
#[test]
fn a_stack_is_settled_exactly_once_though_the_journals_answer_is_lost() {
    for call in ["journal.open", "journal.record_attempt", "journal.conclude"] {
        let (world, subject, generation) = with_failing_journal(call, 0);
        generation.points.lose_answer(call);
        generation.finish(async {
            Way::Keyed.ask(&generation, &subject).await;
            if call != "journal.open" {
                generation.all_final().await;
            }
            let effects = Ledger::read(&generation).await.effects();
            let times = effects.get(&subject.effects[0]).copied();
            let sent = generation.points.count("chain.execute");
            assert_eq!(times.unwrap_or(0), sent, "{call}");
        });
        generation.kill();
        come_back(&world, &subject, Way::Keyed, Some(true), call);
    }
}

/// The attempt that holds the coin dies with its epoch, in which the other lane has read the chain.
#[test]
fn a_lane_that_waits_for_the_only_coin_gets_it_though_the_attempt_that_held_it_dies() {
    let world = World::start();
    let site = world.operator(2, 1);
    let mut stacks = world.buy(NONE, FIRST, 1);
    stacks.extend(world.buy(NONE, SECOND, 1));
    let generation = world.begin(&site);
    generation.finish(generation.record(&stacks, None));
    let network = world.network.clone();
    let end_epoch = move || assert!(network.advance_epoch().is_ok());
    generation.points.before("chain.execute", end_epoch);
    generation.finish(generation.settle(&stacks));
    generation.finish(journal_agrees_with_ledger(&generation));
    generation.stop();
}

/// No restart is needed to go on with what the journal holds though its answer was lost.
#[test]
fn a_repeated_request_goes_on_where_the_journals_answer_was_lost() {
    for way in [Way::Keyed, Way::Keyless] {
        for call in ["journal.open", "journal.record_attempt"] {
            let (_world, subject, generation) = with_failing_journal(call, 0);
            generation.points.lose_answer(call);
            generation.finish(async {
                for _ in 0..2 {
                    way.ask(&generation, &subject).await;
                }
                generation.all_final().await;
                let ledger = journal_agrees_with_ledger(&generation).await;
                assert_done_once(&ledger, &subject, way, call);
            });
            generation.stop();
        }
    }
}

/// Both were found right before either was made.
#[test]
fn of_two_registrations_that_must_be_the_only_one_the_second_is_refused() {
    let world = World::start();
    let site = world.operator(0, 2);
    let generation = world.begin(&site);
    generation.finish(async {
        let register = || NewIntent {
            action: Action::RegisterNode { additional: false },
            actor: Actor::Address {
                address: site.address,
            },
            gas: GasOptions::default(),
        };
        let mut ends = Vec::new();
        for _ in 0..2 {
            let submitted = generation.engine.submit(vec![register()]).await.unwrap();
            let [Submission::Accepted(id)] = submitted.as_slice() else {
                panic!("{submitted:?}");
            };
            ends.extend(generation.engine.wait(&[*id], PATIENCE).await);
        }
        assert_eq!(ends[0].status, IntentStatus::Succeeded);
        assert!(
            matches!(ends[1].failure, Some(Failure::AlreadyRegistered { .. })),
            "{ends:?}"
        );
    });
    generation.stop();
}
