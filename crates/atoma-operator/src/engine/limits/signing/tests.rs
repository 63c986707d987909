mod racing;

use super::*;
use tracing::Level;

use crate::engine::testing::logged::{Logged, line};
use crate::engine::testing::{StoppedClock, empty_journal};

const SUCCESS: AttemptStatus = AttemptStatus::Succeeded;
const FAILURE: AttemptStatus = AttemptStatus::Aborted;

fn at(ms: u64) -> TimestampMs {
    TimestampMs::new(ms)
}

fn breaker(failures: u32) -> Arc<Limits> {
    Limits::new(LimitsConfig {
        breaker_failures: failures,
        breaker_pause: Duration::from_secs(10),
        ..LimitsConfig::default()
    })
}

#[test]
fn the_breaker_opens_after_failures_in_a_row_and_closes_with_a_success() {
    let limits = breaker(3);
    limits.note(FAILURE, at(1_000));
    limits.note(FAILURE, at(1_000));
    limits.note(SUCCESS, at(1_000));
    limits.note(FAILURE, at(1_000));
    limits.note(FAILURE, at(1_000));
    assert_eq!(limits.hold(at(1_000)), None);
    limits.note(FAILURE, at(1_000));
    assert_eq!(
        limits.hold(at(1_500)),
        Some(Hold {
            reason: WaitReason::BreakerOpen {
                failures: 3,
                retry_after_s: 10
            },
            left: Some(Duration::from_millis(9_500)),
            is_announced: true,
        })
    );
    assert_eq!(limits.hold(at(11_000)), None);
    limits.note(FAILURE, at(11_000));
    assert!(limits.hold(at(12_000)).is_some());
    limits.note(SUCCESS, at(12_000));
    assert_eq!(limits.hold(at(12_000)), None);
}

/// One line each time, however many transactions that were under way fail during the pause.
#[test]
fn the_breaker_warns_when_it_opens_and_closes() {
    let (logged, _guard) = Logged::begin();
    let limits = breaker(2);
    for ms in [0, 1_000, 2_000] {
        limits.note(FAILURE, at(ms));
    }
    let opens = |failures| {
        line([
            (
                "message",
                "the circuit breaker opens: nothing is signed during the pause",
            ),
            ("failures", failures),
            ("pause_s", "10"),
        ])
    };
    assert_eq!(logged.take(Level::WARN), [opens("2")]);
    limits.note(FAILURE, at(12_000));
    assert_eq!(logged.take(Level::WARN), [opens("4")]);
    limits.note(SUCCESS, at(12_000));
    limits.note(SUCCESS, at(12_000));
    let closes = "the circuit breaker closes: a transaction has succeeded";
    assert_eq!(logged.take(Level::WARN), [line([("message", closes)])]);
}

/// One line each time, however many lanes come to the cap.
#[tokio::test]
async fn the_cap_warns_when_it_is_reached_and_when_it_has_room_again() {
    let (logged, _guard) = Logged::begin();
    let limits = Limits::new(LimitsConfig {
        daily_gas_cap: Some(Mist::new(100)),
        ..LimitsConfig::default()
    });
    let journal = empty_journal().await;
    let reserve = async |budget| {
        let reserved = limits.reserve(Mist::new(budget), journal.as_ref(), &StoppedClock);
        reserved.await.unwrap()
    };
    reserve(60)
        .await
        .unwrap()
        .spend(Mist::new(30), Duration::from_millis(1));
    let running = reserve(50).await.unwrap();
    assert_eq!(logged.take(Level::WARN), []);
    for budget in [21, 22] {
        reserve(budget).await.unwrap_err();
    }
    let reached = line([
        ("message", "the daily cap on gas is reached"),
        ("daily_cap", "100"),
        ("spent", "30"),
        ("reserved", "50"),
        ("gas_budget", "21"),
    ]);
    assert_eq!(logged.take(Level::WARN), [reached]);
    drop(running);
    let _both = (reserve(21).await.unwrap(), reserve(21).await.unwrap());
    let room = line([
        ("message", "the daily cap on gas has room again"),
        ("daily_cap", "100"),
        ("spent", "30"),
        ("reserved", "0"),
    ]);
    assert_eq!(logged.take(Level::WARN), [room]);
}

#[test]
fn a_breaker_of_zero_never_opens() {
    let limits = breaker(0);
    for _ in 0..100 {
        limits.note(FAILURE, at(1));
    }
    assert_eq!(limits.hold(at(1)), None);
}

#[test]
fn congestion_is_neither_failure_nor_success() {
    let limits = breaker(3);
    limits.note(FAILURE, at(1));
    for _ in 0..100 {
        limits.note(AttemptStatus::Cancelled, at(1));
        limits.note(AttemptStatus::Dead, at(1));
    }
    limits.note(FAILURE, at(1));
    assert_eq!(limits.hold(at(1)), None);
    limits.note(FAILURE, at(1));
    assert!(limits.hold(at(1)).is_some());
    // Once it is open, they don't make its pause longer.
    limits.note(AttemptStatus::Cancelled, at(9_000));
    assert_eq!(limits.hold(at(10_001)), None);
}

#[test]
fn a_clock_that_is_set_back_does_not_keep_the_breaker_open() {
    let limits = breaker(1);
    limits.note(FAILURE, at(1_000_000));
    let hold = limits.hold(at(1)).unwrap();
    assert_eq!(hold.left, Some(Duration::from_secs(10)));
    assert!(limits.hold(at(10_000)).is_some());
    assert_eq!(limits.hold(at(10_001)), None);
}

#[test]
fn a_stop_outlasts_everything() {
    let limits = breaker(3);
    let reason = Failure::ShuttingDown {};
    limits.stop(reason.clone());
    limits.stop(Failure::NoNodeRegistered {});
    limits.note(SUCCESS, at(1));
    let hold = limits.hold(at(u64::MAX)).unwrap();
    assert_eq!(
        (hold.reason, hold.left),
        (WaitReason::Stopped(reason), None)
    );
}

#[tokio::test]
async fn budgets_of_running_transactions_count_against_the_cap() {
    let limits = Limits::new(LimitsConfig {
        daily_gas_cap: Some(Mist::new(100)),
        ..LimitsConfig::default()
    });
    let journal = empty_journal().await;
    let reserve = async |budget| {
        let reserved = limits.reserve(Mist::new(budget), journal.as_ref(), &StoppedClock);
        reserved.await.unwrap()
    };
    let before = limits.reserve_signed(Mist::new(40));
    let first = reserve(60).await.unwrap();
    assert_eq!(
        reserve(1).await.unwrap_err(),
        CapReached {
            failure: Failure::SpendCapReached {
                daily_cap: Mist::new(100),
                spent: Mist::ZERO,
                reserved: Mist::new(100),
                gas_budget: Mist::new(1),
            },
            // The cap is not spent yet, only promised.
            is_final: false,
        }
    );
    assert!(reserve(101).await.unwrap_err().is_final);
    drop(before);
    let second = reserve(40).await.unwrap();
    let status = limits
        .status(journal.as_ref(), &StoppedClock)
        .await
        .unwrap();
    assert_eq!(status.reserved, Mist::new(100));
    drop((first, second));
    let status = limits
        .status(journal.as_ref(), &StoppedClock)
        .await
        .unwrap();
    assert_eq!(status.reserved, Mist::ZERO);
}
