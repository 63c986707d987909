//! Suite of [`Journal`](atoma_domain::ports::Journal): attempts that carry many intents.

use atoma_domain::IntentId;
use atoma_domain::journal::{Failure, IntentStatus};
use atoma_domain::ports::{JournalFilter, Page, StoreError};

use super::Store;
use super::fixtures::*;
use super::journal::{aborted, attempt, open, status, succeeded, unwrap_new};

/// The error names the intent that can't be signed for, however many the attempt carries.
pub async fn the_unsignable_intent_of_a_batch_is_named(store: impl Store) {
    let wanted: Vec<_> = (1..=100).map(|id| new_intent(1, claim(id))).collect();
    let opened = store.open(&wanted, None, at(1)).await.unwrap();
    let ids: Vec<IntentId> = opened.into_iter().map(|o| unwrap_new(o).id).collect();
    let failed = ids[56];
    let failure = Failure::ShuttingDown {};
    store.fail(failed, &failure, at(2)).await.unwrap();
    let with = |id: IntentId| {
        let mut intents = ids.clone();
        intents.retain(|id| *id != failed);
        intents[7] = id;
        intents
    };
    use IntentStatus::{Failed, Queued, Submitted};
    for (intents, named, from) in [
        (ids.clone(), failed, Failed),
        (with(failed), failed, Failed),
        // Twice in one transaction, which would sign for it twice.
        (with(ids[20]), ids[20], Submitted),
    ] {
        let sent = attempt(1, &intents);
        let refused = store.record_attempt(&sent, None, at(3)).await;
        assert!(
            matches!(
                refused,
                Err(StoreError::Transition { id, from: stands, to: Submitted })
                    if id == named && stands == from
            ),
            "{named}: {refused:?}"
        );
    }
    let absent = IntentId::new(9_999);
    let sent = attempt(1, &with(absent));
    let refused = store.record_attempt(&sent, None, at(3)).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })));
    let all = JournalFilter {
        status: Some(Queued),
        ..JournalFilter::default()
    };
    let queued = store.list(&all, Page::first(200)).await.unwrap();
    assert_eq!(queued.len(), 99);

    // All that are queued, in the order of the calls, with one outcome.
    let mut intents = ids.clone();
    intents.retain(|id| *id != failed);
    intents.reverse();
    let sent = attempt(1, &intents);
    store.record_attempt(&sent, None, at(4)).await.unwrap();
    let attempts = store.attempts_of(ids[3]).await.unwrap();
    assert_eq!(attempts[0].intents, intents);
    let done = concluded(digest(1), &succeeded());
    store.conclude(&done, at(5)).await.unwrap();
    assert_eq!(store.unfinished().await.unwrap(), []);
    for id in [ids[0], ids[55], ids[99]] {
        assert_eq!(status(&store, id).await, IntentStatus::Succeeded);
    }
    assert_eq!(status(&store, failed).await, Failed);
}

/// A batch that fails permanently thaws the record of each of its stacks, and no other.
pub async fn a_refused_batch_thaws_all_its_records(store: impl Store) {
    let stacks = 1..=3;
    let purchases = stacks.clone().map(|id| bought(id, 1, 100)).collect();
    apply_events(&store, 1, purchases).await;
    let mut ids = Vec::new();
    for id in stacks.clone() {
        store.record_message(&message(id, 1, 1)).await.unwrap();
        ids.push(unwrap_new(open(&store, new_intent(1, claim_confidential(id))).await).id);
    }
    let frozen = async || {
        let mut frozen = Vec::new();
        for id in stacks.clone() {
            let record = store.work_record(stack(id), node(1)).await.unwrap();
            frozen.push(record.unwrap().is_frozen);
        }
        frozen
    };
    let batch = attempt(1, &ids[..2]);
    store.record_attempt(&batch, None, at(2)).await.unwrap();
    assert_eq!(frozen().await, [true; 3]);
    let failed = concluded(digest(1), &aborted());
    store.conclude(&failed, at(3)).await.unwrap();
    assert_eq!(frozen().await, [false, false, true]);
}
