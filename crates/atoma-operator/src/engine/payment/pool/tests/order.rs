//! The order in the queue.

use super::*;

/// What the holder of a place, or a newcomer, finds.
fn look(pool: &Arc<GasPool>, budget: u64, place: Option<&Place>) -> Search {
    pool.try_lease(None, Mist::new(budget), place)
}

fn join(pool: &Arc<GasPool>, budget: u64) -> Place {
    pool.join(None, Mist::new(budget))
}

#[track_caller]
fn assert_busy(search: &Search) {
    assert!(matches!(search, Search::Busy), "{search:?}");
}

#[track_caller]
fn assert_found(search: &Search) {
    assert!(matches!(search, Search::Found(_)), "{search:?}");
}

#[test]
fn the_first_in_the_queue_gets_the_first_suitable_coin() {
    let pool = pool(vec![coin(1, 5), coin(2, 5)]);
    let (first, second) = (join(&pool, 5), join(&pool, 5));
    assert_busy(&look(&pool, 5, None));
    assert_found(&look(&pool, 5, Some(&second)));
    let taken = look(&pool, 5, Some(&first));
    assert_found(&taken);
    assert_busy(&look(&pool, 5, Some(&second)));
    drop(first);
    assert_found(&look(&pool, 5, Some(&second)));
    drop(second);
    assert_found(&look(&pool, 5, None));
}

/// A stuck attempt holds up only those that need its coin.
#[test]
fn a_waiter_that_needs_more_than_is_free_is_passed() {
    let pool = pool(vec![coin(2, 5)]);
    let _stuck = pool.lease_known(std::iter::once(ObjectId::new([1; 32])));
    let large = join(&pool, 6);
    assert_busy(&look(&pool, 6, Some(&large)));
    for _ in 0..100 {
        assert_found(&look(&pool, 1, None));
    }
    let small = join(&pool, 1);
    assert_found(&look(&pool, 1, Some(&small)));
}

#[test]
fn free_coins_are_kept_for_a_waiter_that_was_passed_often() {
    let pool = pool(vec![coin(1, 10), coin(2, 5)]);
    let other = found(&pool, None, 10);
    let large = join(&pool, 6);
    let mut passes = 0;
    while let Search::Found(lease) = look(&pool, 1, None) {
        drop(lease);
        passes += 1;
        assert!(passes < 100, "it is passed for ever");
    }
    assert!(passes > 3, "{passes}");
    assert_busy(&look(&pool, 6, Some(&large)));
    // Nothing is gained for it by waiting with it, once the other is leased for long.
    pool.lock().coins.long_lease = Duration::ZERO;
    assert_found(&look(&pool, 1, None));
    pool.lock().coins.long_lease = Duration::from_secs(60);
    assert_busy(&look(&pool, 1, None));
    drop(other);
    assert_found(&look(&pool, 6, Some(&large)));
    drop(large);
    assert_found(&look(&pool, 1, None));
}

#[test]
fn a_waiter_for_a_named_coin_holds_up_nobody_else() {
    let pool = pool(vec![coin(1, 10), coin(2, 20)]);
    let id = ObjectId::new([1; 32]);
    let lease = found(&pool, Some(id), 1);
    let named = pool.join(Some(id), Mist::new(1));
    for _ in 0..100 {
        assert_found(&look(&pool, 1, None));
    }
    drop(lease);
    // The smallest that would do is kept for who named it.
    let search = look(&pool, 1, None);
    let Search::Found(lease) = &search else {
        panic!("{search:?}");
    };
    assert_eq!(lease.balance(), Mist::new(20));
    assert_busy(&look(&pool, 1, None));
    let taken = pool.try_lease(Some(id), Mist::new(1), Some(&named));
    assert_found(&taken);
}

#[test]
fn a_waiter_that_is_away_is_passed_and_keeps_its_place() {
    let pool = pool(vec![coin(1, 10)]);
    let (first, second) = (join(&pool, 5), join(&pool, 5));
    assert_busy(&look(&pool, 5, Some(&second)));
    pool.note_away(Some(&first), true);
    assert_found(&look(&pool, 5, Some(&second)));
    pool.note_away(Some(&first), false);
    assert_busy(&look(&pool, 5, Some(&second)));
    assert_found(&look(&pool, 5, Some(&first)));
}

/// A slow node makes reading the coins slow.
#[tokio::test]
async fn reading_the_coins_holds_up_nobody() {
    let wallet = Arc::new(Wallet::silent(Vec::new()));
    let context = Arc::new(crate::engine::testing::context(wallet.clone()).await);
    let pool = pool(vec![coin(1, 10)]);
    let place = join(&pool, 5);
    assert_busy(&look(&pool, 5, None));
    let reading = tokio::spawn({
        let (pool, context) = (Arc::clone(&pool), Arc::clone(&context));
        async move {
            pool.reread(context.ports.chain.as_ref(), &context.config, Some(&place))
                .await
        }
    });
    let limit = Duration::from_secs(60);
    let read = tokio::time::timeout(limit, wallet.read.acquire()).await;
    drop(read.expect("the list is read"));
    assert_found(&look(&pool, 5, None));
    wallet.answers.add_permits(1);
    let read = tokio::time::timeout(limit, reading).await;
    read.expect("it ends").unwrap().unwrap();
}
