//! A request during which the daemon dies, and what the next daemon must make of it.

use std::collections::BTreeMap;

use atoma_domain::journal::{Failure, IntentRecord, IntentStatus};
use atoma_domain::{Digest, NodeSmallId, PricePerMillion};

use super::ask::Ask;
use super::audit::{Ledger, effect_of, journal, journal_agrees_with_ledger};
use super::generation::Generation;
use super::points::{Moment, Plan, Points, Side};
use super::subjects::{Prepare, Subject};
use super::world::{NODE_PRICE, NONE, World};

/// The calls that decide what there is to be taken up.
const DECISIVE: [&str; 4] = [
    "journal.open",
    "journal.record_attempt",
    "chain.execute",
    "journal.conclude",
];

/// Some of the moments around these calls.
pub(crate) type Choose = fn(&[&'static str]) -> Vec<Moment>;

/// A kind of request, and the moments at which the daemon dies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// How many nodes the operator has. It has one coin: a lease that is never given back keeps
    /// everything after it waiting.
    pub(crate) nodes: usize,
    pub(crate) prepare: Prepare,
    /// Whether the daemon that dies mirrors what it does. If it did, each answer of the next one
    /// takes two seconds: it waits in vain to see that mirrored.
    pub(crate) is_mirrored: bool,
    /// What is planned before the request is made.
    pub(crate) during: fn(&World, &Points),
    /// What happens while no daemon runs.
    pub(crate) meanwhile: fn(&World),
    /// The moments tried with a key.
    pub(crate) keyed: Choose,
    /// The moments tried without one.
    pub(crate) keyless: Choose,
}

impl Row {
    /// Every moment with a key; without one right after the calls that decide what there is to be
    /// taken up.
    pub(crate) const fn new(nodes: usize, prepare: Prepare) -> Self {
        Self {
            nodes,
            prepare,
            is_mirrored: true,
            during: |_, _| {},
            meanwhile: |_| {},
            keyed: Moment::all,
            keyless: after_decisive,
        }
    }
}

/// Both sides of the calls that decide what there is to be taken up.
pub(crate) fn decisive(calls: &[&'static str]) -> Vec<Moment> {
    let mut moments = Moment::all(calls);
    moments.retain(|moment| DECISIVE.contains(&moment.name));
    moments
}

fn after_decisive(calls: &[&'static str]) -> Vec<Moment> {
    let mut moments = decisive(calls);
    moments.retain(|moment| moment.side == Side::After);
    moments
}

/// How a request is made, and repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// With a client's key.
    Keyed,
    /// Without.
    Keyless,
}

/// What each part of a request was answered.
pub(crate) type Answers = Vec<Result<Digest, Failure>>;

impl Way {
    pub(crate) async fn ask(self, generation: &Generation, subject: &Subject) -> Answers {
        let operator = match self {
            Self::Keyed => generation.operator.with_key(subject.key()),
            Self::Keyless => generation.operator.clone(),
        };
        subject.ask.make_for_digests(&operator, subject.node).await
    }
}

/// Has the daemon die at the row's moments, start anew and hear the request again.
pub(crate) fn die_everywhere(row: &Row) {
    let world = World::start();
    let site = world.operator(row.nodes, 1);
    let calls = calls_of(&world, row, &(row.prepare)(&world, &site, 1)[0]);
    for call in DECISIVE {
        assert!(calls.contains(&call), "{call} is not among {calls:?}");
    }
    let keyed = (row.keyed)(&calls).into_iter().map(|at| (Way::Keyed, at));
    let keyless = (row.keyless)(&calls)
        .into_iter()
        .map(|at| (Way::Keyless, at));
    let all: Vec<_> = keyed.chain(keyless).collect();
    let subjects = (row.prepare)(&world, &site, all.len());
    for ((way, at), subject) in all.into_iter().zip(&subjects) {
        let is_journalled = die_at(&world, row, subject, way, at);
        (row.meanwhile)(&world);
        let moment = format!("{way:?}, {at:?}");
        come_back(&world, subject, way, Some(is_journalled), &moment);
    }
}

/// The calls that a request under a key makes when nothing goes wrong.
pub(crate) fn calls_of(world: &World, row: &Row, subject: &Subject) -> Vec<&'static str> {
    let generation = world.begin(&subject.site);
    generation.finish(generation.catch_up());
    generation.points.arm(Plan::new());
    (row.during)(world, &generation.points);
    let calls = generation.finish(async {
        let answers = Way::Keyed.ask(&generation, subject).await;
        let calls = generation.points.calls();
        let (records, moment) = (records_of(&generation, subject).await, "without a crash");
        assert_told(&records, subject, &answers, moment);
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, subject, Way::Keyed, moment);
        calls
    });
    generation.stop();
    calls
}

/// Dies at that moment of a request. Whether the request is in the journal.
pub(crate) fn die_at(world: &World, row: &Row, subject: &Subject, way: Way, at: Moment) -> bool {
    let generation = world.begin(&subject.site);
    generation.finish(generation.catch_up());
    if !row.is_mirrored {
        generation.stop_following();
    }
    generation.points.arm_crash(at);
    (row.during)(world, &generation.points);
    let answers = generation.drive(way.ask(&generation, subject));
    assert!(answers.is_none(), "{at:?} was not reached: {answers:?}");
    let is_opened = generation.points.count("journal.open") > 0;
    generation.kill();
    is_opened && (at.name, at.side) != ("journal.open", Side::Before)
}

/// Starts a daemon, which must finish what the journal holds, and be told the same whenever the
/// request is repeated.
pub(crate) fn come_back(
    world: &World,
    subject: &Subject,
    way: Way,
    is_journalled: Option<bool>,
    moment: &str,
) {
    let generation = world.begin(&subject.site);
    generation.finish(async {
        generation.engine.recover().await.unwrap();
        match way {
            Way::Keyed => {
                generation.all_final().await;
                let recovered = records_of(&generation, subject).await;
                assert_recovered(&recovered, subject, moment);
                let found = !recovered.is_empty();
                assert_eq!(found, is_journalled.unwrap_or(found), "{moment}");
                generation.catch_up().await;
                let answers = way.ask(&generation, subject).await;
                let again = way.ask(&generation, subject).await;
                assert_eq!(answers, again, "{moment}");
                let records = records_of(&generation, subject).await;
                assert_told(&records, subject, &answers, moment);
                assert_eq!(records, if found { recovered } else { records.clone() });
            }
            // Repeated while the daemon still recovers.
            Way::Keyless => {
                generation.catch_up().await;
                for answer in way.ask(&generation, subject).await {
                    if let Err(failure) = answer {
                        let so = subject.ask.is_already_so(&failure);
                        assert!(so, "{moment}: {failure:?}");
                    }
                }
                generation.all_final().await;
            }
        }
        assert_nothing_leased(&generation, world, subject.node, moment).await;
        let ledger = journal_agrees_with_ledger(&generation).await;
        assert_done_once(&ledger, subject, way, moment);
    });
    generation.stop();
}

/// The journal's records of a subject, by effect.
pub(crate) type Records = BTreeMap<String, IntentRecord>;

pub(crate) async fn records_of(generation: &Generation, subject: &Subject) -> Records {
    let mut records = Records::new();
    for record in journal(generation).await {
        let effect = effect_of(&record.intent.action, &record.intent.actor);
        if subject.effects.contains(&effect) {
            let twice = records.insert(effect, record);
            assert!(twice.is_none(), "{twice:?}");
        }
    }
    records
}

/// What the journal holds of a subject was brought to its end with nobody asking for it.
pub(crate) fn assert_recovered(records: &Records, subject: &Subject, moment: &str) {
    if !records.is_empty() {
        assert_eq!(records.len(), subject.effects.len(), "{moment}");
    }
    for (effect, record) in records {
        let expected = if subject.vain.contains(effect) {
            IntentStatus::Failed
        } else {
            IntentStatus::Succeeded
        };
        assert_eq!(record.status, expected, "{moment}: {record:?}");
    }
}

/// The answers are what the journal says.
fn assert_told(records: &Records, subject: &Subject, answers: &Answers, moment: &str) {
    assert_eq!(answers.len(), subject.effects.len(), "{moment}");
    for (effect, answer) in subject.effects.iter().zip(answers) {
        let record = &records[effect];
        if subject.vain.contains(effect) {
            let failure = answer.as_ref().err();
            assert!(failure.is_some(), "{moment}: {effect}");
            assert_eq!(record.failure.as_ref(), failure, "{moment}: {effect}");
        } else {
            let digest = answer.as_ref().ok().copied();
            assert!(digest.is_some(), "{moment}: {effect}: {answer:?}");
            assert_eq!(record.tx_digest, digest, "{moment}: {effect}");
        }
    }
}

/// Each effect is on chain once; or up to twice, where another request without a key is something
/// new.
pub(crate) fn assert_done_once(ledger: &Ledger, subject: &Subject, way: Way, moment: &str) {
    let effects = ledger.effects();
    let most = if way == Way::Keyless && subject.ask.is_new_each_time() {
        2
    } else {
        1
    };
    for effect in &subject.effects {
        let times = effects.get(effect).copied().unwrap_or(0);
        let expected = if subject.vain.contains(effect) {
            0..=0
        } else {
            1..=most
        };
        let is_expected = expected.contains(&times);
        assert!(is_expected, "{moment}: {effect} {times} times");
    }
}

/// Another intent of the same badge goes through.
async fn assert_nothing_leased(
    generation: &Generation,
    world: &World,
    node: NodeSmallId,
    moment: &str,
) {
    generation.catch_up().await;
    let nodes = generation.operator.nodes().await.unwrap();
    let node = nodes
        .iter()
        .find(|own| own.node_small_id == node)
        .or(nodes.last())
        .unwrap();
    let task = world.tasks[NONE];
    let update = Ask::Update(task, PricePerMillion::new(1));
    let subscribe = Ask::Subscribe(task, NODE_PRICE);
    let node = node.node_small_id;
    let mut answers = update.make(&generation.operator, node).await;
    if matches!(answers[..], [Err(Failure::NotSubscribed { .. })]) {
        answers = subscribe.make(&generation.operator, node).await;
    }
    assert_eq!(answers, [Ok(())], "{moment}, afterwards");
}
