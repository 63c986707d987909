//! Checks that journal and ledger agree.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::{Action, Actor, AttemptStatus, IntentRecord, IntentStatus};
use atoma_domain::ports::{
    Executed, ExecutionOutcome, JournalFilter, JournalKey, LedgerTransaction, Page,
};
use atoma_domain::{Digest, Mist, TimestampMs};

use super::exact_effects::{
    Settlements, exact_effect_in, exact_effect_of, settlements, tickets_agree,
};
use super::generation::Generation;
use super::observer::Observer;

/// The effect of a withdrawal of shares, which has no event.
const WITHDRAWAL: &str = "withdraw";

/// The effects of a transaction, as the events show them: a silent one that pays its sender withdraws shares.
fn effects_by(
    transaction: &LedgerTransaction,
    effect_in: impl Fn(&ContractEvent) -> Option<String>,
) -> Vec<String> {
    let changes = transaction.balance_changes.iter().flatten();
    let is_paid = changes
        .filter(|change| change.address == transaction.sender)
        .any(|change| change.amount > 0);
    if transaction.events.is_empty() && is_paid {
        return vec![String::from(WITHDRAWAL)];
    }
    transaction.events.iter().filter_map(effect_in).collect()
}

/// The effect of an action on chain, as text that can be compared and counted.
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
        Action::RotateNodeKey {
            device_type,
            key_rotation_counter,
            ..
        } => {
            let rotation = key_rotation_counter.unwrap_or_default();
            format!("key of device {device_type} in rotation {rotation} by {node}")
        }
        Action::WithdrawFees {} => String::from(WITHDRAWAL),
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

/// The effect that an event shows, or `None` for an event that only accompanies another.
pub(crate) fn effect_in(event: &ContractEvent) -> Option<String> {
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
        E::NodePublicKeyCommitment(e) => format!(
            "key of device {} in rotation {} by {}",
            e.device_type, e.key_rotation_counter, e.node_id
        ),
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

/// Whether the effect may happen only once, whatever the contract allows.
fn is_once_only(effect: &str) -> bool {
    ["settle", "attest", "dispute", "claim"].contains(&effect.split(' ').next().unwrap())
}

/// Everything that one operator's address did, according to the ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) transactions: Vec<LedgerTransaction>,
}

impl Ledger {
    /// Reads the whole ledger.
    pub(crate) async fn read(generation: &Generation) -> Self {
        let ports = &generation.ports;
        let tip = generation.mark_ledger_end().await;
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

    /// How often each effect is on chain.
    pub(crate) fn effects(&self) -> BTreeMap<String, usize> {
        count(
            self.transactions
                .iter()
                .flat_map(|t| effects_by(t, effect_in)),
        )
    }

    /// Checks that no effect that may happen once is there twice.
    pub(crate) fn assert_nothing_twice(&self) {
        for (effect, times) in self.effects() {
            assert!(
                times == 1 || !is_once_only(&effect),
                "{effect}: {times} times"
            );
        }
    }

    /// The settlements, by stack.
    pub(crate) fn settlements(&self) -> Settlements {
        settlements(self.transactions.iter().flat_map(|t| &t.events))
    }

    fn exact_effects_of(&self, digest: Digest) -> Vec<String> {
        let of = |t: &&LedgerTransaction| t.digest == digest;
        let transactions = self.transactions.iter().filter(of);
        transactions
            .flat_map(|t| effects_by(t, exact_effect_in))
            .collect()
    }
}

fn count(effects: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for effect in effects {
        *counted.entry(effect).or_insert(0) += 1;
    }
    counted
}

/// All records of the journal.
pub(crate) async fn journal(generation: &Generation) -> Vec<IntentRecord> {
    let journal = &generation.ports.journal;
    let page = Page::first(100_000);
    journal.list(&JournalFilter::default(), page).await.unwrap()
}

/// Checks that every intent is final, and that the chain has exactly the effects of the intents
/// that succeeded according to the journal: with the journal's digest, as often, and with every
/// parameter as requested. No effect that may happen once is there twice.
pub(crate) async fn journal_agrees_with_ledger(generation: &Generation) -> Ledger {
    let ledger = Ledger::read(generation).await;
    let records = journal(generation).await;
    let settlements = ledger.settlements();
    tickets_agree(&generation.points.network().state().unwrap(), &settlements);
    let mut done = Vec::new();
    for record in &records {
        assert!(record.status.is_final(), "{record:?}");
        if record.status == IntentStatus::Succeeded {
            let expected = exact_effect_of(generation, &record.intent, &settlements).await;
            let found = ledger.exact_effects_of(record.tx_digest.unwrap());
            assert!(
                found.contains(&expected),
                "{record:?}: {expected}, {found:?}"
            );
            done.push(effect_of(&record.intent.action, &record.intent.actor));
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
        assert!(known.is_some(), "{} was never recorded", transaction.digest);
    }
    ledger
}

/// Transactions that were looked up; `None` was not executed.
pub(crate) type Lookups = BTreeMap<Digest, Option<Executed>>;

/// Adds the wanted transactions to those already known.
pub(crate) async fn look_up(
    generation: &Generation,
    known: &Lookups,
    wanted: impl Iterator<Item = Digest>,
) -> Lookups {
    let mut lookups = known.clone();
    for digest in wanted {
        if let Entry::Vacant(entry) = lookups.entry(digest) {
            let chain = &generation.ports.chain;
            entry.insert(chain.lookup(digest).await.unwrap());
        }
    }
    lookups
}

/// Checks that every attempt ever recorded, and every transaction of the operator in the ledger,
/// has one outcome, the same in both, and that the journal's sum of gas is what all of them cost.
/// Returns how many attempts ended with each status. The `known` ones are from before the observer
/// existed.
pub(crate) async fn every_attempt_is_accounted_for(
    generation: &Generation,
    ledger: &Ledger,
    observer: &Observer,
    known: &Lookups,
) -> BTreeMap<&'static str, usize> {
    let ports = &generation.ports;
    let written = observer
        .assert_signed_in_order(ports.journal.as_ref())
        .await;
    // The ledger's stream lacks transactions that did not change the contract's state. The observer
    // has those, because they were sent.
    let streamed = ledger.transactions.iter().map(|t| t.digest);
    let wanted = streamed.chain(observer.sent()).chain(written.clone());
    let lookups = look_up(generation, known, wanted).await;
    let outcomes = observer.outcomes();
    let mut ended = BTreeMap::new();
    for (digest, executed) in &lookups {
        if known.contains_key(digest) {
            continue;
        }
        assert!(written.contains(digest), "{digest} was never recorded");
        let status = outcomes[digest].status();
        assert!(
            is_outcome_of(status, executed.as_ref()),
            "{digest}: {status:?}, {executed:?}"
        );
        *ended.entry(status.as_str()).or_insert(0) += 1;
    }
    let (beginning, end) = (TimestampMs::new(0), TimestampMs::new(u64::MAX));
    let spent = ports.journal.gas_spent(beginning, end).await.unwrap();
    let spent: u64 = spent.iter().map(|spent| spent.gas.get()).sum();
    assert_eq!(spent, cost(&lookups).get(), "the gas of all transactions");
    for badge in ports.chain.badges(ports.signer.address()).await.unwrap() {
        // If anybody else had used it, the last transaction would be theirs.
        let id = badge.reference.object_id();
        let object = ports.chain.object(*id).await.unwrap().unwrap();
        let booked = ports.journal.last_use(*id).await.unwrap();
        assert_eq!(
            booked, object.last_transaction,
            "the last use of badge {id}"
        );
    }
    ended
}

fn cost(lookups: &Lookups) -> Mist {
    let executed = lookups.values().flatten();
    executed.fold(Mist::ZERO, |sum, executed| {
        sum.checked_add(executed.gas_used).unwrap()
    })
}

fn is_outcome_of(status: AttemptStatus, executed: Option<&Executed>) -> bool {
    match executed.map(|executed| &executed.outcome) {
        None => status == AttemptStatus::Dead,
        Some(ExecutionOutcome::Success) => status == AttemptStatus::Succeeded,
        Some(ExecutionOutcome::Cancelled { .. }) => status == AttemptStatus::Cancelled,
        // Out of gas, with a budget that the daemon chose.
        Some(ExecutionOutcome::Failed {
            out_of_gas: true, ..
        }) => status == AttemptStatus::Cancelled,
        Some(ExecutionOutcome::Abort(_) | ExecutionOutcome::Failed { .. }) => {
            status == AttemptStatus::Aborted
        }
    }
}
