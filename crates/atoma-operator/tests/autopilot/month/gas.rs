//! What the transactions of a month cost, by the journal.

use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::journal::{Actor, AttemptStatus, IntentRecord, IntentStatus};
use atoma_domain::ports::{Journal as _, JournalFilter, Page};
use atoma_domain::{CheckpointNumber, Digest, NodeSmallId, StackSmallId};

use super::calendar::Calendar;
use crate::site::Site;

/// The transactions of an operator.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// The transactions that were executed, in any way, by digest.
    pub(super) transactions: BTreeMap<Digest, Transaction>,
    /// Attestations that succeeded, with their checkpoints.
    pub(super) attested: BTreeMap<(StackSmallId, NodeSmallId), Option<CheckpointNumber>>,
    /// Settlements that succeeded.
    pub(super) settled: BTreeSet<StackSmallId>,
    /// Intents that have no outcome.
    pub(super) unfinished: Vec<String>,
    /// How often each kind of intent failed, and why.
    pub(super) failures: BTreeMap<String, usize>,
}

/// A transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction {
    pub(super) kind: &'static str,
    pub(super) node: Option<NodeSmallId>,
    pub(super) actions: usize,
    pub(super) gas: u64,
    pub(super) succeeded: bool,
    /// By the network, for congestion.
    pub(super) is_cancelled: bool,
    pub(super) checkpoint: Option<CheckpointNumber>,
}

impl Spent {
    pub(super) async fn of(site: &Site) -> Self {
        let mut spent = Self::default();
        let mut page = Page::first(1_000);
        loop {
            let listed = site.state.list(&JournalFilter::default(), page).await;
            let listed = listed.unwrap();
            page.after = listed.last().map(|record| record.intent.id);
            if page.after.is_none() {
                return spent;
            }
            for record in listed {
                spent.add(site, &record).await;
            }
        }
    }

    async fn add(&mut self, site: &Site, record: &IntentRecord) {
        let action = &record.intent.action;
        let node = match record.intent.actor {
            Actor::Node { node_small_id, .. } => Some(node_small_id),
            _ => None,
        };
        match record.status {
            IntentStatus::Succeeded => {}
            IntentStatus::Failed => {
                let code = record
                    .failure
                    .as_ref()
                    .map(|failure| failure.code_and_details().0);
                let why = format!("{}: {}", action.kind(), code.unwrap_or_default());
                *self.failures.entry(why).or_default() += 1;
            }
            _ => self.unfinished.push(format!("{record:?}")),
        }
        for attempt in site.state.attempts_of(record.intent.id).await.unwrap() {
            if attempt.status == AttemptStatus::Dead {
                continue;
            }
            let succeeded = attempt.status == AttemptStatus::Succeeded;
            if succeeded && let Some(stack) = action.stack() {
                match action.kind() {
                    "settle_stack" => drop(self.settled.insert(stack)),
                    "attest_settlement" => {
                        let node = node.expect("a node attests");
                        self.attested.insert((stack, node), attempt.checkpoint);
                    }
                    _ => {}
                }
            }
            let transaction = Transaction {
                kind: action.kind(),
                node,
                actions: attempt.intents.len(),
                gas: attempt.gas_used.map_or(0, |gas| gas.get()),
                succeeded,
                is_cancelled: attempt.status == AttemptStatus::Cancelled,
                checkpoint: attempt.checkpoint,
            };
            self.transactions.insert(attempt.digest, transaction);
        }
    }

    /// The transactions that carry out duties: not those of the preparation.
    pub(super) fn duties(&self) -> impl Iterator<Item = &Transaction> {
        let duties = self.transactions.values();
        duties.filter(|transaction| transaction.part().is_some())
    }

    /// The gas of all duties, in MIST.
    pub(super) fn gas(&self) -> u64 {
        self.duties().map(|transaction| transaction.gas).sum()
    }

    /// The least gas that the same duties need, in MIST: nothing fails but what the network cancels; each settlement is alone, as the network wants it;
    /// what a node attests in a step is one transaction; so are the settled stacks and the confidential ones that it claims in an
    /// epoch, which are two calls of the contract; and a claim pays the shares too. `waits` is whether all that it attests in an epoch is
    /// one transaction.
    pub(super) fn least_gas(&self, calendar: &Calendar, waits: bool) -> u64 {
        let succeeded = || self.duties().filter(|transaction| transaction.succeeded);
        // An attestation writes next to nothing, so that it costs what any transaction costs.
        let attests = succeeded().filter(|transaction| transaction.part() == Some(Part::Attest));
        let base = attests.map(|transaction| transaction.gas).min();
        let base = base.unwrap_or_default();
        let mut together: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        let mut withdrawn = Vec::new();
        let mut claims: BTreeSet<_> = BTreeSet::new();
        let cancelled = self.duties().filter(|transaction| transaction.is_cancelled);
        let mut least: u64 = cancelled.map(|transaction| transaction.gas).sum();
        for transaction in succeeded() {
            let checkpoint = transaction.checkpoint.unwrap_or(CheckpointNumber::new(0));
            let (step, epoch) = (calendar.step_of(checkpoint), calendar.epoch_of(checkpoint));
            let epoch = usize::try_from(epoch.get()).unwrap();
            let (node, gas) = (transaction.node, transaction.gas);
            let time = match transaction.part() {
                Some(Part::Attest) if !waits => step,
                Some(Part::Attest) => epoch,
                Some(Part::Claim | Part::ClaimConfidential) => {
                    claims.insert((node, epoch));
                    epoch
                }
                Some(Part::Withdraw) => {
                    withdrawn.push(((node, epoch), gas));
                    continue;
                }
                Some(Part::Settle) | None => {
                    least += gas;
                    continue;
                }
            };
            let key = (transaction.part(), node, time);
            together.entry(key).or_default().push(gas);
        }
        for gas in together.into_values() {
            let saved = base * u64::try_from(gas.len() - 1).unwrap();
            least += gas.iter().sum::<u64>().saturating_sub(saved);
        }
        // A claim pays the node's shares too.
        let alone = withdrawn.iter().filter(|(when, _)| !claims.contains(when));
        least + alone.map(|(_, gas)| gas).sum::<u64>()
    }

    /// By kind and whether they succeeded: transactions, actions and gas.
    pub(super) fn by_kind(&self) -> BTreeMap<(&'static str, bool), (usize, usize, u64)> {
        let mut kinds: BTreeMap<_, (usize, usize, u64)> = BTreeMap::new();
        for transaction in self.transactions.values() {
            let kind = kinds
                .entry((transaction.kind, transaction.succeeded))
                .or_default();
            kind.0 += 1;
            kind.1 += transaction.actions;
            kind.2 += transaction.gas;
        }
        kinds
    }
}

/// What can be in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Settle,
    Attest,
    Claim,
    ClaimConfidential,
    Withdraw,
}

impl Transaction {
    fn part(&self) -> Option<Part> {
        match self.kind {
            "settle_stack" => Some(Part::Settle),
            "attest_settlement" => Some(Part::Attest),
            "claim_stack" => Some(Part::Claim),
            "claim_confidential_stack" => Some(Part::ClaimConfidential),
            "withdraw_fees" => Some(Part::Withdraw),
            _ => None,
        }
    }
}
