//! The daemon dies before and after every call of a port, for every kind of intent: what was asked
//! for is done exactly once, whatever the moment.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod crashing;

use atoma_domain::journal::{Action, Actor, Failure, GasOptions, IntentStatus, NewIntent};
use atoma_domain::{NodeSmallId, PricePerMillion};
use atoma_operator::Submission;

use crashing::ask::Ask;
use crashing::audit::{Ledger, journal_agrees_with_ledger};
use crashing::generation::{Generation, PATIENCE};
use crashing::points::{Points, Side};
use crashing::subjects::{
    FIRST, Prepare, SECOND, Subject, to_attest, to_claim, to_claim_confidential, to_dispute,
    to_offer_model, to_register, to_settle, to_settle_three, to_subscribe, to_unsubscribe,
    to_update,
};
use crashing::world::{NODE_PRICE, NONE, World};

/// Has the daemon die at every point of a request, start anew and hear the request again. `nodes`
/// is how many nodes the operator has; `meanwhile` happens while no daemon runs.
fn die_everywhere(nodes: usize, prepare: Prepare, meanwhile: fn(&World)) {
    let world = World::start();
    // One coin: a lease that is never given back keeps everything after it waiting.
    let site = world.operator(nodes, 1);
    let calls = calls_of(&world, &prepare(&world, &site, 1)[0]);
    for call in [
        "journal.open",
        "journal.record_attempt",
        "chain.execute",
        "journal.conclude",
    ] {
        assert!(calls.contains(&call), "{call} is not among {calls:?}");
    }
    let mut subjects = prepare(&world, &site, calls.len() * 2).into_iter();
    for (number, name) in calls.iter().enumerate() {
        for side in [Side::Before, Side::After] {
            let subject = subjects.next().unwrap();
            let moment = format!("{side:?} call {} ({name})", number + 1);
            die_at(&world, &subject, number + 1, side, &moment);
            meanwhile(&world);
            come_back(&world, &subject, &moment);
        }
    }
}

/// The calls that a request makes when nothing goes wrong.
fn calls_of(world: &World, subject: &Subject) -> Vec<&'static str> {
    let generation = world.begin(&subject.site);
    generation.finish(generation.catch_up());
    generation.points.arm(Default::default());
    let answer = generation.finish(subject.ask.make(&generation.operator, subject.node));
    assert!(answer.iter().all(Result::is_ok), "{answer:?}");
    let calls = generation.points.calls();
    generation.finish(assert_done_once(&generation, subject, "without a crash"));
    generation.stop();
    calls
}

fn die_at(world: &World, subject: &Subject, number: usize, side: Side, moment: &str) {
    let generation = Generation::start(&subject.site, Points::new(&world.network));
    generation.finish(generation.catch_up());
    generation.points.arm_crash(number, side);
    let answer = generation.drive(subject.ask.make(&generation.operator, subject.node));
    assert!(answer.is_none(), "{moment} was not reached: {answer:?}");
    generation.kill();
}

fn come_back(world: &World, subject: &Subject, moment: &str) {
    let generation = world.begin(&subject.site);
    generation.finish(async {
        generation.recover().await;
        generation.catch_up().await;
        let answers = subject.ask.make(&generation.operator, subject.node).await;
        for answer in answers {
            if let Err(failure) = answer {
                let so = subject.ask.is_already_so(&failure);
                assert!(so, "{moment}: {failure:?}");
            }
        }
        assert_done_once(&generation, subject, moment).await;
        assert_nothing_leased(&generation, world, subject.node, moment).await;
        journal_agrees_with_ledger(&generation).await;
    });
    generation.stop();
}

async fn assert_done_once(generation: &Generation, subject: &Subject, moment: &str) {
    let effects = Ledger::read(generation).await.effects();
    for effect in &subject.effects {
        let times = effects.get(effect).copied().unwrap_or(0);
        // A price can be set twice: by the intent that the crash left, and by the repeated request.
        let most = if matches!(subject.ask, Ask::Update(..)) {
            2
        } else {
            1
        };
        assert!(
            (1..=most).contains(&times),
            "{moment}: {effect} {times} times"
        );
    }
}

/// Another intent of the same badge goes through.
async fn assert_nothing_leased(
    generation: &Generation,
    world: &World,
    node: NodeSmallId,
    moment: &str,
) {
    generation.catch_up().await;
    let nodes = generation.operator.nodes().await.unwrap();
    let node = nodes
        .iter()
        .find(|own| own.node_small_id == node)
        .or(nodes.last())
        .unwrap();
    let task = world.tasks[NONE];
    let update = Ask::Update(task, PricePerMillion::new(1));
    let subscribe = Ask::Subscribe(task, NODE_PRICE);
    let node = node.node_small_id;
    let mut answers = update.make(&generation.operator, node).await;
    if matches!(answers[..], [Err(Failure::NotSubscribed { .. })]) {
        answers = subscribe.make(&generation.operator, node).await;
    }
    assert_eq!(answers, [Ok(())], "{moment}, afterwards");
}

fn nothing(_: &World) {}

fn an_epoch_ends(world: &World) {
    world.network.advance_epoch().unwrap();
}

#[test]
fn a_registration_is_made_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(0, to_register, nothing);
}

#[test]
fn a_subscription_is_made_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(1, to_subscribe, nothing);
}

#[test]
fn a_model_is_offered_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(1, to_offer_model, nothing);
}

#[test]
fn a_price_is_set_and_journalled_whenever_the_daemon_dies() {
    die_everywhere(1, to_update, nothing);
}

#[test]
fn a_subscription_is_withdrawn_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(1, to_unsubscribe, nothing);
}

#[test]
fn a_stack_is_settled_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(2, to_settle, nothing);
}

#[test]
fn a_stack_is_settled_exactly_once_though_the_epoch_ends_while_the_daemon_is_dead() {
    die_everywhere(2, to_settle, an_epoch_ends);
}

#[test]
fn three_stacks_are_settled_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(2, to_settle_three, nothing);
}

#[test]
fn a_stack_is_attested_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(2, to_attest, nothing);
}

#[test]
fn a_dispute_is_raised_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(2, to_dispute, nothing);
}

#[test]
fn three_stacks_are_claimed_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(1, to_claim, nothing);
}

#[test]
fn two_confidential_stacks_are_claimed_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(1, to_claim_confidential, nothing);
}

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
        assert_done_once(&generation, &subject, "later").await;
        journal_agrees_with_ledger(&generation).await;
    });
    generation.stop();
}

#[test]
fn nothing_is_sent_before_it_is_written_down() {
    let (_world, subject, generation) = with_failing_journal("journal.record_attempt", 5);
    generation.finish(async {
        assert_eq!(
            subject.ask.make(&generation.operator, FIRST).await,
            [Ok(())]
        );
        let mut expected = vec!["journal.record_attempt"; 6];
        expected.push("chain.execute");
        let calls = ["journal.record_attempt", "chain.execute"];
        assert_eq!(calls_named(&generation, &calls), expected);
        assert_done_once(&generation, &subject, "later").await;
        journal_agrees_with_ledger(&generation).await;
    });
    generation.stop();
}

#[test]
fn an_attempt_that_can_never_be_written_down_is_never_sent_and_made_by_the_next_daemon() {
    let (world, subject, generation) = with_failing_journal("journal.record_attempt", usize::MAX);
    generation.finish(async {
        let tries = async {
            while generation.points.count("journal.record_attempt") < 4 {
                generation.points.refused().await;
            }
        };
        tokio::select! {
            answer = subject.ask.make(&generation.operator, FIRST) => panic!("{answer:?}"),
            () = tries => {}
        }
        assert_eq!(generation.points.count("chain.execute"), 0);
        let effects = Ledger::read(&generation).await.effects();
        assert_eq!(effects.get(&subject.effects[0]), None);
    });
    generation.kill();
    come_back(&world, &subject, "with a journal that works");
}

#[test]
fn an_outcome_that_can_not_be_written_down_at_once_is_not_lost_and_nothing_sent_again() {
    let (_world, subject, generation) = with_failing_journal("journal.conclude", 3);
    generation.finish(async {
        assert_eq!(
            subject.ask.make(&generation.operator, FIRST).await,
            [Ok(())]
        );
        let mut expected = vec!["chain.execute"];
        expected.extend(["journal.conclude"; 4]);
        let calls = ["chain.execute", "journal.conclude"];
        assert_eq!(calls_named(&generation, &calls), expected);
        assert_done_once(&generation, &subject, "later").await;
        journal_agrees_with_ledger(&generation).await;
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
            subject.ask.make(&generation.operator, FIRST).await;
            let effects = Ledger::read(&generation).await.effects();
            let times = effects.get(&subject.effects[0]).copied();
            let sent = generation.points.count("chain.execute");
            assert_eq!(times.unwrap_or(0), sent, "{call}");
        });
        generation.kill();
        come_back(&world, &subject, call);
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
    generation.points.end_epoch_before("chain.execute");
    generation.finish(generation.settle(&stacks));
    generation.finish(journal_agrees_with_ledger(&generation));
    generation.stop();
}

/// No restart is needed to go on with what the journal holds though its answer was lost.
#[test]
fn a_repeated_request_goes_on_where_the_journals_answer_was_lost() {
    for call in ["journal.open", "journal.record_attempt"] {
        let (_world, subject, generation) = with_failing_journal(call, 0);
        generation.points.lose_answer(call);
        generation.finish(async {
            for _ in 0..2 {
                subject.ask.make(&generation.operator, FIRST).await;
            }
            assert_done_once(&generation, &subject, call).await;
        });
        generation.stop();
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
