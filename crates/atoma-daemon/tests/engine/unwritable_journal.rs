//! Writes to the journal that fail, or whose answer is lost. Nothing is sent before it is recorded,
//! and what is recorded is done once.

use atoma_domain::journal::{Action, Actor, Failure, GasOptions, IntentStatus, NewIntent};
use atoma_operator::{StackResult, StackStatus, Submission};

use crate::support::audit::{Ledger, journal_agrees_with_ledger};
use crate::support::cases::{Case, FIRST, SECOND, to_settle};
use crate::support::generation::{Generation, PATIENCE};
use crate::support::matrix::{Idempotency, assert_done_once, recover_and_repeat};
use crate::support::request::Request;
use crate::support::world::{NONE, World, gas};

/// The daemon's calls with these names, in order.
fn calls_named(generation: &Generation, names: &[&str]) -> Vec<&'static str> {
    let mut calls = generation.points.calls();
    calls.retain(|call| names.contains(call));
    calls
}

/// A daemon with a stack to settle, whose journal fails the next `times` calls of that name.
fn with_failing_journal(call: &'static str, times: usize) -> (World, Case, Generation) {
    let world = World::start();
    let site = world.operator(2, 1);
    let case = to_settle(&world, &site, 1).remove(0);
    let generation = world.begin(&site);
    generation.run(generation.catch_up());
    generation.points.arm(Default::default());
    generation.points.fail_next(call, times);
    (world, case, generation)
}

/// Settles the stack. While the journal can't be written the answer comes early, as pending; then
/// waits until everything is final.
async fn settle_until_final(generation: &Generation, case: &Case) -> StackResult {
    let result = settle(generation, case).await;
    if result.status == StackStatus::Pending {
        let is_internal = matches!(result.failure, Some(Failure::Internal { .. }));
        assert!(is_internal, "{result:?}");
        generation.all_final().await;
    }
    result
}

async fn settle(generation: &Generation, case: &Case) -> StackResult {
    let Request::Settle(stacks) = &case.request else {
        panic!("{:?}", case.request);
    };
    let operator = &generation.operator;
    let settled = operator.settle(stacks, None, FIRST.into(), gas()).await;
    settled.unwrap().remove(0)
}

#[test]
fn nothing_starts_that_the_journal_does_not_accept() {
    let (_world, case, generation) = with_failing_journal("journal.open", 1);
    generation.run(async {
        let refused = case.request.send(&generation.operator, FIRST).await;
        assert!(
            matches!(refused[..], [Err(Failure::Internal { .. })]),
            "{refused:?}"
        );
        assert_eq!(generation.points.calls(), ["journal.open"]);
        assert_eq!(
            case.request.send(&generation.operator, FIRST).await,
            [Ok(())]
        );
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, &case, Idempotency::Keyless, "later");
    });
    generation.stop();
}

#[test]
fn nothing_is_sent_before_it_is_recorded() {
    let (_world, case, generation) = with_failing_journal("journal.record_attempt", 5);
    generation.run(async {
        let answer = settle_until_final(&generation, &case).await;
        assert_eq!(
            (answer.status, answer.tx_digest),
            (StackStatus::Pending, None)
        );
        let mut expected = vec!["journal.record_attempt"; 6];
        expected.push("chain.execute");
        let calls = ["journal.record_attempt", "chain.execute"];
        assert_eq!(calls_named(&generation, &calls), expected);
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, &case, Idempotency::Keyless, "later");
    });
    generation.stop();
}

#[test]
fn an_attempt_that_can_never_be_recorded_is_not_sent_and_the_next_daemon_settles() {
    let (world, case, generation) = with_failing_journal("journal.record_attempt", usize::MAX);
    generation.run(async {
        let four = async || (generation.points.count("journal.record_attempt") > 4).then_some(());
        // The answer comes after the first try; the engine keeps trying.
        let answer = Idempotency::Keyed.send(&generation, &case).await;
        assert!(
            matches!(answer[..], [Err(Failure::Internal { .. })]),
            "{answer:?}"
        );
        generation.points.until(four).await;
        assert_eq!(generation.points.count("chain.execute"), 0);
        let effects = Ledger::read(&generation).await.effects();
        assert_eq!(effects.get(&case.effects[0]), None);
    });
    generation.kill();
    let context = "with a journal that works";
    recover_and_repeat(&world, &case, Idempotency::Keyed, Some(true), context);
}

#[test]
fn an_outcome_that_cannot_be_recorded_at_once_is_not_lost_and_nothing_is_sent_again() {
    let (_world, case, generation) = with_failing_journal("journal.conclude", 3);
    generation.run(async {
        let answer = settle_until_final(&generation, &case).await;
        assert_eq!(answer.status, StackStatus::Pending);
        assert!(answer.tx_digest.is_some(), "{answer:?}");
        let mut expected = vec!["chain.execute"];
        expected.extend(["journal.conclude"; 4]);
        let calls = ["chain.execute", "journal.conclude"];
        assert_eq!(calls_named(&generation, &calls), expected);
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, &case, Idempotency::Keyless, "later");
    });
    generation.stop();
}

/// What the journal rejects for good is neither announced nor tried again and again: the stack's caller
/// learns of it, the lane goes on, and the next daemon concludes what the ledger shows.
#[test]
fn an_outcome_that_the_journal_rejects_is_not_announced_and_the_next_daemon_concludes_it() {
    let world = World::start();
    let site = world.operator(2, 1);
    let [case, other] = <[Case; 2]>::try_from(to_settle(&world, &site, 2)).unwrap();
    let generation = world.begin(&site);
    generation.run(generation.catch_up());
    generation.points.arm(Default::default());
    generation.points.reject_next("journal.conclude");
    generation.run(async {
        let answer = settle(&generation, &case).await;
        assert_eq!(answer.status, StackStatus::Pending);
        assert!(answer.tx_digest.is_some(), "{answer:?}");
        assert!(
            matches!(&answer.failure, Some(Failure::Internal { reason }) if reason.contains("next start")),
            "{answer:?}"
        );
        let settled = settle(&generation, &other).await;
        assert_eq!(settled.status, StackStatus::Succeeded, "{settled:?}");
    });
    generation.stop();
    for case in [case, other] {
        let context = "after a rejected outcome";
        recover_and_repeat(&world, &case, Idempotency::Keyless, Some(true), context);
    }
}

/// An attempt that the journal rejects for good is never sent.
#[test]
fn an_attempt_that_the_journal_rejects_fails_its_intent() {
    let (_world, case, generation) = with_failing_journal("journal.record_attempt", 0);
    generation.points.reject_next("journal.record_attempt");
    generation.run(async {
        let answer = settle(&generation, &case).await;
        assert_eq!(answer.status, StackStatus::Failed);
        assert_eq!(generation.points.count("chain.execute"), 0);
        assert!(
            matches!(answer.failure, Some(Failure::Internal { .. })),
            "{answer:?}"
        );
        let again = settle(&generation, &case).await;
        assert_eq!(again.status, StackStatus::Succeeded, "{again:?}");
    });
    generation.stop();
}

/// A database may commit without its answer arriving, as when the connection to a server breaks
/// during the commit. Whatever the request is answered, what the journal holds is done once.
#[test]
fn a_stack_is_settled_exactly_once_if_the_journals_answer_is_lost() {
    for call in ["journal.open", "journal.record_attempt", "journal.conclude"] {
        let (world, case, generation) = with_failing_journal(call, 0);
        generation.points.lose_answer(call);
        generation.run(async {
            Idempotency::Keyed.send(&generation, &case).await;
            if call != "journal.open" {
                generation.all_final().await;
            }
            let effects = Ledger::read(&generation).await.effects();
            let times = effects.get(&case.effects[0]).copied();
            let sent = generation.points.count("chain.execute");
            assert_eq!(times.unwrap_or(0), sent, "{call}");
        });
        generation.kill();
        recover_and_repeat(&world, &case, Idempotency::Keyed, Some(true), call);
    }
}

/// The attempt that holds the coin expires with its epoch, in which the other lane has read the
/// chain.
#[test]
fn a_lane_that_waits_for_the_only_coin_gets_it_when_the_attempt_that_held_it_expires() {
    let world = World::start();
    let site = world.operator(2, 1);
    let mut stacks = world.buy(NONE, FIRST, 1);
    stacks.extend(world.buy(NONE, SECOND, 1));
    let generation = world.begin(&site);
    generation.run(generation.record(&stacks, None));
    let network = world.network.clone();
    let end_epoch = move || assert!(network.advance_epoch().is_ok());
    generation.points.before("chain.execute", end_epoch);
    generation.run(generation.settle(&stacks));
    generation.run(journal_agrees_with_ledger(&generation));
    generation.stop();
}

/// An intent whose journal answer was lost needs no restart to continue.
#[test]
fn a_repeated_request_continues_after_the_journals_answer_was_lost() {
    for idempotency in [Idempotency::Keyed, Idempotency::Keyless] {
        for call in ["journal.open", "journal.record_attempt"] {
            let (_world, case, generation) = with_failing_journal(call, 0);
            generation.points.lose_answer(call);
            generation.run(async {
                for _ in 0..2 {
                    idempotency.send(&generation, &case).await;
                }
                generation.all_final().await;
                let ledger = journal_agrees_with_ledger(&generation).await;
                assert_done_once(&ledger, &case, idempotency, call);
            });
            generation.stop();
        }
    }
}

/// Both passed the checks before either was executed.
#[test]
fn of_two_registrations_that_must_be_the_first_the_second_is_refused() {
    let world = World::start();
    let site = world.operator(0, 2);
    let generation = world.begin(&site);
    generation.run(async {
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
