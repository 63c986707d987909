use super::*;
use atoma_domain::{Digest, ObjectReference};

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
fn the_smallest_coin_that_suffices_pays_or_the_largest_together() {
    assert_eq!(chosen(6), Some(vec![10]));
    assert_eq!(chosen(30), Some(vec![30]));
    assert_eq!(chosen(31), Some(vec![30, 10]));
    assert_eq!(chosen(45), Some(vec![30, 10, 5]));
    assert_eq!(chosen(46), None);
}

fn pool(coins: Vec<GasCoin>) -> Arc<GasPool> {
    let pool = GasPool::new(Address::new([9; 32]));
    for coin in coins {
        let id = *coin.reference.object_id();
        pool.lock().insert(
            id,
            Slot {
                coin: Some(coin),
                leased: false,
            },
        );
    }
    pool
}

#[test]
fn a_leased_coin_is_waited_for_and_comes_back() {
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
    pool.wanted.store(true, Ordering::Relaxed);
    assert!(lease.to_split(Mist::new(9_999_999_999)).is_empty());
    let split = lease.to_split(Mist::new(20));
    assert_eq!(split, vec![Mist::new(4_999_999_990)]);
    assert!(lease.to_split(Mist::new(20)).is_empty());
}
