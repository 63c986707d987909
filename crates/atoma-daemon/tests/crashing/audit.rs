//! Whether the journal and the ledger tell the same story.

use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::Digest;
use atoma_domain::events::ContractEvent;
use atoma_domain::journal::{Action, Actor, IntentRecord, IntentStatus};
use atoma_domain::ports::{JournalFilter, JournalKey, LedgerTransaction, Page};

use super::generation::Generation;

/// What an action does to the chain, as text to be compared and counted.
pub(crate) fn effect_of(action: &Action, actor: &Actor) -> String {
    let node = actor.node().map_or(0, |node| node.get());
    match action {
        Action::RegisterNode { .. } => String::from("register"),
        Action::SubscribeToModel { model_name, .. } => format!("model {model_name} by {node}"),
        Action::SubscribeToTask {
            task_small_id,
            price,
        } => format!("subscribe {task_small_id} by {node} at {price}"),
        Action::UpdateSubscription {
            task_small_id,
            price,
        } => format!("update {task_small_id} by {node} to {price}"),
        Action::UnsubscribeFromTask { task_small_id } => {
            format!("unsubscribe {task_small_id} by {node}")
        }
        Action::SettleStack { stack_small_id, .. } => format!("settle {stack_small_id}"),
        Action::AttestSettlement { stack_small_id, .. } => {
            format!("attest {stack_small_id} by {node}")
        }
        Action::StartDispute { stack_small_id } => format!("dispute {stack_small_id}"),
        Action::ClaimStack { stack_small_id }
        | Action::ClaimConfidentialStack { stack_small_id, .. } => {
            format!("claim {stack_small_id}")
        }
    }
}

/// The same, as an event shows it; `None` for events that come along with another.
fn effect_in(event: &ContractEvent) -> Option<String> {
    use ContractEvent as E;
    Some(match event {
        E::NodeRegistered(_) => String::from("register"),
        E::NodeSubscribedToModel(e) => format!("model {} by {}", e.model_name, e.node_small_id),
        E::NodeSubscribedToTask(e) => format!(
            "subscribe {} by {} at {}",
            e.task_small_id, e.node_small_id, e.price_per_one_million_compute_units
        ),
        E::NodeSubscriptionUpdated(e) => format!(
            "update {} by {} to {}",
            e.task_small_id, e.node_small_id, e.price_per_one_million_compute_units
        ),
        E::NodeUnsubscribedFromTask(e) => {
            format!("unsubscribe {} by {}", e.task_small_id, e.node_small_id)
        }
        E::StackTrySettle(e) => format!("settle {}", e.stack_small_id),
        E::NewStackSettlementAttestation(e) => {
            format!("attest {} by {}", e.stack_small_id, e.attestation_node_id)
        }
        E::StackAttestationDispute(e) => format!("dispute {}", e.stack_small_id),
        E::StackSettlementTicketClaimed(e) => format!("claim {}", e.stack_small_id),
        E::ClaimedStack(e) => format!("claim {}", e.stack_small_id),
        _ => return None,
    })
}

/// Whether the contract would let it happen again, for good or ill.
fn is_once(effect: &str) -> bool {
    ["settle", "attest", "dispute", "claim"].contains(&effect.split(' ').next().unwrap())
}

/// All that the address of one operator did, from the ledger itself.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) transactions: Vec<LedgerTransaction>,
}

impl Ledger {
    /// Reads the whole ledger.
    pub(crate) async fn read(generation: &Generation) -> Self {
        let ports = &generation.ports;
        let tip = generation.light_beacon().await;
        let operator = ports.signer.address();
        let mut stream = ports.source.follow(None).await.unwrap();
        let mut transactions = Vec::new();
        let mut at = None;
        while at < Some(tip) {
            for step in stream.next_steps(500).await.unwrap() {
                let Some(transaction) = step.transaction else {
                    continue;
                };
                at = Some(transaction.position.checkpoint);
                if transaction.sender == operator {
                    transactions.push(transaction);
                }
            }
        }
        Self { transactions }
    }

    /// What was done, how often.
    pub(crate) fn effects(&self) -> BTreeMap<String, usize> {
        let events = self.transactions.iter().flat_map(|t| &t.events);
        count(events.filter_map(effect_in))
    }

    /// Refuses a ledger in which something was done twice that may be done once.
    pub(crate) fn assert_nothing_twice(&self) {
        for (effect, times) in self.effects() {
            assert!(times == 1 || !is_once(&effect), "{effect}: {times} times");
        }
    }

    fn effects_of(&self, digest: Digest) -> Vec<String> {
        let of = |t: &&LedgerTransaction| t.digest == digest;
        let events = self.transactions.iter().filter(of).flat_map(|t| &t.events);
        events.filter_map(effect_in).collect()
    }
}

fn count(effects: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for effect in effects {
        *counted.entry(effect).or_insert(0) += 1;
    }
    counted
}

/// All of the journal.
pub(crate) async fn journal(generation: &Generation) -> Vec<IntentRecord> {
    let journal = &generation.ports.journal;
    let page = Page::first(100_000);
    journal.list(&JournalFilter::default(), page).await.unwrap()
}

/// Every intent is final; what the journal says succeeded is on chain, by the digest it says and
/// as often as it says; nothing else is; and nothing is there twice that may be there once.
pub(crate) async fn journal_agrees_with_ledger(generation: &Generation) -> Ledger {
    let ledger = Ledger::read(generation).await;
    let records = journal(generation).await;
    let mut done = Vec::new();
    for record in &records {
        assert!(record.status.is_final(), "{record:?}");
        if record.status == IntentStatus::Succeeded {
            let effect = effect_of(&record.intent.action, &record.intent.actor);
            let found = ledger.effects_of(record.tx_digest.unwrap());
            assert!(found.contains(&effect), "{record:?}: {found:?}");
            done.push(effect);
        } else {
            assert!(record.failure.is_some(), "{record:?}");
        }
    }
    assert_eq!(count(done.into_iter()), ledger.effects());
    ledger.assert_nothing_twice();
    let mut seen = BTreeSet::new();
    for transaction in &ledger.transactions {
        assert!(seen.insert(transaction.digest));
        let key = JournalKey::Digest(transaction.digest);
        let known = generation.ports.journal.find(key).await.unwrap();
        assert!(
            known.is_some(),
            "{} was never written down",
            transaction.digest
        );
    }
    ledger
}
