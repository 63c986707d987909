//! Suite of [`Journal`](atoma_domain::ports::Journal): the history of attempts.

use atoma_domain::journal::{
    Action, Attempt, AttemptOutcome, AttemptRecord, AttemptStatus, Failure, IntentStatus, Receipt,
};
use atoma_domain::ports::{Journal, JournalKey};
use atoma_domain::{CheckpointNumber, ObjectReference};

use super::Store;
use super::fixtures::*;
use super::journal::{attempt, dead, open, run_attempt, succeeded, unwrap_new};

/// Every attempt of an intent, with the reason of each that did not succeed.
pub async fn attempts_report_their_outcome(store: impl Store) {
    let first = unwrap_new(open(&store, new_intent(1, claim(1))).await).id;
    let second = unwrap_new(open(&store, new_intent(1, claim(2))).await).id;
    assert_eq!(store.attempts_of(first).await.unwrap(), []);
    let abort = Failure::from_abort(atoma_domain::contract::Abort {
        module: String::from("db"),
        function: Some(String::from("claim_funds")),
        abort_code: 312_012_031,
        command: Some(0),
    });
    let outcomes = [
        AttemptOutcome::BatchAborted {
            failure: abort.clone(),
            receipt: receipt(3),
        },
        dead(),
        AttemptOutcome::Cancelled {
            reason: String::from("congestion"),
            receipt: receipt(1 << 63),
        },
        AttemptOutcome::Aborted {
            failure: abort,
            receipt: Receipt {
                checkpoint: None,
                ..receipt(5)
            },
        },
    ];
    let mut expected = Vec::new();
    for (number, outcome) in (1..).zip(outcomes) {
        let intents = match outcome {
            AttemptOutcome::BatchAborted { .. } => vec![second, first],
            _ => vec![first],
        };
        let sent = attempt(number, &intents);
        let now = at(10 * number);
        store.record_attempt(&sent, None, now).await.unwrap();
        let open = AttemptRecord {
            digest: digest(number),
            intents,
            status: AttemptStatus::Signed,
            expires_after: sent.expires_after,
            gas_budget: sent.gas_budget,
            gas_used: None,
            gas_returned: None,
            checkpoint: None,
            registered_badge: None,
            reason: None,
            failure: None,
            created_at: now,
            concluded_at: None,
        };
        expected.push(open.clone());
        assert_eq!(store.attempts_of(first).await.unwrap(), expected);
        let concluded_at = at(10 * number + 1);
        store
            .conclude(&concluded(digest(number), &outcome), concluded_at)
            .await
            .unwrap();
        expected.pop();
        expected.push(AttemptRecord {
            status: outcome.status(),
            gas_used: outcome.receipt().map(|receipt| receipt.gas_used),
            gas_returned: outcome.receipt().map(|receipt| receipt.gas_returned),
            checkpoint: outcome.receipt().and_then(|receipt| receipt.checkpoint),
            registered_badge: outcome
                .receipt()
                .and_then(|receipt| receipt.registered_badge),
            reason: outcome.reason().map(str::to_owned),
            failure: outcome.failure().cloned(),
            concluded_at: Some(concluded_at),
            ..open
        });
        assert_eq!(store.attempts_of(first).await.unwrap(), expected);
        let found = store.find(JournalKey::Id(first)).await.unwrap().unwrap();
        assert_eq!((found.created_at, found.updated_at), (at(1), concluded_at));
    }
    // No intent failed with the batch that aborted.
    let found = store.find(JournalKey::Id(second)).await.unwrap().unwrap();
    assert_eq!((found.status, found.failure), (IntentStatus::Queued, None));
    assert_eq!(store.attempts_of(second).await.unwrap(), expected[..1]);
    // A checkpoint that the node did not name is filled in by the mirror, before or after.
    let mirror = async |number| {
        let mut own = frame(70 + number, 0, Vec::new());
        own.transaction.as_mut().unwrap().digest = digest(number);
        store.apply(&[own], operator()).await.unwrap();
    };
    mirror(4).await;
    let sent = attempt(5, &[second]);
    store.record_attempt(&sent, None, at(50)).await.unwrap();
    mirror(5).await;
    let unnamed = AttemptOutcome::Succeeded {
        receipt: Receipt {
            checkpoint: None,
            ..receipt(5)
        },
    };
    store
        .conclude(&concluded(digest(5), &unnamed), at(51))
        .await
        .unwrap();
    for (id, checkpoint) in [(first, 74), (second, 75)] {
        let last = store.attempts_of(id).await.unwrap().pop().unwrap();
        assert_eq!(last.checkpoint, Some(CheckpointNumber::new(checkpoint)));
    }
}

/// Several transactions in one batch. One was applied before, and some are not the daemon's.
pub async fn each_attempt_is_found_in_its_own_checkpoint(store: impl Store) {
    let mut ids = Vec::new();
    for number in 1..=3 {
        let id = unwrap_new(open(&store, new_intent(1, claim(number))).await).id;
        run_attempt(&store, number, id, &succeeded()).await;
        ids.push(id);
    }
    let with_digest = |checkpoint, number| {
        let mut frame = frame(checkpoint, 0, Vec::new());
        frame.transaction.as_mut().unwrap().digest = digest(number);
        frame
    };
    let applied_before = [with_digest(80, 1)];
    store.apply(&applied_before, operator()).await.unwrap();
    let frames =
        [(79, 1), (81, 90), (82, 2), (83, 91), (84, 3)].map(|(at, id)| with_digest(at, id));
    store.apply(&frames, operator()).await.unwrap();
    for (id, checkpoint) in ids.into_iter().zip([80, 82, 84]) {
        let attempts = store.attempts_of(id).await.unwrap();
        assert_eq!(
            attempts[0].checkpoint,
            Some(CheckpointNumber::new(checkpoint))
        );
    }
}

/// A badge is first used by the transaction that creates it, then by each that executes with it.
pub async fn a_badge_was_last_used_by_the_last_execution(store: impl Store) {
    let badge = object(1);
    let used = async || store.last_use(badge).await.unwrap();
    let register = new_intent(9, Action::RegisterNode { additional: true });
    let id = unwrap_new(open(&store, register).await).id;
    let sent = Attempt {
        badge: None,
        ..attempt(1, &[id])
    };
    store.record_attempt(&sent, None, at(1)).await.unwrap();
    assert_eq!(used().await, None);
    let registered = AttemptOutcome::Succeeded {
        receipt: Receipt {
            registered_badge: Some(badge),
            ..receipt(1)
        },
    };
    let done = concluded(digest(1), &registered);
    store.conclude(&done, at(2)).await.unwrap();
    assert_eq!(used().await, Some(digest(1)));
    assert_eq!(store.last_use(object(2)).await.unwrap(), None);

    let id = unwrap_new(open(&store, new_intent(1, subscribe(1))).await).id;
    run_attempt(&store, 2, id, &dead()).await;
    store
        .record_attempt(&attempt(3, &[id]), None, at(3))
        .await
        .unwrap();
    assert_eq!(used().await, Some(digest(1)));
    let cancelled = AttemptOutcome::Cancelled {
        reason: String::from("congestion"),
        receipt: receipt(1),
    };
    store
        .conclude(&concluded(digest(3), &cancelled), at(4))
        .await
        .unwrap();
    assert_eq!(used().await, Some(digest(3)));
    run_attempt(&store, 4, id, &succeeded()).await;
    assert_eq!(used().await, Some(digest(4)));
}

/// Records attempts that cost their number and are concluded at these times.
async fn spend(store: &impl Journal, times: &[u64]) {
    for (number, time) in (1..).zip(times) {
        let opened = store
            .open(&[new_intent(1, subscribe(number))], None, at(1))
            .await;
        let intent = unwrap_new(opened.unwrap()[0].clone());
        let sent = bare_attempt(number, &[intent.id.get()]);
        store.record_attempt(&sent, None, at(1)).await.unwrap();
        let outcome = AttemptOutcome::Succeeded {
            receipt: receipt(number),
        };
        let conclusion = concluded(sent.digest(), &outcome);
        store.conclude(&conclusion, at(*time)).await.unwrap();
    }
}

/// The gas spent and when, by its amount.
async fn spent(store: &impl Journal, since: u64, now: u64) -> Vec<(u64, u64)> {
    let spent = store.gas_spent(at(since), at(now)).await.unwrap();
    let mut spent: Vec<_> = spent
        .iter()
        .map(|spent| (spent.gas.get(), spent.at.get()))
        .collect();
    spent.sort_unstable();
    spent
}

pub async fn gas_is_spent_when_its_attempt_is_concluded(store: impl Store) {
    spend(&store, &[10, 20, 30]).await;
    assert_eq!(spent(&store, 0, 99).await, [(1, 10), (2, 20), (3, 30)]);
    assert_eq!(spent(&store, 20, 30).await, [(2, 20), (3, 30)]);
    assert_eq!(spent(&store, 31, 99).await, []);
}

/// The clock was ahead for the attempts 2, 3, 5 and 6.
pub async fn gas_spent_in_the_future_is_dated_by_what_came_after_it(store: impl Store) {
    spend(&store, &[10, 5000, 5001, 20, 6000, 6001]).await;
    let dated = [(1, 10), (2, 20), (3, 20), (4, 20), (5, 40), (6, 40)];
    assert_eq!(spent(&store, 0, 40).await, dated);
    // What came after some of them is too long ago to count, and so are they.
    assert_eq!(spent(&store, 30, 40).await, [(5, 40), (6, 40)]);
}

pub async fn a_use_of_a_badge_is_known_by_attempt_or_acknowledgement(store: impl Store) {
    let intent = unwrap_new(open(&store, new_intent(1, subscribe(1))).await);
    run_attempt(&store, 1, intent.id, &succeeded()).await;
    let knows = async |badge, number| {
        store
            .knows_use(object(badge), digest(number))
            .await
            .unwrap()
    };
    assert!(knows(1, 1).await);
    assert!(!knows(1, 2).await);
    for number in [2, 3] {
        store
            .acknowledge_use(object(1), digest(number))
            .await
            .unwrap();
        assert!(knows(1, number).await);
        assert!(!knows(2, number).await);
    }
    assert!(!knows(1, 2).await);
}

pub async fn recent_gas_coins_are_the_latest_attempts(store: impl Store) {
    assert_eq!(store.recent_gas_coins().await.unwrap(), []);
    for number in 1..=40 {
        let intent = unwrap_new(open(&store, new_intent(1, subscribe(number))).await);
        let coin = ObjectReference::new(object(number), number, digest(1));
        let sent = Attempt {
            gas: vec![coin],
            ..bare_attempt(number, &[intent.id.get()])
        };
        store.record_attempt(&sent, None, at(1)).await.unwrap();
    }
    let recent = store.recent_gas_coins().await.unwrap();
    let latest: Vec<_> = (9..=40).rev().map(object).collect();
    assert_eq!(recent, latest);

    // Two more pay together: the second is merged into the first.
    let intent = unwrap_new(open(&store, new_intent(1, subscribe(41))).await);
    let merged = [41, 39].map(|number| ObjectReference::new(object(number), 99, digest(1)));
    let sent = Attempt {
        gas: merged.to_vec(),
        ..bare_attempt(41, &[intent.id.get()])
    };
    store.record_attempt(&sent, None, at(1)).await.unwrap();
    let recent = store.recent_gas_coins().await.unwrap();
    assert_eq!(recent[..3], [41, 40, 38].map(object));
}

/// Nothing that can be asked of a concluded attempt needs its bytes; a signed one keeps them.
pub async fn concluded_attempts_drop_what_they_carried(store: impl Store) {
    let intents: Vec<_> = [1, 2, 3].map(|id| new_intent(1, subscribe(id))).into();
    let mut ids = Vec::new();
    for (number, intent) in (1..).zip(intents) {
        let id = unwrap_new(open(&store, intent).await).id;
        ids.push(id);
        let sent = attempt(number, &[id]);
        let now = at(10 * number);
        store.record_attempt(&sent, None, now).await.unwrap();
        if number < 3 {
            let conclusion = concluded(digest(number), &succeeded());
            store.conclude(&conclusion, now).await.unwrap();
        }
    }
    let known = async || {
        let mut attempts = Vec::new();
        for id in &ids {
            attempts.extend(store.attempts_of(*id).await.unwrap());
        }
        let uses = store.knows_use(object(1), digest(2)).await.unwrap();
        let last = store.last_use(object(1)).await.unwrap();
        (attempts, uses, last, store.unfinished().await.unwrap())
    };
    let before = known().await;
    assert_eq!(before.3.len(), 1);
    assert!(
        !before.3[0]
            .attempt
            .as_ref()
            .unwrap()
            .transaction
            .bytes
            .is_empty()
    );
    let drop = async |before, limit| store.drop_carried(at(before), limit).await.unwrap();
    assert_eq!(drop(10, 9).await, 0);
    assert_eq!(drop(11, 9).await, 1);
    assert_eq!(drop(11, 9).await, 0);
    assert_eq!(drop(99, 1).await, 1);
    assert_eq!(drop(99, 9).await, 0);
    assert_eq!(known().await, before);
}
