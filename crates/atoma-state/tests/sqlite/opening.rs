//! Opening many intents at once equals opening one after the other.

use atoma_domain::Mist;
use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::ports::{Journal, Opened, ServedWork};
use atoma_state::SqliteState;
use proptest::prelude::*;

use crate::suite::fixtures::*;

/// A store with three stacks of node 1: nothing served, served, served with an open reservation. A fourth
/// stack is unknown.
async fn store() -> SqliteState {
    let store = SqliteState::open_temporary().await.unwrap();
    let stacks = (1..=3).map(|id| bought(id, 1, 100)).collect();
    apply_events(&store, 1, stacks).await;
    for id in [2, 3] {
        store.record_message(&message(id, 1, 1)).await.unwrap();
    }
    reserve(&store, 3, 1).await;
    store
}

fn new_intents() -> impl Strategy<Value = Vec<NewIntent>> {
    let action = (0..6_usize, 1..=4_u64).prop_map(|(kind, id)| match kind {
        0 => settle(id),
        1 => claim(id),
        2 => claim_confidential(id),
        3 => Action::ClaimConfidentialStack {
            stack_small_id: stack(id),
            num_claimed_compute_units: Some(units(1)),
        },
        4 => subscribe(id),
        _ => Action::RegisterNode { additional: true },
    });
    let intent = (1..=2_u64, action, any::<bool>()).prop_map(|(by, action, is_costly)| NewIntent {
        gas: GasOptions {
            budget: is_costly.then_some(Mist::new(u64::MAX)),
            ..GasOptions::default()
        },
        ..new_intent(by, action)
    });
    prop::collection::vec(intent, 1..24)
}

/// The unfinished intents, and which records are frozen.
async fn visible(store: &SqliteState) -> (Vec<u64>, Vec<Option<bool>>) {
    let unfinished = store.unfinished().await.unwrap();
    let ids = unfinished.iter().map(|open| open.intent.id.get()).collect();
    let mut frozen = Vec::new();
    for id in 1..=3 {
        let record = store.work_record(stack(id), node(1)).await.unwrap();
        frozen.push(record.map(|record| record.is_frozen));
    }
    (ids, frozen)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn at_once_equals_one_after_the_other(
        batches in prop::collection::vec(new_intents(), 1..4),
        finished in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (at_once, in_turn) = (store().await, store().await);
            for wanted in batches {
                let together = at_once.open(&wanted, None, at(5)).await.unwrap();
                let mut singly: Vec<Opened> = Vec::new();
                for intent in wanted {
                    singly.extend(in_turn.open(&[intent], None, at(5)).await.unwrap());
                }
                assert_eq!(together, singly);
                assert_eq!(visible(&at_once).await, visible(&in_turn).await);
                // Some give their keys back before the next batch.
                let open = at_once.unfinished().await.unwrap();
                for index in finished.iter().filter(|_| !open.is_empty()) {
                    let id = index.get(&open).intent.id;
                    let failure = Failure::ShuttingDown {};
                    for store in [&at_once, &in_turn] {
                        // Failing the same intent twice is refused.
                        let _ = store.fail(id, &failure, at(6)).await;
                    }
                }
            }
        });
    }
}

#[tokio::test]
async fn a_new_database_has_large_pages() {
    let database = crate::raw::Database::new();
    database.open().await.close().await;
    let raw = database.raw().await;
    let size: i64 = sqlx::query_scalar("PRAGMA page_size")
        .fetch_one(&raw)
        .await
        .unwrap();
    assert_eq!(size, 8192);
}
