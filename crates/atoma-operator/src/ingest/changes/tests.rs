use atoma_domain::ports::{EventCursor, LedgerPosition};
use atoma_domain::{Address, CheckpointNumber, Digest, Epoch, TimestampMs};

use super::*;

fn position(checkpoint: u64) -> LedgerPosition {
    LedgerPosition {
        checkpoint: CheckpointNumber::new(checkpoint),
        index: 0,
    }
}

/// A step with a transaction of this checkpoint that gave the contract this version.
fn step(checkpoint: u64, contract_version: Option<u64>) -> LedgerFrame {
    LedgerFrame {
        transaction: Some(LedgerTransaction {
            digest: Digest::new([u8::try_from(checkpoint % 256).unwrap(); 32]),
            position: position(checkpoint),
            timestamp: TimestampMs::new(1),
            epoch: Epoch::new(1),
            sender: Address::ZERO,
            events: Vec::new(),
            set_aside: Vec::new(),
            contract_version,
            unexplained: Vec::new(),
            balance_changes: None,
        }),
        cursor: EventCursor(vec![1].into()),
        covered: None,
    }
}

fn told(change: Option<MirrorChange>) -> u64 {
    match change {
        Some(MirrorChange::Applied(transaction)) => transaction.position.checkpoint.get(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_subscriber_is_told_what_is_applied_after_it_subscribed() {
    let subscribers = Subscribers::default();
    let nothing = Progress::default();
    subscribers.tell_steps(&nothing, vec![step(1, None)]);
    let mut first = subscribers.subscribe();
    subscribers.tell_steps(&nothing, vec![step(2, None)]);
    let mut second = subscribers.subscribe();
    let only_progress = LedgerFrame {
        transaction: None,
        ..step(3, None)
    };
    subscribers.tell_steps(&nothing, vec![only_progress, step(4, None)]);
    subscribers.end();
    assert_eq!(told(first.next().await), 2);
    assert_eq!(told(first.next().await), 4);
    assert_eq!(first.next().await, None);
    assert_eq!(told(second.next().await), 4);
    assert_eq!(second.next().await, None);
}

/// A stream that begins anew delivers steps again, and so does one after a rebuild, whose place in the ledger is unknown.
#[tokio::test]
async fn what_the_mirror_had_before_is_not_told() {
    let subscribers = Subscribers::default();
    let mut changes = subscribers.subscribe();
    let followed = Progress {
        position: Some(position(2)),
        ..Progress::default()
    };
    subscribers.tell_steps(&followed, vec![step(1, None), step(2, None), step(3, None)]);
    let rebuilt = Progress {
        contract_version: Some(7),
        ..Progress::default()
    };
    let steps = vec![
        step(4, Some(6)),
        step(5, Some(7)),
        step(6, Some(8)),
        step(7, None),
    ];
    subscribers.tell_steps(&rebuilt, steps);
    subscribers.end();
    let mut applied = Vec::new();
    while let Some(change) = changes.next().await {
        applied.push(told(Some(change)));
    }
    assert_eq!(applied, [3, 6, 7]);
}

#[tokio::test]
async fn a_slow_subscriber_is_told_that_it_missed_some() {
    let subscribers = Subscribers::default();
    let mut changes = subscribers.subscribe();
    let kept = u64::try_from(KEPT).unwrap();
    for checkpoint in 1..=kept + 3 {
        subscribers.tell_steps(&Progress::default(), vec![step(checkpoint, None)]);
    }
    assert_eq!(changes.next().await, Some(MirrorChange::Missed));
    assert_eq!(told(changes.next().await), 4);
    subscribers.tell(MirrorChange::Repaired);
    subscribers.end();
    let mut last = None;
    while let Some(change) = changes.next().await {
        last = Some(change);
    }
    assert_eq!(last, Some(MirrorChange::Repaired));
}

#[tokio::test]
async fn a_subscription_after_the_end_ends_at_once() {
    let subscribers = Subscribers::default();
    subscribers.end();
    assert_eq!(subscribers.subscribe().next().await, None);
}
