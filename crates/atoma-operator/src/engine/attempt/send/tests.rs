use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use atoma_domain::ObjectReference;
use atoma_domain::ports::{Consumption, Until};
use tracing::Level;

use super::*;
use crate::engine::testing::context;
use crate::engine::testing::ledger::{
    Absent, Answer, EPOCH_AFTER, FakeChain, FakeLedger, OTHER, OWN, SIGNED_AT, attempt,
};
use crate::engine::testing::logged::Logged;

/// Pursues the attempt; tells its resolution and how often it was sent.
async fn resolved(ledger: FakeLedger, sent: Sent) -> (Resolution, usize) {
    let chain = Arc::new(FakeChain(Mutex::new(ledger)));
    let resolution = send(
        &context(chain.clone()).await,
        chain.clone(),
        &attempt(),
        sent,
    )
    .await
    .expect("nobody stops it");
    let ledger = chain.0.lock().unwrap();
    for sent in &ledger.sent {
        assert_eq!(*sent, attempt().transaction);
    }
    (resolution, ledger.sent.len())
}

/// Checks that the attempt is dead without being sent again.
async fn assert_dead(ledger: FakeLedger) {
    let (resolution, sent) = resolved(ledger, Sent::Maybe).await;
    assert!(matches!(resolution, Resolution::Dead(_)), "{resolution:?}");
    assert_eq!(sent, 0);
}

/// Checks that nothing is taken for a proof of death: the attempt is sent until it executes.
async fn assert_open(mut ledger: FakeLedger) {
    ledger.answers = [Answer::Lost, Answer::Lost, Answer::ExecutesSilently].into();
    let (resolution, sent) = resolved(ledger, Sent::Maybe).await;
    assert!(
        matches!(resolution, Resolution::Executed(_)),
        "{resolution:?}"
    );
    assert_eq!(sent, 3);
}

fn badge_is(consumption: Consumption) -> FakeLedger {
    FakeLedger {
        badge: Some(consumption),
        ..FakeLedger::default()
    }
}

fn answering<const N: usize>(answers: [Answer; N]) -> FakeLedger {
    FakeLedger {
        answers: answers.into(),
        ..FakeLedger::default()
    }
}

#[tokio::test]
async fn a_lost_answer_is_found_in_the_ledger_without_sending_again() {
    let (resolution, sent) = resolved(answering([Answer::ExecutesSilently]), Sent::Never).await;
    assert!(matches!(resolution, Resolution::Executed(_)));
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn the_same_bytes_are_sent_until_they_execute() {
    let ledger = answering([Answer::Lost, Answer::Lost, Answer::Executes]);
    let (resolution, sent) = resolved(ledger, Sent::Never).await;
    assert!(matches!(resolution, Resolution::Executed(_)));
    assert_eq!(sent, 3);
}

#[tokio::test]
async fn an_attempt_is_dead_once_another_transaction_consumed_a_version() {
    assert_dead(badge_is(Consumption::By(OTHER))).await;
    assert_dead(FakeLedger {
        coin: Consumption::By(OTHER),
        ..FakeLedger::default()
    })
    .await;
    // Also when it happens under way.
    let ledger = answering([Answer::RefusedThen(Consumption::By(OTHER))]);
    let (resolution, _) = resolved(ledger, Sent::Never).await;
    assert!(matches!(resolution, Resolution::Dead(_)));
}

#[tokio::test]
async fn an_attempt_that_consumed_a_version_itself_is_not_dead() {
    assert_open(badge_is(Consumption::By(OWN))).await;
    assert_open(badge_is(Consumption::Past { last: OWN })).await;
    // Not even at a node that has thrown the attempt away.
    for badge in [Consumption::By(OWN), Consumption::Past { last: OWN }] {
        assert_open(FakeLedger {
            absent: Absent::Until(Until::EpochEnd),
            ..badge_is(badge)
        })
        .await;
    }
}

/// Whether a node that never tells the outcome, and shows the badge at that version, is given up.
async fn effects_unknown(consumption: Consumption, shown: u64) -> Option<ObjectReference> {
    let rounds = usize::try_from(2 * PATIENCE).unwrap();
    let mut answers: VecDeque<Answer> = (0..rounds).map(|_| Answer::Lost).collect();
    answers.push_back(Answer::Executes);
    let ledger = FakeLedger {
        answers,
        shown,
        ..badge_is(consumption)
    };
    match resolved(ledger, Sent::Maybe).await {
        (Resolution::EffectsUnknown { badge }, sent) => {
            assert_eq!(sent, usize::try_from(PATIENCE).unwrap());
            badge
        }
        (Resolution::Executed(_), _) => None,
        (resolution, _) => panic!("{resolution:?}"),
    }
}

#[tokio::test]
async fn an_executed_attempt_stops_blocking_once_the_badge_has_moved_on() {
    for own in [Consumption::By(OWN), Consumption::Past { last: OWN }] {
        let badge = effects_unknown(own, SIGNED_AT + 1)
            .await
            .expect("it has moved on");
        assert_eq!(badge.version(), SIGNED_AT + 1);
        assert_eq!(effects_unknown(own, SIGNED_AT).await, None);
    }
    let unproved = Consumption::Past { last: OTHER };
    assert_eq!(effects_unknown(unproved, SIGNED_AT + 1).await, None);
}

#[tokio::test]
async fn a_past_version_proves_death_only_if_the_ledger_up_to_then_lacks_the_attempt() {
    let past = Consumption::Past { last: OTHER };
    assert_open(badge_is(past)).await;
    assert_open(FakeLedger {
        absent: Absent::Pruned,
        ..badge_is(past)
    })
    .await;
    assert_dead(FakeLedger {
        absent: Absent::Until(Until::Transaction(OTHER)),
        ..badge_is(past)
    })
    .await;
}

#[tokio::test]
async fn a_missing_object_proves_nothing() {
    assert_open(badge_is(Consumption::Unseen)).await;
    assert_open(FakeLedger {
        coin: Consumption::Unseen,
        ..badge_is(Consumption::Unseen)
    })
    .await;
}

#[tokio::test]
async fn a_past_epoch_proves_death_only_once_the_ledger_covers_it() {
    let expired = || Answer::Refused(RefusalKind::Expired);
    let ledger = FakeLedger {
        absent: Absent::Until(Until::EpochEnd),
        ..answering([expired()])
    };
    let (dead, _) = resolved(ledger, Sent::Never).await;
    assert!(matches!(dead, Resolution::Dead(_)));
    // Refused as expired, but the ledger doesn't reach so far: keep asking, take nothing for dead.
    let ledger = answering([expired(), expired(), Answer::Executes]);
    let (resolution, sent) = resolved(ledger, Sent::Never).await;
    assert!(matches!(resolution, Resolution::Executed(_)));
    assert_eq!(sent, 3);
}

/// What a node proves that keeps no history: an input that nothing consumed while it could be.
#[tokio::test]
async fn an_input_untouched_after_the_last_epoch_proves_death_without_history() {
    for (badge, coin) in [
        (Consumption::Current(EPOCH_AFTER), Consumption::Unseen),
        (
            Consumption::Past { last: OTHER },
            Consumption::Current(EPOCH_AFTER),
        ),
    ] {
        assert_dead(FakeLedger {
            coin,
            absent: Absent::Pruned,
            ..badge_is(badge)
        })
        .await;
    }
    // In its last epoch it can still execute.
    assert_open(FakeLedger {
        absent: Absent::Pruned,
        ..FakeLedger::default()
    })
    .await;
}

#[tokio::test]
async fn a_transaction_in_the_ledger_has_executed_whatever_else_the_node_says() {
    for ledger in [
        badge_is(Consumption::Current(EPOCH_AFTER)),
        badge_is(Consumption::Unseen),
        FakeLedger {
            badge: None,
            ..FakeLedger::default()
        },
        FakeLedger {
            absent: Absent::Pruned,
            ..badge_is(Consumption::By(OWN))
        },
    ] {
        let ledger = FakeLedger {
            executed: true,
            ..ledger
        };
        let (resolution, sent) = resolved(ledger, Sent::Maybe).await;
        assert!(
            matches!(resolution, Resolution::Executed(_)),
            "{resolution:?}"
        );
        assert_eq!(sent, 0);
    }
}

/// A node can refuse by word what the network has executed, and show it only later.
#[tokio::test]
async fn no_refusal_ends_an_attempt() {
    for kind in [
        RefusalKind::GasBalance,
        RefusalKind::GasBudgetTooLow,
        RefusalKind::GasTerms,
        RefusalKind::Invalid,
        RefusalKind::ObjectNotUsable { object: None },
        RefusalKind::Other,
        RefusalKind::Expired,
        RefusalKind::ObjectVersion { object: None },
    ] {
        for sent in [Sent::Never, Sent::Maybe] {
            let refused = || Answer::Refused(kind.clone());
            let ledger = answering([refused(), refused(), Answer::ExecutesSilently]);
            let (resolution, times) = resolved(ledger, sent).await;
            assert!(
                matches!(resolution, Resolution::Executed(_)),
                "{kind:?}: {resolution:?}"
            );
            assert_eq!(times, 3);
        }
    }
}

/// The epoch's end proves it. Until then the badge is blocked, which the operator learns early.
#[tokio::test]
async fn a_reason_that_lasts_is_logged_soon() {
    let (logged, _guard) = Logged::begin();
    let refused = || Answer::Refused(RefusalKind::GasTerms);
    let mut answers: VecDeque<Answer> = (0..SHORT_PATIENCE).map(|_| refused()).collect();
    answers.push_back(Answer::RefusedThen(Consumption::Current(EPOCH_AFTER)));
    let ledger = FakeLedger {
        answers,
        ..FakeLedger::default()
    };
    let (resolution, _) = resolved(ledger, Sent::Never).await;
    assert!(matches!(resolution, Resolution::Dead(_)), "{resolution:?}");
    let logged = logged.take(Level::ERROR);
    let [error] = logged.as_slice() else {
        panic!("{logged:?}");
    };
    assert_eq!(error["digest"], OWN.to_string());
}

#[tokio::test]
async fn an_attempt_without_a_resolution_is_logged_once_with_the_reason() {
    let (logged, _guard) = Logged::begin();
    let rounds = usize::try_from(2 * PATIENCE).unwrap();
    let mut answers: VecDeque<Answer> = (0..rounds).map(|_| Answer::Lost).collect();
    answers.push_back(Answer::Executes);
    let ledger = FakeLedger {
        absent: Absent::Pruned,
        answers,
        ..badge_is(Consumption::Past { last: OTHER })
    };
    resolved(ledger, Sent::Maybe).await;
    let logged = logged.take(Level::ERROR);
    let [error] = logged.as_slice() else {
        panic!("{logged:?}");
    };
    assert_eq!(error["digest"], OWN.to_string());
    let why = &error["why"];
    assert!(why.contains("from checkpoint 9 on"), "{why}");
}
