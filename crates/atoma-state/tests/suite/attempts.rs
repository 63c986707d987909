//! Suite of [`Journal`](atoma_domain::ports::Journal): from signature to outcome.

use atoma_domain::journal::{Attempt, AttemptOutcome, Failure, IntentStatus};
use atoma_domain::ports::{JournalFilter, JournalKey, Opened, Page, StoreError};
use atoma_domain::{IntentId, ObjectReference};

use super::Store;
use super::fixtures::*;
use super::journal::{aborted, attempt, dead, open, run_attempt, status, succeeded, unwrap_new};

pub async fn attempts_move_their_intents(store: impl Store) {
    let wanted = [
        new_intent(1, claim(1)),
        new_intent(1, claim(2)),
        new_intent(1, claim(3)),
    ];
    let opened = store.open(&wanted, None, at(1)).await.unwrap();
    let ids: Vec<IntentId> = opened.into_iter().map(|o| unwrap_new(o).id).collect();
    let sent = attempt(1, &[ids[2], ids[0]]);
    store.record_attempt(&sent, None, at(2)).await.unwrap();

    let unfinished = store.unfinished().await.unwrap();
    let order: Vec<IntentId> = unfinished.iter().map(|u| u.intent.id).collect();
    assert_eq!(order, ids);
    assert_eq!(unfinished[0].attempt, Some(sent.clone()));
    assert_eq!(unfinished[1].attempt, None);
    assert_eq!(unfinished[2].attempt, Some(sent.clone()));
    assert_eq!(status(&store, ids[0]).await, IntentStatus::Submitted);
    let found = store.find(JournalKey::Digest(digest(1))).await.unwrap();
    assert_eq!(found.unwrap().intent.id, ids[2]);

    store
        .conclude(&concluded(digest(1), &succeeded()), at(3))
        .await
        .unwrap();
    for (id, expected) in ids.iter().zip([
        IntentStatus::Succeeded,
        IntentStatus::Queued,
        IntentStatus::Succeeded,
    ]) {
        assert_eq!(status(&store, *id).await, expected);
    }
    let unfinished = store.unfinished().await.unwrap();
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0].intent.id, ids[1]);
}

pub async fn an_outcome_and_the_next_attempt_are_written_together(store: impl Store) {
    let first = unwrap_new(open(&store, new_intent(1, claim(1))).await).id;
    let second = unwrap_new(open(&store, new_intent(1, claim(2))).await).id;
    let sent = attempt(1, &[first]);
    store.record_attempt(&sent, None, at(2)).await.unwrap();
    let done = concluded(digest(1), &succeeded());

    // The new attempt can't be recorded, so the outcome isn't written either.
    let twice = attempt(2, &[second, first]);
    let refused = store.record_attempt(&twice, Some(&done), at(3)).await;
    assert!(matches!(refused, Err(StoreError::Transition { id, .. }) if id == first));
    assert_eq!(status(&store, first).await, IntentStatus::Submitted);
    assert_eq!(status(&store, second).await, IntentStatus::Queued);

    let next = attempt(2, &[second]);
    store
        .record_attempt(&next, Some(&done), at(3))
        .await
        .unwrap();
    assert_eq!(status(&store, first).await, IntentStatus::Succeeded);
    assert_eq!(status(&store, second).await, IntentStatus::Submitted);

    // The previous attempt is concluded already, so the next one isn't recorded.
    let third = unwrap_new(open(&store, new_intent(1, claim(3))).await).id;
    let refused = store
        .record_attempt(&attempt(3, &[third]), Some(&done), at(4))
        .await;
    assert!(matches!(refused, Err(StoreError::Transition { id, .. }) if id == first));
    assert_eq!(status(&store, third).await, IntentStatus::Queued);
}

/// One call may conclude an attempt and record another for the same intent.
pub async fn a_dead_attempt_and_its_successor_are_written_together(store: impl Store) {
    let id = unwrap_new(open(&store, new_intent(1, claim(1))).await).id;
    let sent = attempt(1, &[id]);
    store.record_attempt(&sent, None, at(2)).await.unwrap();
    let died = concluded(digest(1), &dead());

    // The dead bytes again: neither outcome nor attempt is written.
    let refused = store.record_attempt(&sent, Some(&died), at(3)).await;
    assert!(
        matches!(refused, Err(StoreError::Transition { id: named, .. }) if named == id),
        "{refused:?}"
    );
    assert_eq!(status(&store, id).await, IntentStatus::Submitted);
    assert_eq!(store.attempts_of(id).await.unwrap().len(), 1);

    let next = attempt(2, &[id]);
    let written = store.record_attempt(&next, Some(&died), at(3)).await;
    written.unwrap();
    let unfinished = store.unfinished().await.unwrap();
    assert_eq!(unfinished[0].attempt, Some(next));

    // A concluded attempt takes no other outcome, and the attempt that came with it isn't recorded.
    let late = store
        .record_attempt(&attempt(3, &[id]), Some(&died), at(4))
        .await;
    assert!(matches!(
        late,
        Err(StoreError::Transition { id: named, from: IntentStatus::Submitted, .. }) if named == id
    ));
    let absent = concluded(digest(9), &dead());
    let absent = store
        .record_attempt(&attempt(3, &[id]), Some(&absent), at(4))
        .await;
    assert!(matches!(absent, Err(StoreError::Missing { .. })));
    assert_eq!(store.attempts_of(id).await.unwrap().len(), 2);
}

pub async fn outcomes_without_success_or_failure_queue_again(store: impl Store) {
    let intent = unwrap_new(open(&store, new_intent(1, attest(1))).await);
    let outcomes = [
        dead(),
        AttemptOutcome::Cancelled {
            reason: String::from("congestion"),
            receipt: receipt(3),
        },
        AttemptOutcome::BatchAborted {
            failure: Failure::TreasuryShort {},
            receipt: receipt(3),
        },
    ];
    for (number, outcome) in (1..).zip(outcomes) {
        run_attempt(&store, number, intent.id, &outcome).await;
        assert_eq!(status(&store, intent.id).await, IntentStatus::Queued);
        // The intent still holds its key.
        assert_eq!(
            open(&store, new_intent(1, attest(1))).await,
            Opened::Joined(intent.clone())
        );
    }
    run_attempt(&store, 9, intent.id, &succeeded()).await;
}

pub async fn refused_transitions_change_nothing(store: impl Store) {
    let first = unwrap_new(open(&store, new_intent(1, claim(1))).await).id;
    let second = unwrap_new(open(&store, new_intent(1, claim(2))).await).id;
    let sent = attempt(1, &[first]);
    store.record_attempt(&sent, None, at(2)).await.unwrap();
    let transition = |result: Result<(), StoreError>| match result {
        Err(StoreError::Transition { id, from, to }) => (id, from, to),
        other => panic!("{other:?}"),
    };
    use IntentStatus::{Failed, Queued, Submitted, Succeeded};
    // A second signature for an intent, even in a batch with one that is queued.
    let again = attempt(2, &[second, first]);
    assert_eq!(
        transition(store.record_attempt(&again, None, at(3)).await),
        (first, Submitted, Submitted)
    );
    assert_eq!(status(&store, second).await, Queued);
    assert_eq!(
        transition(store.record_attempt(&sent, None, at(3)).await),
        (first, Submitted, Submitted)
    );
    // An intent whose transaction may execute can't be failed.
    assert_eq!(
        transition(store.fail(first, &Failure::ShuttingDown {}, at(3)).await),
        (first, Submitted, Failed)
    );
    // The same bytes after they were proved dead.
    store
        .conclude(&concluded(digest(1), &dead()), at(4))
        .await
        .unwrap();
    transition(store.record_attempt(&sent, None, at(5)).await);
    assert_eq!(status(&store, first).await, Queued);
    assert_eq!(
        transition(
            store
                .conclude(&concluded(digest(1), &succeeded()), at(5))
                .await
        ),
        (first, Queued, Succeeded)
    );
    run_attempt(&store, 3, first, &succeeded()).await;
    for outcome in [succeeded(), aborted(), dead()] {
        let (id, from, _) =
            transition(store.conclude(&concluded(digest(3), &outcome), at(9)).await);
        assert_eq!((id, from), (first, Succeeded));
    }
    transition(store.fail(first, &Failure::ShuttingDown {}, at(9)).await);
    transition(
        store
            .record_attempt(&attempt(4, &[first]), None, at(9))
            .await,
    );
    assert_eq!(status(&store, first).await, Succeeded);

    // Attempts and intents that don't exist.
    for result in [
        store.conclude(&concluded(digest(9), &dead()), at(9)).await,
        store.record_attempt(&attempt(5, &[]), None, at(9)).await,
        store
            .record_attempt(&attempt(5, &[IntentId::new(u64::MAX)]), None, at(9))
            .await,
        store
            .fail(IntentId::new(99), &Failure::ShuttingDown {}, at(9))
            .await,
    ] {
        assert!(matches!(result, Err(StoreError::Missing { .. })));
    }
    for key in [
        JournalKey::Id(IntentId::new(0)),
        JournalKey::Id(IntentId::new(u64::MAX)),
        JournalKey::Digest(digest(2)),
        JournalKey::Digest(digest(5)),
    ] {
        assert_eq!(store.find(key).await.unwrap(), None);
    }
}

/// Validators could accept one each of two that use the same version, and then neither. So it is a
/// refusal and not a failure to try again.
pub async fn no_two_signed_attempts_use_the_same_version(store: impl Store) {
    let first = unwrap_new(open(&store, new_intent(1, claim(1))).await).id;
    let second = unwrap_new(open(&store, new_intent(2, claim(2))).await).id;
    let sent = attempt(1, &[first]);
    store.record_attempt(&sent, None, at(2)).await.unwrap();
    let other = |id, version| ObjectReference::new(object(id), version, digest(9));
    let same_badge = Attempt {
        gas: vec![other(70, 1)],
        ..attempt(2, &[second])
    };
    let same_coin = Attempt {
        badge: Some(other(2, 1)),
        ..attempt(3, &[second])
    };
    for colliding in [&same_badge, &same_coin] {
        let refused = store.record_attempt(colliding, None, at(3)).await;
        assert!(
            matches!(
                refused,
                Err(StoreError::Transition {
                    id,
                    from: IntentStatus::Queued,
                    to: IntentStatus::Submitted,
                }) if id == second
            ),
            "{refused:?}"
        );
        assert_eq!(status(&store, second).await, IntentStatus::Queued);
        let key = JournalKey::Digest(colliding.digest());
        assert_eq!(store.find(key).await.unwrap(), None);
    }
    // Other versions of the objects are free, and so are these once the first attempt is dead.
    let newer = Attempt {
        badge: Some(other(1, 1)),
        gas: vec![other(60, 2)],
        ..attempt(4, &[second])
    };
    store.record_attempt(&newer, None, at(4)).await.unwrap();
    for digest in [newer.digest(), sent.digest()] {
        let dead = concluded(digest, &dead());
        store.conclude(&dead, at(5)).await.unwrap();
    }
    let again = attempt(5, &[second]);
    store.record_attempt(&again, None, at(6)).await.unwrap();
}

pub async fn digests_that_may_have_reached_the_network_are_reported(store: impl Store) {
    let id = unwrap_new(open(&store, new_intent(1, subscribe(1))).await).id;
    let reported = async || {
        let found = store.find(JournalKey::Id(id)).await.unwrap();
        found.unwrap().tx_digest
    };
    assert_eq!(reported().await, None);
    store
        .record_attempt(&attempt(1, &[id]), None, at(1))
        .await
        .unwrap();
    assert_eq!(reported().await, Some(digest(1)));
    let cancelled = AttemptOutcome::Cancelled {
        reason: String::from("congestion"),
        receipt: receipt(1),
    };
    store
        .conclude(&concluded(digest(1), &cancelled), at(2))
        .await
        .unwrap();
    assert_eq!(reported().await, Some(digest(1)));
    run_attempt(&store, 2, id, &dead()).await;
    assert_eq!(reported().await, Some(digest(1)));
    store
        .record_attempt(&attempt(3, &[id]), None, at(4))
        .await
        .unwrap();
    assert_eq!(reported().await, Some(digest(3)));
    // Every digest leads to the intent.
    for number in 1..=3 {
        let key = JournalKey::Digest(digest(number));
        let found = store.find(key).await.unwrap().unwrap();
        assert_eq!(found.intent.id, id);
        assert_eq!(found.tx_digest, Some(digest(3)));
    }
    // The mirror applies the daemon's own transaction.
    let mut own = frame(7, 0, Vec::new());
    own.transaction.as_mut().unwrap().digest = digest(3);
    store.apply(&[own], operator()).await.unwrap();
    assert_eq!(reported().await, Some(digest(3)));
}

pub async fn lists_are_newest_first_and_filtered(store: impl Store) {
    let wanted = [
        new_intent(1, claim(1)),
        new_intent(2, attest(u64::MAX)),
        new_intent(1, subscribe(4)),
        new_intent(1, attest(u64::MAX)),
    ];
    let opened = store.open(&wanted, None, at(1)).await.unwrap();
    let ids: Vec<IntentId> = opened.into_iter().map(|o| unwrap_new(o).id).collect();
    run_attempt(&store, 1, ids[3], &aborted()).await;
    let list = async |filter: JournalFilter, page| -> Vec<IntentId> {
        let records = store.list(&filter, page).await.unwrap();
        records.into_iter().map(|record| record.intent.id).collect()
    };
    let any = JournalFilter::default();
    assert_eq!(
        list(any, Page::first(9)).await,
        [ids[3], ids[2], ids[1], ids[0]]
    );
    let page = Page {
        after: Some(ids[3]),
        limit: 2,
    };
    assert_eq!(list(any, page).await, [ids[2], ids[1]]);
    let filter = JournalFilter {
        status: Some(IntentStatus::Queued),
        node: Some(node(1)),
        ..any
    };
    assert_eq!(list(filter, Page::first(9)).await, [ids[2], ids[0]]);
    let filter = JournalFilter {
        stack: Some(stack(u64::MAX)),
        ..any
    };
    assert_eq!(list(filter, Page::first(9)).await, [ids[3], ids[1]]);
    let filter = JournalFilter {
        kind: Some("attest_settlement"),
        ..any
    };
    assert_eq!(list(filter, Page::first(9)).await, [ids[3], ids[1]]);
    // Every intent of a batch, and none of another.
    let batch = attempt(2, &[ids[2], ids[0]]);
    store.record_attempt(&batch, None, at(4)).await.unwrap();
    for (number, expected) in [(1, vec![ids[3]]), (2, vec![ids[2], ids[0]]), (3, vec![])] {
        let filter = JournalFilter {
            tx_digest: Some(digest(number)),
            ..any
        };
        assert_eq!(list(filter, Page::first(9)).await, expected);
    }
}
