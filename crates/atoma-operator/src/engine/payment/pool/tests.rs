mod order;
mod wallet;

use std::collections::BTreeMap;
use std::time::Duration;

use atoma_domain::ports::{Executed, ExecutionOutcome};
use atoma_domain::{Digest, Epoch, ObjectReference};

use super::*;
use wallet::Wallet;

fn coin(id: u8, balance: u64) -> GasCoin {
    GasCoin {
        reference: ObjectReference::new(ObjectId::new([id; 32]), 1, Digest::ZERO),
        balance: Mist::new(balance),
    }
}

fn chosen(budget: u64) -> Option<Vec<u64>> {
    let free = vec![coin(1, 5), coin(2, 10), coin(3, 30)];
    let chosen = choose(free, Mist::new(budget))?;
    Some(chosen.iter().map(|coin| coin.balance.get()).collect())
}

#[test]
fn the_smallest_sufficient_coin_pays_or_the_largest_together() {
    assert_eq!(chosen(6), Some(vec![10]));
    assert_eq!(chosen(30), Some(vec![30]));
    assert_eq!(chosen(31), Some(vec![30, 10]));
    assert_eq!(chosen(45), Some(vec![30, 10, 5]));
    assert_eq!(chosen(46), None);
}

fn pool(coins: Vec<GasCoin>) -> Arc<GasPool> {
    let pool = GasPool::new(Address::new([9; 32]));
    let list = pool.lock().coins.begin_list();
    pool.lock().coins.adopt(list, coins);
    pool
}

#[test]
fn a_leased_coin_comes_back() {
    let pool = pool(vec![coin(1, 50)]);
    let Search::Found(lease) = pool.try_lease(None, Mist::new(20), None) else {
        panic!("it is free");
    };
    assert!(matches!(
        pool.try_lease(None, Mist::new(20), None),
        Search::Busy
    ));
    assert!(matches!(
        pool.try_lease(None, Mist::new(51), None),
        Search::None
    ));
    drop(lease);
    assert!(matches!(
        pool.try_lease(None, Mist::new(20), None),
        Search::Found(_)
    ));
}

#[test]
fn a_large_coin_is_split_once_a_lane_had_to_wait() {
    let pool = pool(vec![coin(1, 10_000_000_000)]);
    let Search::Found(lease) = pool.try_lease(None, Mist::new(20), None) else {
        panic!("it is free");
    };
    assert!(lease.to_split(Mist::new(20)).is_empty());
    pool.holdings.wanted.store(true, Ordering::Relaxed);
    assert!(lease.to_split(Mist::new(9_999_999_999)).is_empty());
    let split = lease.to_split(Mist::new(20));
    assert_eq!(split, vec![Mist::new(4_999_999_990)]);
    assert!(lease.to_split(Mist::new(20)).is_empty());
}

/// Leases coins that must be free.
#[track_caller]
fn found(pool: &Arc<GasPool>, named: Option<ObjectId>, budget: u64) -> GasLease {
    match pool.try_lease(named, Mist::new(budget), None) {
        Search::Found(lease) => lease,
        search => panic!("{search:?}"),
    }
}

/// A transaction that wrote these coins, at version 2.
fn executed(written: &[&GasCoin]) -> Executed {
    let references = written.iter().map(|coin| {
        let id = *coin.reference.object_id();
        (id, ObjectReference::new(id, 2, Digest::ZERO))
    });
    Executed {
        digest: Digest::ZERO,
        outcome: ExecutionOutcome::Success,
        epoch: Epoch::new(1),
        gas_used: Mist::new(1),
        gas_returned: Mist::ZERO,
        checkpoint: None,
        written: references.collect::<BTreeMap<_, _>>(),
        gas_coin: None,
        events: Vec::new(),
        other_events: 0,
        effects: Vec::new(),
    }
}

/// Refreshes the pool, and does something while the list is being read. Says whether the list was
/// complete.
async fn refresh_with(pool: &Arc<GasPool>, wallet: Wallet, meanwhile: impl AsyncFnOnce()) -> bool {
    let wallet = Arc::new(wallet);
    let refreshing = tokio::spawn({
        let (pool, wallet) = (Arc::clone(pool), Arc::clone(&wallet));
        async move { pool.refresh(wallet.as_ref()).await }
    });
    let limit = Duration::from_secs(60);
    let read = tokio::time::timeout(limit, wallet.read.acquire());
    drop(read.await.expect("the list is read"));
    meanwhile().await;
    wallet.answers.add_permits(1);
    let refreshed = tokio::time::timeout(limit, refreshing).await;
    refreshed.expect("it ends").unwrap().unwrap()
}

#[tokio::test]
async fn a_list_read_before_a_payment_does_not_bring_coins_back() {
    let (first, second) = (coin(1, 50), coin(2, 30));
    let pool = pool(vec![first.clone(), second.clone()]);
    let lease = found(&pool, None, 70);
    let list = Wallet::silent(vec![first.clone(), second.clone()]);
    refresh_with(&pool, list, async || {
        let mut lease = lease;
        lease.paid(&executed(&[&first]), Mist::ZERO);
        drop(lease);
    })
    .await;
    let named = Some(*second.reference.object_id());
    let search = pool.try_lease(named, Mist::new(20), None);
    assert!(matches!(search, Search::None), "{search:?}");
    // Nor is the other one set back.
    let lease = found(&pool, None, 20);
    assert_eq!(lease.references()[0].version(), 2);
    assert_eq!(lease.balance(), Mist::new(79));
}

/// Neither does a later list from a lagging node.
#[tokio::test]
async fn a_coin_that_a_payment_used_up_is_gone_for_good() {
    for is_known in [true, false] {
        let (first, second) = (coin(1, 50), coin(2, 30));
        let pool = pool(vec![first.clone(), second.clone()]);
        let mut lease = if is_known {
            found(&pool, None, 70)
        } else {
            let ids = [&first, &second].map(|coin| *coin.reference.object_id());
            pool.lease_known(ids.into_iter())
        };
        lease.paid(&executed(&[&first]), Mist::ZERO);
        drop(lease);
        let list = Wallet::of(vec![first.clone(), second.clone()]);
        pool.refresh(&list).await.unwrap();
        let named = Some(*second.reference.object_id());
        let search = pool.try_lease(named, Mist::new(20), None);
        assert!(matches!(search, Search::None), "{search:?}");
    }
}

#[tokio::test]
async fn a_list_read_before_a_lease_does_not_change_its_coin() {
    let known = coin(1, 50);
    let pool = pool(vec![known.clone()]);
    // Not in the list: a node that lags does not know it yet.
    refresh_with(&pool, Wallet::silent(Vec::new()), async || {
        drop(found(&pool, None, 20));
    })
    .await;
    drop(found(&pool, None, 20));
    // Nobody used it: then it is gone.
    pool.refresh(&Wallet::of(Vec::new())).await.unwrap();
    let search = pool.try_lease(None, Mist::new(20), None);
    assert!(matches!(search, Search::None), "{search:?}");
}

/// The dead attempt's coin may have been used by somebody else.
#[tokio::test]
async fn a_forgotten_coin_is_not_taken_from_an_older_list() {
    let known = coin(1, 50);
    let pool = pool(vec![known.clone()]);
    let mut lease = found(&pool, None, 20);
    let is_whole = refresh_with(&pool, Wallet::silent(vec![known.clone()]), async || {
        lease.forget();
        drop(lease);
    });
    assert!(!is_whole.await);
    let search = pool.try_lease(None, Mist::new(20), None);
    assert!(matches!(search, Search::None), "{search:?}");
    assert!(pool.refresh(&Wallet::of(vec![known])).await.unwrap());
    drop(found(&pool, None, 20));
}

#[tokio::test]
async fn a_coin_of_two_open_attempts_is_free_when_both_have_ended() {
    let shared = coin(1, 50);
    let id = *shared.reference.object_id();
    let pool = pool(vec![shared.clone()]);
    let first = pool.lease_known(std::iter::once(id));
    let second = pool.lease_known(std::iter::once(id));
    let list = Wallet::of(vec![shared]);
    drop(first);
    pool.refresh(&list).await.unwrap();
    let search = pool.try_lease(None, Mist::new(20), None);
    assert!(matches!(search, Search::Busy), "{search:?}");
    drop(second);
    pool.refresh(&list).await.unwrap();
    drop(found(&pool, None, 20));
}

/// The address owns a coin that it has paid with before, whatever the node's index says.
#[tokio::test]
async fn a_coin_that_the_list_lacks_is_read_by_itself() {
    let (pool, config) = (pool(Vec::new()), EngineConfig::default());
    let lease = async |wallet: &Wallet, budget| {
        let lease = pool.lease(wallet, &config, None, Mist::new(budget)).await;
        lease.map(|lease| lease.balance().get())
    };
    let nothing = Wallet::of(Vec::new());
    assert!(matches!(
        lease(&nothing, 1).await,
        Err(GasError::Incomplete)
    ));
    pool.note_known(vec![*coin(1, 0).reference.object_id()]);
    assert!(matches!(
        lease(&nothing, 1).await,
        Err(GasError::Incomplete)
    ));
    // The coin may exist, and the node not know it yet.
    let dust = Wallet::of(vec![coin(2, 5)]);
    assert!(matches!(lease(&dust, 40).await, Err(GasError::Incomplete)));
    let stale = Wallet {
        unlisted: vec![coin(1, 50)],
        ..Wallet::of(vec![coin(2, 5)])
    };
    assert_eq!(lease(&stale, 40).await.unwrap(), 50);
    assert!(matches!(
        lease(&stale, 56).await,
        Err(GasError::Insufficient)
    ));
}

/// A coin whose version was refused is read again. Until then nobody knows the balance.
#[tokio::test]
async fn the_balance_is_unknown_while_a_coin_has_to_be_read() {
    let pool = pool(Vec::new());
    assert_eq!(pool.balance(), None);
    let wallet = Wallet::of(vec![coin(1, 50)]);
    pool.refresh(&wallet).await.unwrap();
    assert_eq!(pool.balance(), Some(Mist::new(50)));
    let Search::Found(mut lease) = pool.try_lease(None, Mist::new(20), None) else {
        panic!("it is free");
    };
    assert_eq!(pool.balance(), Some(Mist::new(50)));
    lease.forget();
    drop(lease);
    assert_eq!(pool.balance(), None);
    pool.refresh(&wallet).await.unwrap();
    assert_eq!(pool.balance(), Some(Mist::new(50)));
    pool.refresh(&Wallet::of(Vec::new())).await.unwrap();
    assert_eq!(pool.balance(), Some(Mist::ZERO));
}
