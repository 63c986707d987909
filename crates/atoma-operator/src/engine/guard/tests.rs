mod racing;

use super::*;
use crate::engine::testing::{StoppedClock, empty_journal};

const SUCCESS: AttemptStatus = AttemptStatus::Succeeded;
const FAILURE: AttemptStatus = AttemptStatus::Aborted;

fn at(ms: u64) -> TimestampMs {
    TimestampMs::new(ms)
}

fn breaker(failures: u32) -> Arc<Guard> {
    Guard::new(GuardConfig {
        breaker_failures: failures,
        breaker_pause: Duration::from_secs(10),
        ..GuardConfig::default()
    })
}

#[test]
fn the_breaker_opens_after_failures_in_a_row_and_closes_with_a_success() {
    let guard = breaker(3);
    guard.note(FAILURE, at(1_000));
    guard.note(FAILURE, at(1_000));
    guard.note(SUCCESS, at(1_000));
    guard.note(FAILURE, at(1_000));
    guard.note(FAILURE, at(1_000));
    assert_eq!(guard.hold(at(1_000)), None);
    guard.note(FAILURE, at(1_000));
    assert_eq!(
        guard.hold(at(1_500)),
        Some(Hold {
            reason: Failure::BreakerOpen {
                failures: 3,
                retry_after_s: 10
            },
            left: Some(Duration::from_millis(9_500)),
            is_told: true,
        })
    );
    assert_eq!(guard.hold(at(11_000)), None);
    guard.note(FAILURE, at(11_000));
    assert!(guard.hold(at(12_000)).is_some());
    guard.note(SUCCESS, at(12_000));
    assert_eq!(guard.hold(at(12_000)), None);
}

#[test]
fn a_breaker_of_zero_never_opens() {
    let guard = breaker(0);
    for _ in 0..100 {
        guard.note(FAILURE, at(1));
    }
    assert_eq!(guard.hold(at(1)), None);
}

#[test]
fn a_refusal_is_a_failure_too_and_congestion_neither_failure_nor_success() {
    let guard = breaker(3);
    guard.note(FAILURE, at(1));
    for _ in 0..100 {
        guard.note(AttemptStatus::Cancelled, at(1));
        guard.note(AttemptStatus::Dead, at(1));
    }
    guard.note(AttemptStatus::Refused, at(1));
    assert_eq!(guard.hold(at(1)), None);
    guard.note(FAILURE, at(1));
    assert!(guard.hold(at(1)).is_some());
    // Once it is open, they don't make its pause longer.
    guard.note(AttemptStatus::Cancelled, at(9_000));
    assert_eq!(guard.hold(at(10_001)), None);
}

#[test]
fn a_clock_that_is_set_back_does_not_keep_the_breaker_open() {
    let guard = breaker(1);
    guard.note(FAILURE, at(1_000_000));
    let hold = guard.hold(at(1)).unwrap();
    assert_eq!(hold.left, Some(Duration::from_secs(10)));
    assert!(guard.hold(at(10_000)).is_some());
    assert_eq!(guard.hold(at(10_001)), None);
}

#[test]
fn a_stop_outlasts_everything() {
    let guard = breaker(3);
    let reason = Failure::ShuttingDown {};
    guard.stop(reason.clone());
    guard.stop(Failure::NoNodeRegistered {});
    guard.note(SUCCESS, at(1));
    let hold = guard.hold(at(u64::MAX)).unwrap();
    assert_eq!((hold.reason, hold.left), (reason, None));
}

#[tokio::test]
async fn budgets_on_their_way_count_against_the_cap() {
    let guard = Guard::new(GuardConfig {
        daily_gas_cap: Some(Mist::new(100)),
        ..GuardConfig::default()
    });
    let journal = empty_journal().await;
    let reserve = async |budget| {
        let reserved = guard.reserve(Mist::new(budget), journal.as_ref(), &StoppedClock);
        reserved.await.unwrap()
    };
    let before = guard.reserve_known(Mist::new(40));
    let first = reserve(60).await.unwrap();
    let (daily_cap, spent) = (Mist::new(100), Mist::ZERO);
    assert_eq!(
        reserve(1).await.unwrap_err(),
        CapReached {
            failure: Failure::SpendCapReached { daily_cap, spent },
            // The cap is not spent yet, only promised.
            is_final: false,
        }
    );
    assert!(reserve(101).await.unwrap_err().is_final);
    drop(before);
    let second = reserve(40).await.unwrap();
    let brakes = guard.brakes(journal.as_ref(), &StoppedClock).await.unwrap();
    assert_eq!(brakes.reserved, Mist::new(100));
    drop((first, second));
    let brakes = guard.brakes(journal.as_ref(), &StoppedClock).await.unwrap();
    assert_eq!(brakes.reserved, Mist::ZERO);
}
