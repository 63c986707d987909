//! Checks after a schedule: journal, ledger and mirror agree, and every intent has its outcome.

use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::journal::{ActionKey, Failure, IntentRecord, IntentStatus, NewIntent};
use atoma_domain::{PricePerMillion, StackSmallId, TaskSmallId};

use crate::support::audit::{
    Ledger, every_attempt_is_accounted_for, journal, journal_agrees_with_ledger,
};
use crate::support::generation::Generation;
use crate::support::interceptor::Interceptor;
use crate::support::request::Request;
use crate::support::template::{Template, nodes};
use crate::support::world::World;

/// The results of all schedules.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) crashes: usize,
    /// How many intents; each schedule has fifty.
    pub(super) succeeded: usize,
    pub(super) failed: BTreeMap<String, usize>,
    /// How many attempts ended in each way.
    pub(super) attempts: BTreeMap<&'static str, usize>,
    pub(super) late: usize,
}

impl Tally {
    /// Whether each kind of disruption and outcome has happened.
    pub(super) fn has_everything(&self) -> bool {
        let ended = |how| self.attempts.get(how).copied().unwrap_or(0);
        let tried = [self.crashes, self.late, ended("cancelled"), ended("dead")];
        tried.iter().all(|times| *times > 0)
    }
}

pub(super) async fn check_results(
    generation: &Generation,
    world: &World,
    template: &Template,
    interceptor: &Interceptor,
    tally: &mut Tally,
) {
    generation.catch_up().await;
    for node in nodes() {
        // Works only if no badge or coin is still leased.
        let update = Request::Update(TaskSmallId::new(1), PricePerMillion::new(1));
        assert_eq!(update.send(&generation.operator, node).await, [Ok(())]);
    }
    generation.catch_up().await;
    let ledger = journal_agrees_with_ledger(generation).await;
    let observer = &interceptor.observer;
    let known = &template.known;
    for (status, count) in
        every_attempt_is_accounted_for(generation, &ledger, observer, known).await
    {
        *tally.attempts.entry(status).or_default() += count;
    }
    assert_mirror_matches(generation, world, &ledger).await;
    let mut new = journal(generation).await;
    new.retain(|record| record.intent.id > template.last);
    // Oldest first.
    new.reverse();
    let has_epoch_ended = world.network.epoch() > template.epoch();
    assert_intents_final(&template.intents, &new, has_epoch_ended, tally);
}

/// The journal has each of the fifty intents as submitted, and nothing else. A failure is allowed
/// only for a reason that the schedule gives.
fn assert_intents_final(
    submitted: &[NewIntent],
    records: &[IntentRecord],
    has_epoch_ended: bool,
    tally: &mut Tally,
) {
    let key = |record: &IntentRecord| record.intent.action.key(&record.intent.actor);
    let mut keys: BTreeSet<ActionKey> = BTreeSet::new();
    for intent in submitted {
        let own_key = intent.action.key(&intent.actor);
        let mut found = records.iter().filter(|record| key(record) == own_key);
        let first = found
            .next()
            .unwrap_or_else(|| panic!("{intent:?} is missing"));
        assert_eq!(first.intent.action, intent.action);
        match (first.status, &first.failure) {
            (IntentStatus::Succeeded, None) => tally.succeeded += 1,
            (IntentStatus::Failed, Some(Failure::AttestationWindowOver { .. }))
                if has_epoch_ended =>
            {
                let code = first.failure.as_ref().unwrap().code_and_details().0;
                *tally.failed.entry(code).or_default() += 1;
            }
            other => panic!("{other:?}: {first:?}"),
        }
        for again in found {
            // Submitted again by a generation that didn't know it had succeeded.
            assert_eq!(again.intent.action, intent.action);
            assert_eq!(first.status, IntentStatus::Succeeded, "{again:?}");
            assert!(!again.intent.action.succeeds_only_once(), "{again:?}");
        }
        assert!(keys.insert(own_key), "submitted twice: {intent:?}");
    }
    let others = records.iter().filter(|record| !keys.contains(&key(record)));
    assert_eq!(
        others.count(),
        nodes().count(),
        "more intents than submitted"
    );
}

/// The mirror shows the settlements as they are on chain.
async fn assert_mirror_matches(generation: &Generation, world: &World, ledger: &Ledger) {
    let state = world.network.state().unwrap();
    for effect in ledger.effects().keys() {
        let Some(stack) = effect.strip_prefix("settle ") else {
            continue;
        };
        let id: StackSmallId = stack.parse().unwrap();
        let found = generation
            .ports
            .state
            .settlements_by_id(&[id])
            .await
            .unwrap();
        let [settlement] = &found[..] else {
            panic!("{effect}: {found:?}");
        };
        let ticket = &state["tickets"][stack];
        assert_eq!(settlement.is_claimed, ticket.is_null(), "{effect}");
        if !ticket.is_null() {
            let attested = serde_json::to_value(&settlement.attested_nodes).unwrap();
            assert_eq!(ticket["already_attested_nodes"], attested, "{effect}");
            assert_eq!(
                ticket["is_in_dispute"], settlement.is_in_dispute,
                "{effect}"
            );
        }
    }
}
