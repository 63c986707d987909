//! The daemon crashes before and after every call that serving makes. A repeated request reserves and
//! records once, and whatever a dead service leaves behind ends with its lease.

use std::sync::atomic::Ordering;

use atoma_domain::StackSmallId;
use atoma_domain::journal::Failure;
use atoma_domain::model::{Lease, StackChoice};
use atoma_operator::{NodeChoice, StackStatus, WantedUnits};

use crate::support::cases::FIRST;
use crate::support::fail_points::{CrashPoint, Plan, Side};
use crate::support::generation::{Generation, Site};
use crate::support::service::{
    SetClock, UNITS, begin, purchase_of, record_by_id, record_by_key, release, release_by_holder,
    renew, reserve, reserve_from, state,
};
use crate::support::world::{NONE, World, gas};

/// What a service does with a stack: what comes before, what it crashes in and repeats, the calls of
/// that, and the stack's state afterwards. A new call is a new crash point: add it here.
struct Row<B, A> {
    calls: &'static [&'static str],
    before: B,
    act: A,
    state: [u64; 3],
}

async fn nothing(_: &Generation, _: StackSmallId) -> Result<(), Failure> {
    Ok(())
}

/// Crashes at each call of the act, repeats it twice with the next daemon, and settles all stacks in the
/// end.
fn crash_everywhere<B, A>(row: &Row<B, A>)
where
    B: AsyncFn(&Generation, StackSmallId) -> Result<(), Failure>,
    A: AsyncFn(&Generation, StackSmallId) -> Result<(), Failure>,
{
    let (world, clock) = (World::start(), SetClock::default());
    let site = world.operator(1, 1);
    let first = world.buy(NONE, FIRST, 1)[0];
    let daemon = begin(&world, &site, &clock);
    let calls = daemon.run(async {
        daemon.catch_up().await;
        (row.before)(&daemon, first).await.unwrap();
        daemon.points.arm(Plan::new());
        (row.act)(&daemon, first).await.unwrap();
        assert_eq!(state(&daemon, first).await, row.state);
        daemon.points.calls()
    });
    daemon.stop();

    assert_eq!(calls, row.calls);
    let crash_points = CrashPoint::all(&calls);
    let mut stacks = world.buy(NONE, FIRST, crash_points.len());
    for (at, stack) in crash_points.into_iter().zip(&stacks) {
        let daemon = begin(&world, &site, &clock);
        daemon.run(async {
            daemon.catch_up().await;
            (row.before)(&daemon, *stack).await.unwrap();
        });
        daemon.points.arm_crash(at);
        let ended = daemon.run_until_crash((row.act)(&daemon, *stack));
        assert!(ended.is_none(), "{at:?} was not reached: {ended:?}");
        daemon.kill();

        let daemon = begin(&world, &site, &clock);
        daemon.run(async {
            for _ in 0..2 {
                (row.act)(&daemon, *stack).await.unwrap();
                assert_eq!(state(&daemon, *stack).await, row.state, "{at:?}");
            }
        });
        daemon.stop();
    }
    stacks.push(first);
    settle_after_leases(&world, &site, &clock, &stacks);
}

/// All leases expire. Then every stack that has a message settles.
fn settle_after_leases(world: &World, site: &Site, clock: &SetClock, stacks: &[StackSmallId]) {
    clock.0.fetch_add(3_600_000, Ordering::Relaxed);
    let daemon = begin(world, site, clock);
    daemon.run(async {
        daemon.engine.recover().await.unwrap();
        daemon.catch_up().await;
        for stack in stacks {
            record_by_id(&daemon, *stack).await.unwrap();
        }
        let settled = daemon
            .operator
            .settle(stacks, None, NodeChoice::default(), gas());
        for result in settled.await.unwrap() {
            assert_eq!(result.status, StackStatus::Succeeded, "{result:?}");
        }
    });
    daemon.stop();
}

#[test]
fn units_are_reserved_once_wherever_the_daemon_crashes() {
    crash_everywhere(&Row {
        calls: &["work.reserve_units"],
        before: nothing,
        act: reserve,
        state: [0, 400, 0],
    });
}

#[test]
fn a_message_is_recorded_once_under_its_id_wherever_the_daemon_crashes() {
    crash_everywhere(&Row {
        calls: &["work.record_message"],
        before: reserve,
        act: record_by_id,
        state: [400, 0, 1],
    });
}

#[test]
fn a_message_is_recorded_once_under_its_key_wherever_the_daemon_crashes() {
    crash_everywhere(&Row {
        calls: &["work.record_message"],
        before: reserve,
        act: record_by_key,
        state: [400, 0, 1],
    });
}

#[test]
fn a_lease_is_renewed_wherever_the_daemon_crashes() {
    crash_everywhere(&Row {
        calls: &["work.change_reservation"],
        before: reserve,
        act: renew,
        state: [0, 100, 0],
    });
}

#[test]
fn a_reservation_is_released_wherever_the_daemon_crashes() {
    crash_everywhere(&Row {
        calls: &["work.release_reservation"],
        before: reserve,
        act: release,
        state: [0, 0, 0],
    });
}

#[test]
fn the_reservations_of_a_holder_are_released_wherever_the_daemon_crashes() {
    crash_everywhere(&Row {
        calls: &["work.release_held_by"],
        before: reserve,
        act: release_by_holder,
        state: [0, 0, 0],
    });
}

#[test]
fn a_new_purchase_is_mirrored_early_wherever_the_daemon_crashes() {
    let (world, clock) = (World::start(), SetClock::default());
    let site = world.operator(1, 1);
    let daemon = begin(&world, &site, &clock);
    daemon.run(daemon.catch_up());
    daemon.stop();
    // From here on, no daemon follows the ledger until the end.
    let bought = |count| world.buy(NONE, FIRST, count);
    let first = bought(1)[0];
    let daemon = begin(&world, &site, &clock);
    let calls = daemon.run(async {
        let refused = reserve_from(&daemon, first, None).await;
        assert!(
            matches!(refused, Err(Failure::NoStack { .. })),
            "{refused:?}"
        );
        let digest = purchase_of(&daemon, first).await;
        let progress = daemon.ports.events.progress().await.unwrap();
        daemon.points.arm(Plan::new());
        let reserved = reserve_from(&daemon, first, Some(digest)).await;
        assert_eq!(reserved.unwrap().stack_small_id, first);
        assert_eq!(daemon.ports.events.progress().await.unwrap(), progress);
        daemon.points.calls()
    });
    daemon.stop();
    let expected = [
        "work.reserve_units",
        "chain.identity",
        "events.bind",
        "chain.lookup",
        "chain.view",
        "events.apply_early",
        "work.reserve_units",
    ];
    assert_eq!(calls, expected);
    let crash_points = CrashPoint::all(&calls);
    let mut stacks = bought(crash_points.len());
    for (at, stack) in crash_points.into_iter().zip(&stacks) {
        let daemon = begin(&world, &site, &clock);
        let digest = daemon.run(async { purchase_of(&daemon, *stack).await });
        daemon.points.arm_crash(at);
        let ended = daemon.run_until_crash(reserve_from(&daemon, *stack, Some(digest)));
        assert!(ended.is_none(), "{at:?} was not reached: {ended:?}");
        daemon.kill();
        let daemon = begin(&world, &site, &clock);
        daemon.run(async {
            for _ in 0..2 {
                let reserved = reserve_from(&daemon, *stack, Some(digest)).await;
                assert_eq!(reserved.unwrap().stack_small_id, *stack, "{at:?}");
                assert_eq!(state(&daemon, *stack).await, [0, 400, 0], "{at:?}");
            }
        });
        daemon.stop();
    }
    stacks.push(first);
    settle_after_leases(&world, &site, &clock, &stacks);
}

/// A transaction that bought nothing, a stack of another owner and a stack that is already settled are not
/// mirrored early.
#[test]
fn only_an_open_stack_of_the_owner_is_mirrored_early() {
    let (world, clock) = (World::start(), SetClock::default());
    let site = world.operator(1, 1);
    let daemon = begin(&world, &site, &clock);
    let other = daemon.run(async {
        daemon.catch_up().await;
        let atoma_db = world.network.addresses().atoma_db;
        let last = daemon.ports.chain.object(atoma_db).await.unwrap();
        last.and_then(|object| object.last_transaction).unwrap()
    });
    daemon.stop();
    let [open, settled] = [0, 1].map(|_| world.buy(NONE, FIRST, 1)[0]);
    // A daemon with a database of its own settles one of them.
    let another = Site {
        path: world.dir.path().join("another.sqlite"),
        ..site.clone()
    };
    let daemon = world.begin(&another);
    daemon.run(async {
        daemon.engine.recover().await.unwrap();
        daemon.record(&[settled], None).await;
        daemon.settle(&[settled]).await;
    });
    daemon.stop();

    let daemon = begin(&world, &site, &clock);
    daemon.run(async {
        let [of_open, of_settled] = [
            purchase_of(&daemon, open).await,
            purchase_of(&daemon, settled).await,
        ];
        let by_another_owner = WantedUnits {
            owner: site.address,
            stack: StackChoice::Task(world.tasks[NONE]),
            num_compute_units: UNITS,
            holder: None,
            lease: Lease::default(),
            purchase: Some(of_open),
        };
        for refused in [
            daemon.operator.reserve(by_another_owner).await,
            reserve_from(&daemon, open, Some(other)).await,
            reserve_from(&daemon, settled, Some(of_settled)).await,
        ] {
            let is_refused = matches!(refused, Err(Failure::NotAPurchase { .. }));
            assert!(is_refused, "{refused:?}");
        }
        let both = daemon.ports.state.stacks_by_id(&[open, settled]).await;
        assert_eq!(both.unwrap(), []);
        reserve_from(&daemon, open, Some(of_open)).await.unwrap();
    });
    daemon.stop();
}

/// An inference service that is killed between reserving and recording, a hundred times, blocks no
/// settlement for longer than its lease.
#[test]
fn every_stack_of_a_killed_service_settles_after_the_lease() {
    const ROUNDS: usize = 100;
    let (world, clock) = (World::start(), SetClock::default());
    let site = world.operator(1, 1);
    let stacks = world.buy(NONE, FIRST, ROUNDS);
    let daemon = begin(&world, &site, &clock);
    daemon.run(async {
        daemon.catch_up().await;
        for stack in &stacks {
            record_by_key(&daemon, *stack).await.unwrap();
        }
    });
    daemon.stop();
    for (round, stack) in stacks.iter().enumerate() {
        let daemon = begin(&world, &site, &clock);
        daemon.points.arm_crash(match round % 2 {
            0 => CrashPoint {
                name: "work.reserve_units",
                nth: 1,
                side: Side::After,
            },
            _ => CrashPoint {
                name: "work.record_message",
                nth: 1,
                side: Side::Before,
            },
        });
        let ended = daemon.run_until_crash(async {
            reserve(&daemon, *stack).await.unwrap();
            record_by_id(&daemon, *stack).await
        });
        assert!(ended.is_none(), "{ended:?}");
        daemon.kill();
    }

    let daemon = begin(&world, &site, &clock);
    daemon.run(async {
        daemon.engine.recover().await.unwrap();
        daemon.catch_up().await;
        let settle = async || {
            let operator = &daemon.operator;
            let settled = operator.settle(&stacks, None, NodeChoice::default(), gas());
            settled.await.unwrap()
        };
        clock.0.store(899_999, Ordering::Relaxed);
        for result in settle().await {
            let is_blocked = matches!(result.failure, Some(Failure::RequestsInProgress { .. }));
            assert!(is_blocked, "{result:?}");
        }
        clock.0.store(900_000, Ordering::Relaxed);
        for result in settle().await {
            assert_eq!(result.status, StackStatus::Succeeded, "{result:?}");
        }
    });
    daemon.stop();
}
