//! Applying the contract's rules to recorded transactions, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{ClaimSplit, split_claim};
use super::line::{BookDifference, BookLine, DifferenceKind, LineKind};
use super::record::{BookEntry, BookedClaim, BookedTransaction};
use crate::contract::{Charges, ChargesHistory, purchase_price};
use crate::{Address, MicroUsdc, NodeSmallId, StackSmallId, TaskSmallId};

/// What the contract owes a node; `None` if the books don't reach back to when it owed nothing.
type Owed = Option<u128>;

/// The books of the operator's nodes, as far as transactions were posted.
#[derive(Clone, Debug)]
pub struct Ledger {
    own: BTreeSet<NodeSmallId>,
    charges: ChargesHistory,
    /// The numbers of the transactions before which the mirror was rebuilt, so that earlier ones may be missing.
    gaps: BTreeSet<u64>,
    owed: BTreeMap<NodeSmallId, Owed>,
}

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

impl Ledger {
    /// The empty books of these nodes. `gaps` are the numbers of the last transactions before the mirror was rebuilt.
    pub fn new(
        own: impl IntoIterator<Item = NodeSmallId>,
        charges: ChargesHistory,
        gaps: impl IntoIterator<Item = u64>,
    ) -> Self {
        Self {
            own: own.into_iter().collect(),
            charges,
            gaps: gaps.into_iter().collect(),
            owed: BTreeMap::new(),
        }
    }

    /// What the contract owes the node: shares that it was credited and has not withdrawn. `None` if the books don't
    /// reach back far enough to know.
    pub fn owed(&self, node: NodeSmallId) -> Option<u128> {
        self.owed.get(&node).copied().flatten()
    }

    /// Posts the next transaction.
    pub fn post(&mut self, transaction: &BookedTransaction) -> Posted {
        let later = self.gaps.split_off(&transaction.sequence);
        if !std::mem::replace(&mut self.gaps, later).is_empty() {
            self.owed.clear();
        }
        let version = transaction.contract_version;
        let charges = version.map(|version| self.charges.at(version));
        let charges = charges.filter(|charges| !charges.is_empty());
        let candidates: Vec<_> = match charges {
            Some(charges) => charges.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let mut first = None;
        for charges in candidates {
            let mut posting = Posting::new(self, transaction, charges);
            posting.run();
            let (owed, posted) = (posting.owed, posting.posted);
            if posted.differences.is_empty() {
                self.owed = owed;
                return posted;
            }
            first.get_or_insert((owed, posted));
        }
        let (owed, posted) = first.unwrap_or_default();
        self.owed = owed;
        posted
    }
}

/// A transaction as it is posted, at certain charges.
struct Posting<'a> {
    own: &'a BTreeSet<NodeSmallId>,
    transaction: &'a BookedTransaction,
    /// `None` if they are unknown.
    charges: Option<Charges>,
    owed: BTreeMap<NodeSmallId, Owed>,
    /// By how much each balance should change; `None` if it can't be computed.
    expected: BTreeMap<Address, Option<i128>>,
    /// The place of the sender's withdrawal in the lines, if its amount is what the others leave of the change.
    open_withdrawals: Vec<usize>,
    pays_others: bool,
    posted: Posted,
}

impl<'a> Posting<'a> {
    fn new(
        ledger: &'a Ledger,
        transaction: &'a BookedTransaction,
        charges: Option<Charges>,
    ) -> Self {
        Self {
            own: &ledger.own,
            transaction,
            charges,
            owed: ledger.owed.clone(),
            expected: BTreeMap::new(),
            open_withdrawals: Vec::new(),
            pays_others: transaction.has_others,
            posted: Posted::default(),
        }
    }

    fn run(&mut self) {
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
        self.check_balances();
    }

    fn bought(&mut self, entry: &BookEntry) {
        let BookEntry::Bought { stack, node, terms } = entry else {
            return;
        };
        let price = match (
            terms,
            self.charges_for(terms.map(|terms| terms.security_level)),
        ) {
            (Some(terms), Some(charges)) => {
                let price = purchase_price(
                    terms.security_level,
                    terms.num_compute_units,
                    terms.price_per_one_million_compute_units,
                    &charges,
                );
                if price.is_none() {
                    self.differ(DifferenceKind::Impossible, Some(*stack), None, None, 0);
                }
                price
            }
            _ => None,
        };
        let owner = terms.map_or(self.transaction.sender, |terms| terms.owner);
        self.expect(owner, price.map(|price| -i128::from(price.get())));
        let task = terms.map(|terms| terms.task_small_id);
        self.line(LineKind::Bought, *node, Some(*stack), task, price);
    }

    /// The charges; those that don't count at this security level need not be known.
    fn charges_for(&self, level: Option<crate::SecurityLevel>) -> Option<Charges> {
        let counts = level == Some(crate::SecurityLevel::SAMPLING_CONSENSUS);
        if counts {
            self.charges
        } else {
            Some(self.charges.unwrap_or_default())
        }
    }

    fn claimed(&mut self, claim: &BookedClaim) {
        let is_own = self.own.contains(&claim.node);
        let task = claim.terms.map(|terms| terms.task_small_id);
        let split = self.split(claim);
        let fee = split.as_ref().map(|split| split.fee);
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
            let share = split.as_ref().map(|split| split.share);
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

    /// What the claim pays; `None` if that is unknown or impossible.
    fn split(&mut self, claim: &BookedClaim) -> Option<ClaimSplit> {
        let terms = claim.terms.as_ref()?;
        let charges = self.charges_for(Some(terms.security_level))?;
        let BookedClaim {
            requested,
            attested,
            ..
        } = claim;
        let recorded = i128::from(claim.refund.get());
        match split_claim(terms, claim.claimed, requested, attested, &charges) {
            Ok(split) => {
                if split.refund != claim.refund {
                    let computed = Some(i128::from(split.refund.get()));
                    self.differ(
                        DifferenceKind::Refund,
                        Some(claim.stack),
                        None,
                        computed,
                        recorded,
                    );
                }
                Some(split)
            }
            Err(_) => {
                self.differ(
                    DifferenceKind::Impossible,
                    Some(claim.stack),
                    None,
                    None,
                    recorded,
                );
                None
            }
        }
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
    fn check_balances(&mut self) {
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
            self.posted.unchecked = Some("what an amount depends on was not mirrored");
            return;
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
            self.posted.unchecked = Some("the books begin after the node was first owed shares");
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
