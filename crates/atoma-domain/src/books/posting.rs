//! A transaction by the contract's rules: its lines, and what it should have paid.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{ClaimSplit, StackTerms, split_claim};
use super::line::{BookDifference, BookLine, DifferenceKind, LineKind};
use super::rates::Rates;
use super::record::{BookEntry, BookedClaim, BookedTransaction};
use crate::contract::{Charges, purchase_price};
use crate::{Address, MicroUsdc, NodeSmallId, Permille, StackSmallId, TaskSmallId};

/// What the contract owes a node; `None` if that is not known.
pub(super) type Owed = Option<u128>;

/// What a transaction comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// Its lines, in order.
    pub lines: Vec<BookLine>,
    /// What differs.
    pub differences: Vec<BookDifference>,
    /// Why its payments could not be compared with the changes of balances, if they couldn't.
    pub unchecked: Option<&'static str>,
}

/// The parts of a claim that depend on charges; `None` for what is unknown.
struct Paid {
    fee: Option<MicroUsdc>,
    share: Option<MicroUsdc>,
}

/// A transaction as it is posted, at certain charges.
pub(super) struct Posting<'a> {
    own: &'a BTreeSet<NodeSmallId>,
    transaction: &'a BookedTransaction,
    rates: &'a Rates,
    owed: BTreeMap<NodeSmallId, Owed>,
    /// By how much each balance should change; `None` if it can't be computed.
    expected: BTreeMap<Address, Option<i128>>,
    /// The place of the sender's withdrawal in the lines, if its amount is what the others leave of the change.
    open_withdrawals: Vec<usize>,
    pays_others: bool,
    posted: Posted,
}

impl<'a> Posting<'a> {
    pub(super) fn new(
        own: &'a BTreeSet<NodeSmallId>,
        transaction: &'a BookedTransaction,
        rates: &'a Rates,
        owed: BTreeMap<NodeSmallId, Owed>,
    ) -> Self {
        Self {
            own,
            transaction,
            rates,
            owed,
            expected: BTreeMap::new(),
            open_withdrawals: Vec::new(),
            pays_others: transaction.has_others,
            posted: Posted::default(),
        }
    }

    /// What the contract owes afterwards, and what the transaction comes to.
    pub(super) fn finish(self) -> (BTreeMap<NodeSmallId, Owed>, Posted) {
        (self.owed, self.posted)
    }

    /// By how much the balance should change; `None` if that can't be computed.
    pub(super) fn expected(&self, address: &Address) -> Option<i128> {
        let is_open = self.pays_others || !self.open_withdrawals.is_empty();
        let expected = self.expected.get(address).copied().flatten();
        expected.filter(|_| !is_open)
    }

    /// Posts the entries.
    pub(super) fn run(&mut self) {
        let entries = &self.transaction.entries;
        for (index, entry) in entries.iter().enumerate() {
            match entry {
                BookEntry::Registered { node } => {
                    self.owed.insert(*node, Some(0));
                }
                BookEntry::Bought { .. } => self.bought(entry),
                BookEntry::Claimed(claim) => {
                    self.claimed(claim);
                    // A call ends with the withdrawal of all that its node is owed.
                    let is_last = !entries.iter().skip(index + 1).any(|later| {
                        matches!(later, BookEntry::Claimed(later) if later.node == claim.node)
                    });
                    if is_last && self.own.contains(&claim.node) {
                        self.withdrawn(claim.node);
                    }
                }
                BookEntry::Withdrawn { node } => self.withdrawn(*node),
                BookEntry::Settled { .. }
                | BookEntry::Attested { .. }
                | BookEntry::Disputed { .. } => {}
            }
        }
    }

    fn bought(&mut self, entry: &BookEntry) {
        let BookEntry::Bought { stack, node, terms } = entry else {
            return;
        };
        let price = terms.and_then(|terms| self.price(&terms));
        let owner = terms.map_or(self.transaction.sender, |terms| terms.owner);
        self.expect(owner, price.map(|price| -i128::from(price.get())));
        let task = terms.map(|terms| terms.task_small_id);
        self.line(LineKind::Bought, *node, Some(*stack), task, price);
    }

    /// What the stack cost; `None` if that is unknown or impossible.
    fn price(&mut self, terms: &StackTerms) -> Option<MicroUsdc> {
        let purchase = self.rates.purchase;
        let price = |charge| {
            let charges = Charges {
                sampling_consensus: Permille::new(charge),
                ..Charges::default()
            };
            let (units, price) = (
                terms.num_compute_units,
                terms.price_per_one_million_compute_units,
            );
            purchase_price(terms.security_level, units, price, &charges)
        };
        if price(purchase.least).is_none() {
            let stack = Some(terms.stack_small_id);
            self.differ(DifferenceKind::Impossible, stack, None, None, 0);
        }
        purchase.sure(price)
    }

    fn claimed(&mut self, claim: &BookedClaim) {
        let is_own = self.own.contains(&claim.node);
        let task = claim.terms.map(|terms| terms.task_small_id);
        let split = self.split(claim);
        let fee = split.as_ref().and_then(|split| split.fee);
        if is_own {
            self.line(LineKind::Fee, claim.node, Some(claim.stack), task, fee);
            let refund = Some(claim.refund);
            self.line(
                LineKind::Refund,
                claim.node,
                Some(claim.stack),
                task,
                refund,
            );
            self.expect(
                self.transaction.sender,
                fee.map(|fee| i128::from(fee.get())),
            );
            let owner = claim.terms.map(|terms| terms.owner);
            match owner {
                Some(owner) => self.expect(owner, Some(i128::from(claim.refund.get()))),
                None => self.pays_others = true,
            }
        } else {
            self.pays_others = true;
        }
        for node in claim
            .requested
            .iter()
            .filter(|node| self.own.contains(node))
        {
            let attested = claim.attested.contains(node);
            let share = split.as_ref().and_then(|split| split.share);
            let kind = match attested {
                true => LineKind::Share,
                false => LineKind::Forfeited,
            };
            let line = (kind, *node, Some(claim.stack), task, share);
            self.posted.lines.push(line_of(self.transaction, line));
            if attested {
                let owed = self.owed.entry(*node).or_insert(None);
                let share = share.map(|share| u128::from(share.get()));
                *owed = owed
                    .zip(share)
                    .and_then(|(owed, share)| owed.checked_add(share));
            }
        }
    }

    /// What the claim pays; `None` if the stack is unknown or the claim impossible.
    fn split(&mut self, claim: &BookedClaim) -> Option<Paid> {
        let terms = claim.terms.as_ref()?;
        let stack = Some(claim.stack);
        let recorded = i128::from(claim.refund.get());
        let rates = self.rates;
        let split = |charge| {
            let charges = Charges {
                sampling_consensus: Permille::new(charge),
                extra_nodes: Permille::default(),
                // Without the number the share is left out below.
                extra_nodes_count: rates.count.unwrap_or(1),
            };
            let (requested, attested) = (&claim.requested, &claim.attested);
            split_claim(terms, claim.claimed, requested, attested, &charges)
        };
        let least = split(rates.claim.least);
        if least.is_err() || rates.conflicts.contains(&claim.stack) {
            self.differ(DifferenceKind::Impossible, stack, None, None, recorded);
            return None;
        }
        let part = |part: fn(&ClaimSplit) -> MicroUsdc| {
            rates
                .claim
                .sure(|charge| split(charge).ok().as_ref().map(part))
        };
        if let Some(refund) = part(|split| split.refund)
            && refund != claim.refund
        {
            let computed = Some(i128::from(refund.get()));
            self.differ(DifferenceKind::Refund, stack, None, computed, recorded);
        }
        let share = part(|split| split.share);
        Some(Paid {
            fee: part(|split| split.fee),
            share: share.filter(|share| rates.count.is_some() || share.get() == 0),
        })
    }

    /// Pays the sender all that the node is owed.
    fn withdrawn(&mut self, node: NodeSmallId) {
        let owed = self.owed.insert(node, Some(0)).flatten();
        let amount = owed.and_then(|owed| u64::try_from(owed).ok());
        if amount == Some(0) {
            return;
        }
        match amount {
            Some(amount) => self.expect(self.transaction.sender, Some(i128::from(amount))),
            None => self.open_withdrawals.push(self.posted.lines.len()),
        }
        self.line(
            LineKind::Withdrawn,
            node,
            None,
            None,
            amount.map(MicroUsdc::new),
        );
    }

    fn expect(&mut self, address: Address, amount: Option<i128>) {
        let sum = self.expected.entry(address).or_insert(Some(0));
        *sum = sum
            .zip(amount)
            .and_then(|(sum, amount)| sum.checked_add(amount));
    }

    /// Compares what the transaction should have paid with how the balances changed.
    pub(super) fn check_balances(&mut self) {
        if self.expected.is_empty() && self.open_withdrawals.is_empty() {
            return;
        }
        let Some(changes) = &self.transaction.balance_changes else {
            self.posted.unchecked = Some("the Sui node did not tell how the balances changed");
            return;
        };
        if self.pays_others {
            self.posted.unchecked = Some("the transaction also pays for other nodes");
            return;
        }
        if self.expected.values().any(Option::is_none) {
            self.posted.unchecked = Some("what an amount depends on is not known");
            return;
        }
        if self.rates.is_by_balance {
            self.posted.unchecked = Some("the contract's charge was taken from what was paid");
        }
        let sender = self.transaction.sender;
        let changed = |address: &Address| changes.get(address).copied().unwrap_or_default();
        if !self.open_withdrawals.is_empty() {
            // What the contract owed is not known: it is what the rest leaves.
            let others = self.expected.remove(&sender).flatten().unwrap_or_default();
            let rest = changed(&sender).checked_sub(others);
            let rest = rest.and_then(|rest| u64::try_from(rest).ok());
            match (rest, self.open_withdrawals.as_slice()) {
                (Some(0), [_]) => {
                    let place = self.open_withdrawals.remove(0);
                    self.posted.lines.remove(place);
                }
                (Some(rest), [place]) => {
                    if let Some(line) = self.posted.lines.get_mut(*place) {
                        line.amount = Some(MicroUsdc::new(rest));
                    }
                }
                (Some(_), _) => {}
                (None, _) => {
                    let (computed, recorded) = (Some(others), changed(&sender));
                    self.differ(
                        DifferenceKind::Balance,
                        None,
                        Some(sender),
                        computed,
                        recorded,
                    );
                }
            }
            self.posted.unchecked = Some("what the contract owed the node is not known");
        }
        let expected = std::mem::take(&mut self.expected);
        for (address, amount) in expected {
            let recorded = changed(&address);
            if amount != Some(recorded) {
                self.differ(
                    DifferenceKind::Balance,
                    None,
                    Some(address),
                    amount,
                    recorded,
                );
            }
        }
    }

    fn differ(
        &mut self,
        kind: DifferenceKind,
        stack: Option<StackSmallId>,
        address: Option<Address>,
        computed: Option<i128>,
        recorded: i128,
    ) {
        let transaction = self.transaction;
        self.posted.differences.push(BookDifference {
            sequence: transaction.sequence,
            digest: transaction.digest,
            timestamp: transaction.timestamp,
            epoch: transaction.epoch,
            kind,
            stack,
            address,
            computed,
            recorded,
        });
    }

    fn line(
        &mut self,
        kind: LineKind,
        node: NodeSmallId,
        stack: Option<StackSmallId>,
        task: Option<TaskSmallId>,
        amount: Option<MicroUsdc>,
    ) {
        let line = line_of(self.transaction, (kind, node, stack, task, amount));
        self.posted.lines.push(line);
    }
}

type Cells = (
    LineKind,
    NodeSmallId,
    Option<StackSmallId>,
    Option<TaskSmallId>,
    Option<MicroUsdc>,
);

const fn line_of(transaction: &BookedTransaction, cells: Cells) -> BookLine {
    let (kind, node, stack, task, amount) = cells;
    BookLine {
        sequence: transaction.sequence,
        digest: transaction.digest,
        timestamp: transaction.timestamp,
        epoch: transaction.epoch,
        kind,
        node,
        stack,
        task,
        amount,
    }
}
