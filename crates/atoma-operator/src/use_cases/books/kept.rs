//! What of the books is kept between requests, so that a request costs by what is new.
//!
//! Records never change, and new ones come last. What was posted is forgotten when something that it was posted by has
//! changed: the operator's nodes, a rebuild of the mirror or a repair of what the records refer to.

use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::NodeSmallId;
use atoma_domain::books::{BookDifference, BookedTransaction, Ledger, Posted, Totals, day_of};
use atoma_domain::ports::BookMarks;

/// The state of the books as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BooksChecked {
    /// What differs, in ledger order; the first ones if there are very many.
    pub differences: Vec<BookDifference>,
    /// How many differences there are.
    pub count: u64,
    /// How many transactions could not be compared with the changes of balances.
    pub unchecked: u64,
}

/// How many differences are told at most.
pub(super) const MOST_DIFFERENCES: usize = 1_000;
/// How many sums are kept at most, of some 250 bytes each. Books that have more are read from the beginning for totals.
const MOST_CELLS: usize = 100_000;
/// How many places are kept at most from which lines can be posted.
const MOST_PLACES: usize = 64;
/// How many transactions are between two of these places at first.
const STEP: u64 = 1_024;

/// What a sum is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    pub(super) node: NodeSmallId,
    pub(super) task: Option<u64>,
    pub(super) epoch: u64,
    /// In days since 1 January 1970, in UTC.
    pub(super) day: u64,
}

/// What posted transactions come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// `None` if there are too many.
    pub(super) cells: Option<BTreeMap<Cell, Totals>>,
    pub(super) checked: BooksChecked,
}

impl Sums {
    pub(super) fn new() -> Self {
        Self {
            cells: Some(BTreeMap::new()),
            checked: BooksChecked::default(),
        }
    }

    /// Adds a transaction.
    pub(super) fn take(&mut self, posted: Posted) {
        for line in &posted.lines {
            let Some(cells) = &mut self.cells else { break };
            let cell = Cell {
                node: line.node,
                task: line.task.map(atoma_domain::TaskSmallId::get),
                epoch: line.epoch.get(),
                day: day_of(line.timestamp),
            };
            cells.entry(cell).or_default().add(line);
            if cells.len() > MOST_CELLS {
                self.cells = None;
            }
        }
        let checked = &mut self.checked;
        let unchecked = u64::from(posted.unchecked.is_some());
        checked.unchecked = checked.unchecked.saturating_add(unchecked);
        for difference in posted.differences {
            checked.count = checked.count.saturating_add(1);
            if checked.differences.len() < MOST_DIFFERENCES {
                checked.differences.push(difference);
            }
        }
    }
}

/// What transactions were posted by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Basis {
    own: BTreeSet<NodeSmallId>,
    gaps: Vec<u64>,
    repairs: u64,
}

/// The books as far as they were posted and can't come out otherwise.
#[derive(Debug)]
pub(in crate::use_cases) struct Kept {
    basis: Basis,
    /// The last transaction that was posted.
    pub(super) last: Option<u64>,
    pub(super) ledger: Ledger,
    pub(super) sums: Sums,
    /// Ledgers as they were after a transaction, in order.
    places: Vec<(u64, Ledger)>,
    step: u64,
    since_place: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self::new(Basis::default(), &BookMarks::default())
    }
}

impl Kept {
    fn new(basis: Basis, marks: &BookMarks) -> Self {
        let own = basis.own.iter().copied();
        Self {
            ledger: Ledger::new(own, marks.charges.clone(), marks.gaps.iter().copied()),
            basis,
            last: None,
            sums: Sums::new(),
            places: Vec::new(),
            step: STEP,
            since_place: 0,
        }
    }

    /// Learns the charges that were read since, and forgets everything if it was posted by something else.
    pub(super) fn renew(&mut self, own: BTreeSet<NodeSmallId>, marks: &BookMarks) {
        let basis = Basis {
            own,
            gaps: marks.gaps.clone(),
            repairs: marks.repairs,
        };
        if basis == self.basis {
            self.ledger.learn(marks.charges.clone());
        } else {
            *self = Self::new(basis, marks);
        }
    }

    /// Posts the next transaction for good. Its charges must be known, or never become known.
    pub(super) fn take(&mut self, transaction: &BookedTransaction) {
        let posted = self.ledger.post(transaction);
        self.sums.take(posted);
        self.last = Some(transaction.sequence);
        self.since_place = self.since_place.saturating_add(1);
        if self.since_place < self.step {
            return;
        }
        self.since_place = 0;
        self.places
            .push((transaction.sequence, self.ledger.clone()));
        if self.places.len() > MOST_PLACES {
            let mut odd = false;
            self.places.retain(|_| {
                odd = !odd;
                !odd
            });
            self.step = self.step.saturating_mul(2);
        }
    }

    /// The last place before the transaction with this number, from which the following ones can be posted.
    pub(super) fn before(&self, sequence: u64, marks: &BookMarks) -> (Option<u64>, Ledger) {
        let place = self.places.partition_point(|(last, _)| *last < sequence);
        let place = place
            .checked_sub(1)
            .and_then(|index| self.places.get(index));
        match place {
            Some((last, ledger)) => {
                let mut ledger = ledger.clone();
                ledger.learn(marks.charges.clone());
                (Some(*last), ledger)
            }
            None => (None, Self::new(self.basis.clone(), marks).ledger),
        }
    }
}

#[cfg(test)]
mod tests {
    use atoma_domain::books::{BookEntry, StackTerms};
    use atoma_domain::{
        Address, ComputeUnits, Digest, Epoch, PricePerMillion, SecurityLevel, StackSmallId,
        TaskSmallId, TimestampMs,
    };

    use super::*;

    const NODE: NodeSmallId = NodeSmallId::new(1);

    fn purchase(sequence: u64) -> BookedTransaction {
        let terms = StackTerms {
            stack_small_id: StackSmallId::new(sequence),
            task_small_id: TaskSmallId::new(sequence % 3),
            owner: Address::ZERO,
            selected_node_id: NODE,
            num_compute_units: ComputeUnits::new(1_000_000),
            price_per_one_million_compute_units: PricePerMillion::new(sequence),
            security_level: SecurityLevel::new(0),
        };
        BookedTransaction {
            sequence,
            digest: Digest::ZERO,
            timestamp: TimestampMs::new(sequence * 30_000_000),
            epoch: Epoch::new(sequence / 2),
            contract_version: Some(sequence),
            sender: Address::ZERO,
            has_others: false,
            balance_changes: None,
            entries: vec![BookEntry::Bought {
                stack: terms.stack_small_id,
                node: NODE,
                terms: Some(terms),
            }],
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_adds_up() {
        let marks = BookMarks::default();
        let mut kept = Kept::default();
        kept.renew(BTreeSet::from([NODE]), &marks);
        kept.step = 1;
        let mut expected = Totals::default();
        let mut ledger = kept.ledger.clone();
        for sequence in 1..=300 {
            let transaction = purchase(sequence);
            kept.take(&transaction);
            for line in ledger.post(&transaction).lines {
                expected.add(&line);
            }
        }
        assert_eq!(kept.last, Some(300));
        assert_eq!(kept.sums.checked.unchecked, 300);
        let mut sum = Totals::default();
        for totals in kept.sums.cells.as_ref().unwrap().values() {
            sum.merge(totals);
        }
        assert_eq!(sum, expected);
        assert!(kept.places.len() <= MOST_PLACES && kept.step > 1);
        let (first, last) = (kept.places[0].0, kept.places[kept.places.len() - 1].0);
        assert_eq!(kept.before(first, &marks).0, None);
        assert_eq!(kept.before(first + 1, &marks).0, Some(first));
        assert_eq!(kept.before(1_000, &marks).0, Some(last));
    }

    #[test]
    fn a_rebuild_a_repair_and_a_new_node_forget_it() {
        let marks = BookMarks::default();
        let own = BTreeSet::from([NODE]);
        for (own, marks) in [
            (
                own.clone(),
                BookMarks {
                    gaps: vec![1],
                    ..marks.clone()
                },
            ),
            (
                own.clone(),
                BookMarks {
                    repairs: 1,
                    ..marks.clone()
                },
            ),
            (BTreeSet::from([NODE, NodeSmallId::new(2)]), marks.clone()),
        ] {
            let mut kept = Kept::default();
            kept.renew(BTreeSet::from([NODE]), &BookMarks::default());
            kept.take(&purchase(1));
            kept.renew(BTreeSet::from([NODE]), &BookMarks::default());
            assert_eq!(kept.last, Some(1));
            kept.renew(own, &marks);
            assert_eq!(kept.last, None);
        }
    }
}
