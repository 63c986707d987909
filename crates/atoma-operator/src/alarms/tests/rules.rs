//! What each rule finds.

use atoma_domain::model::{DueAttestation, DueNode, OperatorNode, StoreFigures};
use atoma_domain::ports::{AsideReason, EpochInfo, LeftAside, SuiNodeReport};
use atoma_domain::{CheckpointNumber, Epoch, NodeSmallId, ObjectId, StackSmallId};

use super::*;
use crate::engine::{Brake, EngineFigures, LaneFigures, LimitStatus};
use crate::measure::{LedgerSample, Measurements, Sample};

const NOW: u64 = 1_700_000_000_000;
const HOUR: u64 = 3_600_000;
const BADGE: ObjectId = ObjectId::new([1; 32]);

const THRESHOLDS: Thresholds = Thresholds {
    attestation_time_left: Duration::from_secs(6 * 3_600),
    low_gas_balance: Mist::new(1_000),
};

fn at(ms: u64) -> TimestampMs {
    TimestampMs::new(ms)
}

/// A daemon that is well, in epoch 5, which ends in a day.
fn well() -> Facts {
    let epoch = EpochInfo {
        epoch: Epoch::new(5),
        reference_gas_price: Mist::new(1_000),
        starts_at: None,
        ends_at: Some(at(NOW + 24 * HOUR)),
    };
    let node = OperatorNode {
        node_small_id: NodeSmallId::new(3),
        node_badge_id: BADGE,
        address: ObjectId::new([2; 32]),
    };
    let sample = Sample {
        at: at(NOW),
        nodes: vec![node],
        store: Some(StoreFigures::default()),
        ledger: Some(LedgerSample {
            height: CheckpointNumber::new(100),
            height_at: Some(at(NOW - 1_000)),
            covered_at: Some(at(NOW - 2_000)),
        }),
        epoch: Some(epoch),
        sampling_charge: None,
    };
    let limits = LimitStatus {
        spent: Mist::new(10),
        reserved: Mist::new(0),
        daily_cap: None,
        failures_in_a_row: 4,
        breaker_failures: 20,
        held: None,
        brakes: Vec::new(),
        spent_since_start: Mist::new(10),
    };
    Facts {
        measured: Measurements {
            engine: EngineFigures {
                lanes: vec![LaneFigures {
                    badge: Some(BADGE),
                    unfinished: 2,
                    oldest: Duration::from_secs(1_800),
                }],
                gas_balance: Some(Mist::new(1_000)),
                foreign_badges: 0,
                claims_waiting: 0,
            },
            limits: Some(limits),
            covered: Some(CheckpointNumber::new(99)),
            sui_nodes: Vec::new(),
            set_aside: 0,
            books_differences: None,
            alarms: None,
            autopilot: None,
            sample: Arc::new(sample),
            now: at(NOW),
        },
        epoch: Some(epoch),
        disk_problem: None,
        due: Some(Vec::new()),
        disputes: Some(Vec::new()),
    }
}

/// What is found after a change to a daemon that is well.
fn found(change: impl FnOnce(&mut Facts)) -> Found {
    let mut facts = well();
    change(&mut facts);
    judge(&facts, &THRESHOLDS)
}

/// The only condition.
fn one(change: impl FnOnce(&mut Facts)) -> Condition {
    let mut found = found(change);
    assert_eq!(found.conditions.len(), 1, "{found:?}");
    found.conditions.remove(0)
}

fn sample(facts: &mut Facts, change: impl FnOnce(&mut Sample)) {
    change(Arc::make_mut(&mut facts.measured.sample));
}

fn limits(facts: &mut Facts, change: impl FnOnce(&mut LimitStatus)) {
    change(facts.measured.limits.as_mut().unwrap());
}

fn due(stack: u64, from: u64) -> DueAttestation {
    DueAttestation {
        stack_small_id: StackSmallId::new(stack),
        task_small_id: None,
        claimable_from_epoch: Epoch::new(from),
        nodes: vec![DueNode {
            node_small_id: NodeSmallId::new(3),
            record_agrees: Some(true),
        }],
    }
}

fn stack(id: u64) -> Subject {
    Subject::Stack(StackSmallId::new(id))
}

#[test]
fn nothing_is_wrong_with_a_daemon_that_is_well() {
    assert_eq!(found(|_| {}), Found::default());
}

/// One missing record is one alarm, and not three.
#[test]
fn only_the_gravest_condition_of_a_stack_is_kept() {
    let mut found = found(|facts| {
        facts.epoch.as_mut().unwrap().ends_at = Some(at(NOW + HOUR));
        facts.due = Some(vec![due(13, 6), due(14, 6), due(15, 5)]);
    });
    for id in [13, 15] {
        let kind = AlarmKind::NothingToAttestWith;
        found
            .conditions
            .push(Condition::new(kind, stack(id), "no record"));
    }
    found.keep_the_gravest();
    let kept = found.conditions.iter().map(|condition| &condition.key);
    let mut kept: Vec<_> = kept.map(|key| (key.subject.clone(), key.kind)).collect();
    kept.sort();
    let expected = [
        (stack(13), AlarmKind::NothingToAttestWith),
        (stack(14), AlarmKind::AttestationDue),
        (stack(15), AlarmKind::AttestationOverdue),
    ];
    assert_eq!(kept, expected);
}

#[test]
fn an_attestation_is_due_when_the_epoch_ends_soon() {
    let ends = |facts: &mut Facts, in_ms: Option<u64>| {
        let ends_at = in_ms.map(|ms| at(NOW + ms));
        facts.epoch.as_mut().unwrap().ends_at = ends_at;
        facts.due = Some(vec![due(13, 6)]);
    };
    assert_eq!(found(|facts| ends(facts, Some(6 * HOUR))), Found::default());
    let condition = one(|facts| ends(facts, Some(6 * HOUR - 1)));
    assert_eq!(condition.key.kind, AlarmKind::AttestationDue);
    assert_eq!(condition.key.subject, stack(13));
    assert_eq!(condition.deadline, Some(at(NOW + 6 * HOUR - 1)));
    assert_eq!(
        condition.summary,
        "node 3 must attest the settlement of stack 13 before epoch 6 begins"
    );
    // Nobody knows how long there is.
    let condition = one(|facts| ends(facts, None));
    assert_eq!(condition.deadline, None);
    // The epoch should be over.
    one(|facts| ends(facts, Some(0)));
}

#[test]
fn an_attestation_is_overdue_in_the_epoch_of_the_claim() {
    let condition = one(|facts| {
        let mut due = due(13, 5);
        due.nodes[0].record_agrees = None;
        facts.due = Some(vec![due]);
    });
    assert_eq!(condition.key.kind, AlarmKind::AttestationOverdue);
    assert!(condition.summary.contains("which has no record"));
}

#[test]
fn many_attestations_are_bounded() {
    let found = found(|facts| facts.due = Some((1..=60).map(|stack| due(stack, 5)).collect()));
    assert_eq!(found.conditions.len(), MOST_STACKS + 1);
    let last = found.conditions.last().unwrap();
    assert_eq!(last.key.subject, Subject::Daemon);
}

#[test]
fn what_cant_be_read_is_unknown_and_not_well() {
    let found = found(|facts| {
        facts.due = None;
        facts.disputes = None;
        facts.measured.limits = None;
        facts.measured.engine.gas_balance = None;
        sample(facts, |sample| {
            sample.ledger.as_mut().unwrap().height_at = None
        });
    });
    assert!(found.conditions.is_empty());
    let unknown: Vec<_> = found.unknown.into_iter().collect();
    assert_eq!(
        unknown,
        [
            AlarmKind::AttestationDue,
            AlarmKind::AttestationOverdue,
            AlarmKind::DisputeAgainstUs,
            AlarmKind::GasLow,
            AlarmKind::GasRunsOut,
            AlarmKind::SuiNodeStale,
            AlarmKind::MirrorLags,
            AlarmKind::BrakeHeld,
            AlarmKind::TransactionsFail,
        ]
    );
}

/// A kind, the summary's beginning, and the change that leads to it.
type Case = (AlarmKind, Subject, &'static str, fn(&mut Facts));

#[test]
fn each_rule_finds_its_condition() {
    let cases: &[Case] = &[
        (
            AlarmKind::DisputeAgainstUs,
            stack(9),
            "node 8 disputes the settlement of stack 9 by node 3",
            |facts| {
                facts.disputes = Some(vec![atoma_domain::model::Dispute {
                    stack_small_id: StackSmallId::new(9),
                    plaintiff_node_id: NodeSmallId::new(8),
                    defendant_node_id: NodeSmallId::new(3),
                    disputed_attestation_index: None,
                    disputed_hash: atoma_domain::HexBytes(Vec::new()),
                    original_hash: atoma_domain::HexBytes(Vec::new()),
                    created_at_epoch: Epoch::new(4),
                    resolved_at_epoch: None,
                }]);
            },
        ),
        (
            AlarmKind::GasLow,
            Subject::Daemon,
            "the operator's coins hold 999 MIST",
            |facts| facts.measured.engine.gas_balance = Some(Mist::new(999)),
        ),
        (
            AlarmKind::GasRunsOut,
            Subject::Daemon,
            "the operator's coins hold 1000 MIST, and 143 MIST were spent",
            |facts| limits(facts, |limits| limits.spent = Mist::new(143)),
        ),
        (
            AlarmKind::SuiNodeDown,
            Subject::Daemon,
            "the Sui node does not answer",
            |facts| sample(facts, |sample| sample.ledger = None),
        ),
        (
            AlarmKind::SuiNodeStale,
            Subject::Daemon,
            "the newest checkpoint of the Sui node, 100, is 6 minutes old",
            |facts| {
                sample(facts, |sample| {
                    let ledger = sample.ledger.as_mut().unwrap();
                    ledger.height_at = Some(at(NOW - 360_000));
                    ledger.covered_at = ledger.height_at;
                });
            },
        ),
        (
            AlarmKind::SuiNodeLeftAside,
            Subject::Named(String::from("https://a.example")),
            "the Sui node https://a.example is left aside, others are asked: it lags",
            |facts| {
                facts.measured.sui_nodes = vec![SuiNodeReport {
                    node: String::from("https://a.example"),
                    height: None,
                    height_at: None,
                    left_aside: Some(LeftAside {
                        reason: AsideReason::Lags,
                        detail: String::from("it lags"),
                    }),
                    waiting: 0,
                }];
            },
        ),
        (
            AlarmKind::MirrorLags,
            Subject::Daemon,
            "the mirror is 3 minutes behind",
            |facts| {
                sample(facts, |sample| {
                    sample.ledger.as_mut().unwrap().covered_at = Some(at(NOW - 200_000));
                });
            },
        ),
        (
            AlarmKind::EventsSetAside,
            Subject::Daemon,
            "4 events that this version can't read",
            |facts| facts.measured.set_aside = 4,
        ),
        (
            AlarmKind::BrakeHeld,
            Subject::Named(String::from("spend_cap")),
            "the brake `spend_cap` stops new transactions",
            |facts| limits(facts, |limits| limits.brakes = vec![Brake::SpendCap]),
        ),
        (
            AlarmKind::ForeignUse,
            Subject::Daemon,
            "other software uses a badge",
            |facts| facts.measured.engine.foreign_badges = 1,
        ),
        (
            AlarmKind::TransactionsStuck,
            Subject::Node(NodeSmallId::new(3)),
            "2 transactions of node 3 are unfinished, the oldest for more than 30 minutes",
            |facts| facts.measured.engine.lanes[0].oldest = Duration::from_secs(1_801),
        ),
        (
            AlarmKind::TransactionsFail,
            Subject::Daemon,
            "the last 5 transactions failed",
            |facts| limits(facts, |limits| limits.failures_in_a_row = 5),
        ),
        (
            AlarmKind::ClaimsStuck,
            Subject::Daemon,
            "2 claims wait",
            |facts| facts.measured.engine.claims_waiting = 2,
        ),
        (
            AlarmKind::DatabaseUnusable,
            Subject::Daemon,
            "the disk is full",
            |facts| facts.disk_problem = Some(String::from("the disk is full")),
        ),
        (
            AlarmKind::DatabaseUnusable,
            Subject::Daemon,
            "the database can't be read",
            |facts| sample(facts, |sample| sample.store = None),
        ),
    ];
    for (kind, subject, summary, change) in cases {
        let condition = one(change);
        assert_eq!(condition.key.kind, *kind);
        assert_eq!(condition.key.subject, *subject, "{kind}");
        assert!(condition.summary.starts_with(summary), "{condition:?}");
    }
}
