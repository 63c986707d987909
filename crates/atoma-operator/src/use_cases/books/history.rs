//! The history of a stack.

use std::ops::ControlFlow;

use atoma_domain::books::{
    BookDifference, BookEntry, BookLine, BookedTransaction, GasLine, StackFacts, Stage, Standstill,
    standing,
};
use atoma_domain::journal::Failure;
use atoma_domain::model::{Settlement, Stack, Task};
use atoma_domain::ports::{JournalFilter, Page};
use atoma_domain::{ComputeUnits, Digest, Epoch, Mist, NodeSmallId, StackSmallId, TimestampMs};

use crate::causes::internal;
use crate::use_cases::operator::Operator;

/// What happened to a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// It was bought.
    Bought,
    /// It was settled.
    Settled,
    /// A node attested the settlement.
    Attested,
    /// A node disputed the settlement.
    Disputed,
    /// It was claimed.
    Claimed,
}

impl StepKind {
    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bought => "bought",
            Self::Settled => "settled",
            Self::Attested => "attested",
            Self::Disputed => "disputed",
            Self::Claimed => "claimed",
        }
    }
}

/// A step of a stack's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryStep {
    /// What happened.
    pub kind: StepKind,
    /// The transaction.
    pub digest: Digest,
    /// The time of its checkpoint.
    pub timestamp: TimestampMs,
    /// Its epoch.
    pub epoch: Epoch,
    /// The node that did it, or that was selected for the stack.
    pub node: NodeSmallId,
    /// The units bought or claimed.
    pub units: Option<ComputeUnits>,
    /// The part of the transaction's gas that was paid, and of what came back, if the daemon sent it.
    pub gas: Option<(Mist, Mist)>,
    /// The amounts of the operator's nodes.
    pub lines: Vec<BookLine>,
}

/// What is known of a stack from its purchase to its payment.
#[derive(Clone, Debug, PartialEq)]
pub struct StackHistory {
    /// The stack; `None` if it was bought before the mirror begins.
    pub stack: Option<Stack>,
    /// Its settlement, if it was settled.
    pub settlement: Option<Settlement>,
    /// Its task, if it is known.
    pub task: Option<Task>,
    /// How far it is.
    pub stage: Stage,
    /// Why it stands still; `None` once it was claimed.
    pub standstill: Option<Standstill>,
    /// The epoch since which it stands still: that of its last step, or from which it could go on.
    pub since_epoch: Option<Epoch>,
    /// The time of its last step.
    pub since: Option<TimestampMs>,
    /// Why the daemon's unfinished transaction for it waits, if it does: a short treasury, a limit, an outage.
    pub held: Option<Failure>,
    /// Whether the selected node is one of the operator's.
    pub is_own: bool,
    /// Whether the books have the purchase. If not, another's node serves it, it was bought before the mirror begins or while it was rebuilt, and
    /// steps may be missing.
    pub is_complete: bool,
    /// What happened, in ledger order.
    pub steps: Vec<HistoryStep>,
    /// What differs in its transactions.
    pub differences: Vec<BookDifference>,
    /// The gas that all the daemon's transactions about it paid, also those that failed.
    pub gas_used: Mist,
    /// What came back by those whose storage rebate was larger than their gas.
    pub gas_returned: Mist,
}

impl Operator {
    /// The history of a stack.
    ///
    /// # Errors
    /// [`Failure::UnknownStack`] if the mirror doesn't know it, and [`Failure::UnknownNode`] if another operator serves it and
    /// this one's nodes had nothing to do with it.
    pub async fn stack_history(
        &self,
        stack_small_id: StackSmallId,
    ) -> Result<StackHistory, Failure> {
        let state = &self.ports.state;
        let snapshot = state.snapshot_of(&[stack_small_id]).await;
        let snapshot = snapshot.map_err(internal)?;
        let stack = snapshot.stacks.into_iter().next();
        let settlement = snapshot.settlements.into_iter().next();
        if stack.is_none() && settlement.is_none() {
            return Err(Failure::UnknownStack { stack_small_id });
        }
        let selected = stack.as_ref().map(|stack| stack.selected_node_id);
        let selected = selected.or(settlement.as_ref().map(|ticket| ticket.selected_node_id));
        let nodes = self.ports.state.operator_nodes().await.map_err(internal)?;
        let is_own = nodes
            .iter()
            .any(|node| selected == Some(node.node_small_id));
        let task = snapshot.tasks.into_iter().next();
        let records = self.ports.books.stack_records(stack_small_id).await;
        let records = records.map_err(internal)?;
        if let Some(node_small_id) = selected.filter(|_| !is_own)
            && records.transactions.is_empty()
            && records.gas.is_empty()
        {
            return Err(Failure::UnknownNode { node_small_id });
        }
        let progress = self.ports.events.progress().await.map_err(internal)?;

        let mut posted = Posts::default();
        let sequences = records.transactions.iter().map(|own| own.sequence);
        if let Some((first, last)) = sequences.clone().min().zip(sequences.max()) {
            self.fold(first, |transaction, found| {
                if records
                    .transactions
                    .iter()
                    .any(|own| own.sequence == transaction.sequence)
                {
                    posted.take(stack_small_id, transaction, found);
                }
                match transaction.sequence >= last {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })
            .await?;
        }
        let facts = StackFacts {
            stack: stack.as_ref(),
            settlement: settlement.as_ref(),
            task: task.as_ref(),
            epoch: progress.epoch.unwrap_or_default(),
            now: self.ports.clock.now(),
            is_paid: posted.is_paid,
        };
        let (stage, standstill) = standing(&facts);
        let last = records.transactions.last();
        let since_epoch = match (&standstill, &settlement) {
            (Some(Standstill::NotClaimed), Some(ticket)) => Some(ticket.dispute_settled_at_epoch),
            _ => last.map(|last| last.epoch),
        };
        let steps: Vec<_> = records
            .transactions
            .iter()
            .flat_map(|transaction| steps(transaction, &records.gas, &posted.lines))
            .collect();
        let (gas_used, gas_returned) = sum(records.gas.iter());
        Ok(StackHistory {
            stage,
            standstill,
            since_epoch,
            since: last.map(|last| last.timestamp),
            held: self.held_for(stack_small_id).await?,
            is_complete: steps.iter().any(|step| step.kind == StepKind::Bought),
            steps,
            differences: posted.differences,
            is_own,
            gas_used,
            gas_returned,
            stack,
            settlement,
            task,
        })
    }

    /// Why an unfinished transaction about the stack waits.
    async fn held_for(&self, stack: StackSmallId) -> Result<Option<Failure>, Failure> {
        let filter = JournalFilter {
            stack: Some(stack),
            ..JournalFilter::default()
        };
        let page = Page::first(20);
        let intents = self.ports.journal.list(&filter, page).await;
        let mut intents = intents.map_err(internal)?.into_iter();
        Ok(intents.find_map(|record| self.held(record.intent.id)))
    }
}

/// What the stack's transactions came to.
#[derive(Default)]
struct Posts {
    lines: Vec<BookLine>,
    differences: Vec<BookDifference>,
    is_paid: bool,
}

impl Posts {
    fn take(
        &mut self,
        stack: StackSmallId,
        transaction: &BookedTransaction,
        posted: atoma_domain::books::Posted,
    ) {
        let claims = transaction
            .entries
            .iter()
            .any(|entry| matches!(entry, BookEntry::Claimed(claim) if claim.stack == stack));
        self.is_paid |= claims && posted.differences.is_empty() && posted.unchecked.is_none();
        let lines = posted.lines.into_iter();
        self.lines
            .extend(lines.filter(|line| line.stack == Some(stack)));
        let differences = posted.differences.into_iter();
        self.differences
            .extend(differences.filter(|found| found.stack.is_none_or(|other| other == stack)));
    }
}

/// What the parts paid, and what came back.
fn sum<'g>(parts: impl Iterator<Item = &'g GasLine>) -> (Mist, Mist) {
    parts.fold((Mist::ZERO, Mist::ZERO), |(used, returned), part| {
        (
            used.saturating_add(part.used),
            returned.saturating_add(part.returned),
        )
    })
}

fn steps<'a>(
    transaction: &'a BookedTransaction,
    gas: &'a [GasLine],
    lines: &'a [BookLine],
) -> impl Iterator<Item = HistoryStep> + 'a {
    let of = |kind, node, units| HistoryStep {
        kind,
        digest: transaction.digest,
        timestamp: transaction.timestamp,
        epoch: transaction.epoch,
        node,
        units,
        gas: {
            let parts = gas.iter().filter(|part| part.digest == transaction.digest);
            let parts: Vec<_> = parts.collect();
            (!parts.is_empty()).then(|| sum(parts.into_iter()))
        },
        lines: Vec::new(),
    };
    transaction.entries.iter().filter_map(move |entry| {
        let mut step = match entry {
            BookEntry::Registered { .. } | BookEntry::Withdrawn { .. } => return None,
            BookEntry::Bought { node, terms, .. } => {
                let units = terms.map(|terms| terms.num_compute_units);
                of(StepKind::Bought, *node, units)
            }
            BookEntry::Settled { node, claimed, .. } => {
                of(StepKind::Settled, *node, Some(*claimed))
            }
            BookEntry::Attested { node, .. } => of(StepKind::Attested, *node, None),
            BookEntry::Disputed { node, .. } => of(StepKind::Disputed, *node, None),
            BookEntry::Claimed(claim) => of(StepKind::Claimed, claim.node, Some(claim.claimed)),
        };
        if matches!(step.kind, StepKind::Bought | StepKind::Claimed) {
            let own = lines
                .iter()
                .filter(|line| line.digest == transaction.digest);
            step.lines = own.copied().collect();
        }
        Some(step)
    })
}
