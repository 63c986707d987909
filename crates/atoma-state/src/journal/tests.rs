//! The disk fills up while the journal is written.

use atoma_domain::journal::{
    Action, Actor, Attempt, AttemptOutcome, Conclusion, Failure, GasOptions, IntentStatus,
    NewIntent, Receipt,
};
use atoma_domain::ports::{
    Journal, JournalFilter, JournalKey, Opened, Page, SignedTransaction, StoreError,
};
use atoma_domain::{Address, Digest, EchelonId, Epoch, IntentId, Mist, NodeSmallId, TimestampMs};

use crate::{SqliteState, StateOptions};

const NOW: TimestampMs = TimestampMs::new(1);

/// More bytes than fit into a page that is partly used.
const LARGE: usize = 100_000;

fn new_intent(model_name: &str) -> NewIntent {
    NewIntent {
        action: Action::SubscribeToModel {
            model_name: model_name.to_owned(),
            echelon_id: EchelonId::new(1),
        },
        actor: Actor::Node {
            node_small_id: NodeSmallId::new(1),
            node_badge_id: Address::ZERO,
            address: Address::ZERO,
        },
        gas: GasOptions::default(),
    }
}

fn attempt(id: IntentId) -> Attempt {
    Attempt {
        intents: vec![id],
        transaction: SignedTransaction {
            bytes: vec![7; LARGE],
            digest: Digest::new([1; 32]),
            signatures: Vec::new(),
        },
        expires_after: Epoch::new(1),
        badge: None,
        gas: Vec::new(),
        gas_budget: Mist::new(1),
    }
}

/// SQLite reports a file at its page limit like a full disk. The limit can't be set below the file's
/// size, and belongs to the writing connection.
const FULL: &str = "PRAGMA max_page_count = 1";
const SPACE: &str = "PRAGMA max_page_count = 1000000";

async fn limit_pages(store: &SqliteState, limit: &'static str) {
    let mut writing = store.writer.take().await.unwrap();
    sqlx::query(limit).execute(&mut *writing).await.unwrap();
    writing.end();
}

fn is_full<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::DiskFull(_)))
}

#[tokio::test]
async fn a_full_disk_refuses_every_transition_and_space_allows_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let store = SqliteState::open(&path, StateOptions::default())
        .await
        .unwrap();

    let wanted = [new_intent("small"), new_intent(&"large".repeat(LARGE / 5))];
    limit_pages(&store, FULL).await;
    assert!(is_full(&store.open(&wanted, None, NOW).await));
    let listed = store.list(&JournalFilter::default(), Page::first(9)).await;
    assert_eq!(listed.unwrap(), []);
    limit_pages(&store, SPACE).await;
    let opened = store.open(&wanted, None, NOW).await.unwrap();
    let Opened::New(intent) = &opened[0] else {
        panic!("{opened:?}");
    };
    let id = intent.id;
    let status_and_digest = async || {
        let found = store.find(JournalKey::Id(id)).await.unwrap().unwrap();
        (found.status, found.tx_digest)
    };

    let attempt = attempt(id);
    limit_pages(&store, FULL).await;
    assert!(is_full(&store.record_attempt(&attempt, None, NOW).await));
    assert_eq!(status_and_digest().await, (IntentStatus::Queued, None));
    limit_pages(&store, SPACE).await;
    store.record_attempt(&attempt, None, NOW).await.unwrap();
    let digest = attempt.digest();
    assert_eq!(
        status_and_digest().await,
        (IntentStatus::Submitted, Some(digest))
    );

    let outcome = AttemptOutcome::Succeeded {
        receipt: Receipt {
            gas_used: Mist::new(1),
            gas_returned: Mist::ZERO,
            effects: vec![7; LARGE],
            checkpoint: None,
            registered_badge: None,
        },
    };
    let conclusion = Conclusion { digest, outcome };
    limit_pages(&store, FULL).await;
    assert!(is_full(&store.conclude(&conclusion, NOW).await));
    assert_eq!(
        status_and_digest().await,
        (IntentStatus::Submitted, Some(digest))
    );
    limit_pages(&store, SPACE).await;
    store.conclude(&conclusion, NOW).await.unwrap();
    assert_eq!(
        status_and_digest().await,
        (IntentStatus::Succeeded, Some(digest))
    );

    let Opened::New(second) = &opened[1] else {
        panic!("{opened:?}");
    };
    let reason = "why".repeat(LARGE);
    let failure = Failure::Internal { reason };
    limit_pages(&store, FULL).await;
    assert!(is_full(&store.fail(second.id, &failure, NOW).await));
    limit_pages(&store, SPACE).await;
    store.fail(second.id, &failure, NOW).await.unwrap();
}
