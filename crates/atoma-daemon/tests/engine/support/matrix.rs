//! Crashes the daemon during a request, and checks what the next daemon does.

use std::collections::BTreeMap;

use atoma_domain::journal::{Failure, IntentRecord, IntentStatus};
use atoma_domain::{Digest, NodeSmallId, PricePerMillion};

use super::audit::{Ledger, effect_of, journal, journal_agrees_with_ledger};
use super::cases::{Case, Prepare};
use super::fail_points::{CrashPoint, FailPoints, Plan, Side};
use super::generation::Generation;
use super::request::Request;
use super::world::{NODE_PRICE, NONE, World};

/// The calls that change what there is to recover.
const DECISIVE: [&str; 4] = [
    "journal.open",
    "journal.record_attempt",
    "chain.execute",
    "journal.conclude",
];

/// Selects crash points from these calls.
pub(crate) type Selection = fn(&[&'static str]) -> Vec<CrashPoint>;

/// A row of the crash matrix: a kind of request, and where the daemon crashes in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// How many nodes the operator has. It has only one coin, so that a lease that is never
    /// released blocks everything after it.
    pub(crate) nodes: usize,
    /// Whether the network has a second node, which the daemon asks if the first fails.
    pub(crate) has_second_node: bool,
    pub(crate) prepare: Prepare,
    /// Whether the crashing daemon updates its mirror. If it has, each answer of the next daemon
    /// takes two seconds: it waits until a timeout for the transaction to be mirrored.
    pub(crate) is_mirrored: bool,
    /// Prepares injections just before the request.
    pub(crate) during: fn(&World, &FailPoints),
    /// Runs between the crash and the next start.
    pub(crate) meanwhile: fn(&World),
    /// The crash points tried with an idempotency key.
    pub(crate) keyed: Selection,
    /// The crash points tried without one.
    pub(crate) keyless: Selection,
}

impl Row {
    /// Crashes everywhere with a key. Without one, only after the decisive calls.
    pub(crate) const fn new(nodes: usize, prepare: Prepare) -> Self {
        Self {
            nodes,
            has_second_node: false,
            prepare,
            is_mirrored: true,
            during: |_, _| {},
            meanwhile: |_| {},
            keyed: CrashPoint::all,
            keyless: after_decisive,
        }
    }
}

/// Both sides of the decisive calls.
pub(crate) fn decisive(calls: &[&'static str]) -> Vec<CrashPoint> {
    let mut crash_points = CrashPoint::all(calls);
    crash_points.retain(|point| DECISIVE.contains(&point.name));
    crash_points
}

fn after_decisive(calls: &[&'static str]) -> Vec<CrashPoint> {
    let mut crash_points = decisive(calls);
    crash_points.retain(|point| point.side == Side::After);
    crash_points
}

/// Whether a request carries an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotency {
    Keyed,
    Keyless,
}

/// The answer for each part of a request.
pub(crate) type Answers = Vec<Result<Digest, Failure>>;

impl Idempotency {
    pub(crate) async fn send(self, generation: &Generation, case: &Case) -> Answers {
        let operator = match self {
            Self::Keyed => generation.operator.with_key(case.key()),
            Self::Keyless => generation.operator.clone(),
        };
        case.request.send_for_digests(&operator, case.node).await
    }
}

/// Crashes the daemon at each crash point of the row, starts the next one and repeats the request.
pub(crate) fn crash_everywhere(row: &Row) {
    let mut world = World::start();
    if row.has_second_node {
        world.add_node();
    }
    let site = world.operator(row.nodes, 1);
    let calls = record_calls(&world, row, &(row.prepare)(&world, &site, 1)[0]);
    world.network.clear_faults();
    for call in DECISIVE {
        assert!(calls.contains(&call), "{call} is not among {calls:?}");
    }
    let keyed = (row.keyed)(&calls)
        .into_iter()
        .map(|at| (Idempotency::Keyed, at));
    let keyless = (row.keyless)(&calls)
        .into_iter()
        .map(|at| (Idempotency::Keyless, at));
    let all: Vec<_> = keyed.chain(keyless).collect();
    let cases = (row.prepare)(&world, &site, all.len());
    for ((idempotency, at), case) in all.into_iter().zip(&cases) {
        let is_journalled = crash_at(&world, row, case, idempotency, at);
        (row.meanwhile)(&world);
        let context = format!("{idempotency:?}, {at:?}");
        recover_and_repeat(&world, case, idempotency, Some(is_journalled), &context);
        world.network.clear_faults();
    }
}

/// Records the calls that a request with a key makes without a crash.
pub(crate) fn record_calls(world: &World, row: &Row, case: &Case) -> Vec<&'static str> {
    let generation = world.begin(&case.site);
    generation.run(generation.catch_up());
    generation.points.arm(Plan::new());
    (row.during)(world, &generation.points);
    let calls = generation.run(async {
        let answers = Idempotency::Keyed.send(&generation, case).await;
        let calls = generation.points.calls();
        let (records, context) = (records_of(&generation, case).await, "without a crash");
        assert_answers_match_journal(&records, case, &answers, context);
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, case, Idempotency::Keyed, context);
        calls
    });
    generation.stop();
    calls
}

/// Crashes at that point of a request. Returns whether the request is in the journal.
pub(crate) fn crash_at(
    world: &World,
    row: &Row,
    case: &Case,
    idempotency: Idempotency,
    at: CrashPoint,
) -> bool {
    let generation = world.begin(&case.site);
    generation.run(generation.catch_up());
    if !row.is_mirrored {
        generation.stop_following();
    }
    generation.points.arm_crash(at);
    (row.during)(world, &generation.points);
    let answers = generation.run_until_crash(idempotency.send(&generation, case));
    assert!(answers.is_none(), "{at:?} was not reached: {answers:?}");
    let is_opened = generation.points.count("journal.open") > 0;
    generation.kill();
    is_opened && (at.name, at.side) != ("journal.open", Side::Before)
}

/// Starts the next daemon, which must finish what the journal holds, and answer the repeated
/// request the same each time.
pub(crate) fn recover_and_repeat(
    world: &World,
    case: &Case,
    idempotency: Idempotency,
    is_journalled: Option<bool>,
    context: &str,
) {
    let generation = world.begin(&case.site);
    generation.run(async {
        generation.engine.recover().await.unwrap();
        match idempotency {
            Idempotency::Keyed => {
                generation.all_final().await;
                let recovered = records_of(&generation, case).await;
                assert_recovered(&recovered, case, context);
                let found = !recovered.is_empty();
                assert_eq!(found, is_journalled.unwrap_or(found), "{context}");
                generation.catch_up().await;
                let answers = idempotency.send(&generation, case).await;
                let again = idempotency.send(&generation, case).await;
                assert_eq!(answers, again, "{context}");
                let records = records_of(&generation, case).await;
                assert_answers_match_journal(&records, case, &answers, context);
                assert_eq!(records, if found { recovered } else { records.clone() });
            }
            // Repeats the request while the daemon is still recovering.
            Idempotency::Keyless => {
                generation.catch_up().await;
                for answer in idempotency.send(&generation, case).await {
                    if let Err(failure) = answer {
                        let so = case.request.is_already_done(&failure);
                        assert!(so, "{context}: {failure:?}");
                    }
                }
                generation.all_final().await;
            }
        }
        assert_nothing_leased(&generation, world, case.node, context).await;
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, case, idempotency, context);
    });
    generation.stop();
}

/// The journal's records of a case, by effect.
pub(crate) type Records = BTreeMap<String, IntentRecord>;

pub(crate) async fn records_of(generation: &Generation, case: &Case) -> Records {
    let mut records = Records::new();
    for record in journal(generation).await {
        let effect = effect_of(&record.intent.action, &record.intent.actor);
        if case.effects.contains(&effect) {
            let twice = records.insert(effect, record);
            assert!(twice.is_none(), "{twice:?}");
        }
    }
    records
}

/// Checks that the recovery alone finished what the journal holds of a case.
pub(crate) fn assert_recovered(records: &Records, case: &Case, context: &str) {
    if !records.is_empty() {
        assert_eq!(records.len(), case.effects.len(), "{context}");
    }
    for (effect, record) in records {
        let expected = if case.failing.contains(effect) {
            IntentStatus::Failed
        } else {
            IntentStatus::Succeeded
        };
        assert_eq!(record.status, expected, "{context}: {record:?}");
    }
}

/// Checks that the answers match the journal.
fn assert_answers_match_journal(records: &Records, case: &Case, answers: &Answers, context: &str) {
    assert_eq!(answers.len(), case.effects.len(), "{context}");
    for (effect, answer) in case.effects.iter().zip(answers) {
        let record = &records[effect];
        if case.failing.contains(effect) {
            let failure = answer.as_ref().err();
            assert!(failure.is_some(), "{context}: {effect}");
            assert_eq!(record.failure.as_ref(), failure, "{context}: {effect}");
        } else {
            let digest = answer.as_ref().ok().copied();
            assert!(digest.is_some(), "{context}: {effect}: {answer:?}");
            assert_eq!(record.tx_digest, digest, "{context}: {effect}");
        }
    }
}

/// Checks that each effect is on chain once. Without a key, effects that a repeated request adds to
/// may be there twice.
pub(crate) fn assert_done_once(
    ledger: &Ledger,
    case: &Case,
    idempotency: Idempotency,
    context: &str,
) {
    let effects = ledger.effects();
    let most = if idempotency == Idempotency::Keyless && case.request.is_new_each_time() {
        2
    } else {
        1
    };
    for effect in &case.effects {
        let times = effects.get(effect).copied().unwrap_or(0);
        let expected = if case.failing.contains(effect) {
            0..=0
        } else {
            1..=most
        };
        let is_expected = expected.contains(&times);
        assert!(is_expected, "{context}: {effect} {times} times");
    }
}

/// Checks that no badge and no coin is still leased: another intent of the same badge succeeds.
async fn assert_nothing_leased(
    generation: &Generation,
    world: &World,
    node: NodeSmallId,
    context: &str,
) {
    generation.catch_up().await;
    let nodes = generation.operator.nodes().await.unwrap();
    let node = nodes
        .iter()
        .find(|own| own.node_small_id == node)
        .or(nodes.last())
        .unwrap();
    let task = world.tasks[NONE];
    let update = Request::Update(task, PricePerMillion::new(1));
    let subscribe = Request::Subscribe(task, NODE_PRICE);
    let node = node.node_small_id;
    let mut answers = update.send(&generation.operator, node).await;
    if matches!(answers[..], [Err(Failure::NotSubscribed { .. })]) {
        answers = subscribe.send(&generation.operator, node).await;
    }
    assert_eq!(answers, [Ok(())], "{context}, afterwards");
}
