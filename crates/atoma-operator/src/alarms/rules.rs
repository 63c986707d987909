//! The rules: what is wrong, from the daemon's figures. docs/alarms.md explains each, and the alert rules for Prometheus have the
//! same thresholds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use atoma_domain::alarms::{AlarmKind, Condition, Subject};
use atoma_domain::model::{Dispute, DueAttestation, DueNode};
use atoma_domain::ports::EpochInfo;
use atoma_domain::{Mist, TimestampMs};

use crate::engine::LimitStatus;
use crate::measure::{LedgerSample, Measurements};

/// How many stacks get an alarm of their own.
pub(crate) const MOST_STACKS: usize = 50;
/// The age of the Sui node's newest checkpoint.
const STALE: Duration = Duration::from_secs(300);
/// How far the mirror may be behind the Sui node.
const LAG: Duration = Duration::from_secs(120);
/// How long a transaction may wait or run.
const STUCK: Duration = Duration::from_secs(1_800);
/// How many transactions in a row may fail.
const FAILURES: u32 = 5;
/// How many days of gas there should be.
const GAS_DAYS: u64 = 7;

/// What an operator may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// An attestation is due when the epoch ends within this time.
    pub attestation_time_left: Duration,
    /// Gas is low when the operator's coins hold less.
    pub low_gas_balance: Mist,
}

/// What was found at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What is wrong.
    pub conditions: Vec<Condition>,
    /// The kinds that could not be judged.
    pub unknown: BTreeSet<AlarmKind>,
}

/// What the rules judge by. What can't be read is `None`.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) measured: Measurements,
    /// The current epoch, as far as it was ever known.
    pub(crate) epoch: Option<EpochInfo>,
    /// Why the disk takes no write, if so.
    pub(crate) disk_problem: Option<String>,
    /// The attestations that are due or overdue, the most urgent first; one more than get an alarm if there are so many.
    pub(crate) due: Option<Vec<DueAttestation>>,
    /// The disputes against the operator's nodes, likewise.
    pub(crate) disputes: Option<Vec<Dispute>>,
}

/// Judges the facts by all rules.
pub(crate) fn judge(facts: &Facts, thresholds: &Thresholds) -> Found {
    let mut found = Found::default();
    let measured = &facts.measured;
    attestations(facts, thresholds, &mut found);
    disputes(facts, &mut found);
    gas(measured, thresholds, &mut found);
    sui_nodes(measured, &mut found);
    match &measured.sample.ledger {
        Some(ledger) => follows(ledger, measured.now, &mut found),
        None => {
            let unknown = [AlarmKind::SuiNodeStale, AlarmKind::MirrorLags];
            found.unknown.extend(unknown);
        }
    }
    match &measured.limits {
        Some(limits) => signing(limits, &mut found),
        None => {
            let unknown = [AlarmKind::BrakeHeld, AlarmKind::TransactionsFail];
            found.unknown.extend(unknown);
        }
    }
    engine(measured, &mut found);
    database(facts, &mut found);
    found
}

impl Found {
    /// Leaves out what a graver condition of the same stack says already.
    pub(crate) fn keep_the_gravest(&mut self) {
        const GRAVEST_FIRST: [AlarmKind; 3] = [
            AlarmKind::AttestationOverdue,
            AlarmKind::NothingToAttestWith,
            AlarmKind::AttestationDue,
        ];
        let rank = |kind| GRAVEST_FIRST.iter().position(|known| *known == kind);
        let mut gravest: BTreeMap<Subject, usize> = BTreeMap::new();
        for Condition { key, .. } in &self.conditions {
            if let (Subject::Stack(_), Some(rank)) = (&key.subject, rank(key.kind)) {
                let known = gravest.entry(key.subject.clone()).or_insert(rank);
                *known = rank.min(*known);
            }
        }
        self.conditions.retain(|Condition { key, .. }| {
            let known = gravest.get(&key.subject);
            rank(key.kind)
                .zip(known)
                .is_none_or(|(rank, known)| rank <= *known)
        });
    }

    fn add(&mut self, kind: AlarmKind, subject: Subject, summary: impl Into<String>) {
        self.conditions.push(Condition::new(kind, subject, summary));
    }

    /// Says that there are more stacks with a condition of this kind than get an alarm of their own.
    fn add_more(&mut self, kind: AlarmKind) {
        let summary =
            format!("there are more stacks than the {MOST_STACKS} with alarms of their own");
        self.add(kind, Subject::Daemon, summary);
    }
}

fn attestations(facts: &Facts, thresholds: &Thresholds, found: &mut Found) {
    let (Some(due), Some(epoch)) = (&facts.due, facts.epoch) else {
        let unknown = [AlarmKind::AttestationDue, AlarmKind::AttestationOverdue];
        found.unknown.extend(unknown);
        return;
    };
    let left = epoch.ends_at.map(|ends_at| {
        let left = ends_at.get().saturating_sub(facts.measured.now.get());
        Duration::from_millis(left)
    });
    // An epoch of unknown length can end at any time.
    let ends_soon = left.is_none_or(|left| left < thresholds.attestation_time_left);
    for due in due.iter().take(MOST_STACKS) {
        let (stack, from) = (due.stack_small_id, due.claimable_from_epoch);
        let subject = Subject::Stack(stack);
        let who = who(&due.nodes);
        if from <= epoch.epoch {
            let summary = format!(
                "{who} has not attested the settlement of stack {stack}, which can be claimed since epoch {from}"
            );
            found.add(AlarmKind::AttestationOverdue, subject, summary);
        } else if ends_soon {
            let summary = format!(
                "{who} must attest the settlement of stack {stack} before epoch {from} begins"
            );
            let condition = Condition::new(AlarmKind::AttestationDue, subject, summary);
            found.conditions.push(condition.until(epoch.ends_at));
        }
    }
    if due.len() > MOST_STACKS {
        found.add_more(AlarmKind::AttestationDue);
    }
}

/// The nodes that must attest, and what is wrong with their records.
fn who(nodes: &[DueNode]) -> String {
    let names = nodes.iter().map(|due| {
        let node = due.node_small_id;
        match due.record_agrees {
            Some(true) => format!("node {node}"),
            Some(false) => format!("node {node} (whose record differs from the settlement)"),
            None => format!("node {node} (which has no record)"),
        }
    });
    names.collect::<Vec<_>>().join(", ")
}

fn disputes(facts: &Facts, found: &mut Found) {
    let Some(disputes) = &facts.disputes else {
        found.unknown.insert(AlarmKind::DisputeAgainstUs);
        return;
    };
    for dispute in disputes.iter().take(MOST_STACKS) {
        if dispute.resolved_at_epoch.is_none() {
            let stack = dispute.stack_small_id;
            let summary = format!(
                "node {} disputes the settlement of stack {stack} by node {}; the stack's funds are frozen",
                dispute.plaintiff_node_id, dispute.defendant_node_id
            );
            let subject = Subject::Stack(stack);
            found.add(AlarmKind::DisputeAgainstUs, subject, summary);
        }
    }
    if disputes.len() > MOST_STACKS {
        found.add_more(AlarmKind::DisputeAgainstUs);
    }
}

fn gas(measured: &Measurements, thresholds: &Thresholds, found: &mut Found) {
    let Some(balance) = measured.engine.gas_balance else {
        let unknown = [AlarmKind::GasLow, AlarmKind::GasRunsOut];
        found.unknown.extend(unknown);
        return;
    };
    let low = thresholds.low_gas_balance;
    if balance < low {
        let summary = format!("the operator's coins hold {balance} MIST, less than {low}");
        found.add(AlarmKind::GasLow, Subject::Daemon, summary);
    }
    match &measured.limits {
        Some(limits) if balance.get() / GAS_DAYS < limits.spent.get() => {
            let spent = limits.spent;
            let summary = format!(
                "the operator's coins hold {balance} MIST, and {spent} MIST were spent in 24 hours: they last less than \
                 {GAS_DAYS} days"
            );
            found.add(AlarmKind::GasRunsOut, Subject::Daemon, summary);
        }
        Some(_) => {}
        None => {
            found.unknown.insert(AlarmKind::GasRunsOut);
        }
    }
}

fn sui_nodes(measured: &Measurements, found: &mut Found) {
    if measured.sample.ledger.is_none() {
        found.add(
            AlarmKind::SuiNodeDown,
            Subject::Daemon,
            "the Sui node does not answer: nothing new is signed, and nothing is mirrored",
        );
    }
    for node in &measured.sui_nodes {
        if let Some(why) = &node.left_aside {
            let name = &node.node;
            let summary = format!("the Sui node {name} is left aside, others are asked: {why}");
            found.add(AlarmKind::SuiNodeLeftAside, Subject::named(name), summary);
        }
    }
}

fn follows(ledger: &LedgerSample, now: TimestampMs, found: &mut Found) {
    match ledger.height_at {
        Some(at) => {
            let age = Duration::from_millis(now.get().saturating_sub(at.get()));
            if age > STALE {
                let summary = format!(
                    "the newest checkpoint of the Sui node, {}, is {} minutes old",
                    ledger.height,
                    age.as_secs() / 60
                );
                found.add(AlarmKind::SuiNodeStale, Subject::Daemon, summary);
            }
        }
        None => {
            found.unknown.insert(AlarmKind::SuiNodeStale);
        }
    }
    match ledger.lag() {
        Some(lag) if lag > LAG => {
            let minutes = lag.as_secs() / 60;
            let summary = format!("the mirror is {minutes} minutes behind the Sui node");
            found.add(AlarmKind::MirrorLags, Subject::Daemon, summary);
        }
        Some(_) => {}
        None => {
            found.unknown.insert(AlarmKind::MirrorLags);
        }
    }
}

fn signing(limits: &LimitStatus, found: &mut Found) {
    for brake in &limits.brakes {
        let name = brake.name();
        let summary = match &limits.held {
            Some(reason) => format!("the brake `{name}` stops new transactions: {reason}"),
            None => format!("the brake `{name}` stops new transactions"),
        };
        found.add(AlarmKind::BrakeHeld, Subject::named(name), summary);
    }
    let failures = limits.failures_in_a_row;
    if failures >= FAILURES {
        let summary = format!("the last {failures} transactions failed");
        found.add(AlarmKind::TransactionsFail, Subject::Daemon, summary);
    }
}

fn engine(measured: &Measurements, found: &mut Found) {
    let engine = &measured.engine;
    if engine.foreign_badges > 0 {
        let badges = match engine.foreign_badges {
            1 => String::from("a badge"),
            several => format!("{several} badges"),
        };
        let summary = format!("other software uses {badges} of the operator; the log names them");
        found.add(AlarmKind::ForeignUse, Subject::Daemon, summary);
    }
    for lane in engine.lanes.iter().filter(|lane| lane.oldest > STUCK) {
        let mut nodes = measured.sample.nodes.iter();
        let node = nodes.find(|node| Some(node.node_badge_id) == lane.badge);
        let (subject, whose) = match (node, lane.badge) {
            (Some(node), _) => {
                let id = node.node_small_id;
                (Subject::Node(id), format!("of node {id} "))
            }
            (None, Some(badge)) => (
                Subject::named(&badge.to_string()),
                format!("of the badge {badge} "),
            ),
            (None, None) => (Subject::Daemon, String::new()),
        };
        let summary = format!(
            "{} transactions {whose}are unfinished, the oldest for more than {} minutes",
            lane.unfinished,
            STUCK.as_secs() / 60
        );
        found.add(AlarmKind::TransactionsStuck, subject, summary);
    }
    if engine.claims_waiting > 0 {
        let summary = format!(
            "{} claims wait, because the contract's treasury can't pay them yet",
            engine.claims_waiting
        );
        found.add(AlarmKind::ClaimsStuck, Subject::Daemon, summary);
    }
    if measured.set_aside > 0 {
        let summary = format!(
            "{} events that this version can't read are set aside, and the mirror may lack what they tell",
            measured.set_aside
        );
        found.add(AlarmKind::EventsSetAside, Subject::Daemon, summary);
    }
}

fn database(facts: &Facts, found: &mut Found) {
    let problem = match &facts.disk_problem {
        Some(problem) => Some(problem.clone()),
        None if facts.measured.sample.store.is_none() => {
            Some(String::from("the database can't be read"))
        }
        None => None,
    };
    if let Some(problem) = problem {
        found.add(AlarmKind::DatabaseUnusable, Subject::Daemon, problem);
    }
}
