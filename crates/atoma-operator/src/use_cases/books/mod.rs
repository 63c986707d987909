//! The books: totals, lines, differences, and the history of a stack.
//!
//! All of them post the recorded transactions from the first on, because what the contract owes a node depends on all that
//! came before. Nothing that is computed is stored, so nothing can be out of date; what was posted is kept in memory.

mod history;
mod kept;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, Range};
use std::time::Duration;

use atoma_domain::books::{
    BookLine, BookedTransaction, DAY, GasLine, Grouping, Ledger, Posted, Totals, day_of,
};
use atoma_domain::journal::Failure;
use atoma_domain::ports::{BookMarks, Page, Period};
use atoma_domain::{NodeSmallId, with_causes};
use tracing::debug;

use super::operator::Operator;
use crate::causes::internal;
use kept::{MOST_DIFFERENCES, Sums};

pub use kept::BooksChecked;
pub(in crate::use_cases) use kept::Kept;

pub use history::{HistoryStep, StackHistory, StepKind};

/// How many transactions or attempts are read at once.
const PAGE: u32 = 1_000;
/// How long a request waits for the contract's charges. Without them it goes on with those that were read before.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to sum up or list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookFilter {
    /// The operator's nodes.
    pub nodes: BTreeSet<NodeSmallId>,
    /// The time of the transactions.
    pub period: Period,
}

/// Totals of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earnings {
    /// The node, task, epoch or day; `None` for what belongs to none.
    pub group: Option<u64>,
    /// The totals.
    pub totals: Totals,
    /// What the contract owes the node now; `None` unless the group is a node and it is known.
    pub owed: Option<u128>,
}

/// A line of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookRow {
    /// An amount.
    Amount(BookLine),
    /// A part of the gas of one of the daemon's transactions.
    Gas(GasLine),
}

/// The place of a line. All gas comes after all amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinePlace {
    /// Of an amount: the number of its transaction, and its place among that one's lines, from 1.
    Amount(u64, u64),
    /// Of gas: the number of the attempt, and its place among that one's parts, from 1.
    Gas(u64, u64),
}

impl BookFilter {
    fn takes(&self, line: &BookLine) -> bool {
        self.nodes.contains(&line.node) && self.period.has(line.timestamp)
    }

    /// The days of the period; `None` if it has parts of days.
    fn days(&self) -> Option<Range<u64>> {
        let Period { from, until } = self.period;
        let is_whole = |time: u64| time.is_multiple_of(DAY) || time == u64::MAX;
        let days = day_of(from)..until.get().div_ceil(DAY);
        (is_whole(from.get()) && is_whole(until.get())).then_some(days)
    }

    /// The journal has the period. What no node did counts for all of them.
    fn takes_gas(&self, gas: &GasLine) -> bool {
        gas.node.is_none_or(|node| self.nodes.contains(&node))
    }
}

impl Operator {
    /// The totals of the books, one entry for each node, task, epoch or day, ascending; last what belongs to none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn earnings(
        &self,
        by: Grouping,
        filter: &BookFilter,
    ) -> Result<Vec<Earnings>, Failure> {
        // `None` last.
        let place = |group: Option<u64>| (group.is_none(), group);
        let mut groups: BTreeMap<_, Totals> = BTreeMap::new();
        let summed = self
            .read(|ledger, sums| {
                let all: Option<Vec<_>> = sums.iter().map(|sums| sums.cells.as_ref()).collect();
                let days = filter.days();
                let cells = all.zip(days).map(|(all, days)| {
                    let cells = all.into_iter().flatten();
                    for (cell, totals) in cells.filter(|(cell, _)| {
                        filter.nodes.contains(&cell.node) && days.contains(&cell.day)
                    }) {
                        let group = match by {
                            Grouping::Node => Some(cell.node.get()),
                            Grouping::Task => cell.task,
                            Grouping::Epoch => Some(cell.epoch),
                            Grouping::Day => Some(cell.day),
                        };
                        groups.entry(place(group)).or_default().merge(totals);
                    }
                });
                cells.map(|()| ledger.clone())
            })
            .await?;
        let ledger = match summed {
            Some(ledger) => ledger,
            // Too many sums, or parts of days.
            None => {
                self.fold(0, |_, posted| {
                    for line in posted.lines.iter().filter(|line| filter.takes(line)) {
                        groups.entry(place(by.of_line(line))).or_default().add(line);
                    }
                    ControlFlow::Continue(())
                })
                .await?
            }
        };
        let mut after = None;
        loop {
            let page = Page { after, limit: PAGE };
            let lines = self.ports.books.gas_lines(filter.period, page);
            let lines = lines.await.map_err(internal)?;
            for (_, gas) in &lines {
                if filter.takes_gas(gas) {
                    groups
                        .entry(place(by.of_gas(gas)))
                        .or_default()
                        .add_gas(gas);
                }
            }
            match lines.last() {
                Some((last, _)) => after = Some(*last),
                None => break,
            }
        }
        if by == Grouping::Node {
            for node in &filter.nodes {
                groups.entry(place(Some(node.get()))).or_default();
            }
        }
        let groups = groups.into_iter().map(|((_, group), totals)| {
            let node = group.filter(|_| by == Grouping::Node);
            let owed = node.and_then(|node| ledger.owed(NodeSmallId::new(node)));
            Earnings {
                group,
                totals,
                owed,
            }
        });
        Ok(groups.collect())
    }

    /// The lines of the books after a place: the amounts in ledger order, then the gas in the order of the journal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn book_lines(
        &self,
        filter: &BookFilter,
        page: Page<LinePlace>,
    ) -> Result<Vec<(LinePlace, BookRow)>, Failure> {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let mut lines = Vec::new();
        if let Some(after @ LinePlace::Gas(..)) = page.after {
            self.gas_rows(filter, Some(after), limit, &mut lines)
                .await?;
            return Ok(lines);
        }
        let from = match page.after {
            Some(LinePlace::Amount(transaction, _)) => transaction,
            _ => 0,
        };
        self.fold(from, |_, posted| {
            for (place, line) in (1..).zip(posted.lines) {
                let place = LinePlace::Amount(line.sequence, place);
                if lines.len() >= limit {
                    return ControlFlow::Break(());
                }
                if filter.takes(&line) && page.after.is_none_or(|after| place > after) {
                    lines.push((place, BookRow::Amount(line)));
                }
            }
            ControlFlow::Continue(())
        })
        .await?;
        self.gas_rows(filter, None, limit, &mut lines).await?;
        Ok(lines)
    }

    /// Adds the gas after a place, until there are `limit` lines.
    async fn gas_rows(
        &self,
        filter: &BookFilter,
        after: Option<LinePlace>,
        limit: usize,
        lines: &mut Vec<(LinePlace, BookRow)>,
    ) -> Result<(), Failure> {
        // The page before may have ended within an attempt.
        let mut read_after = match after {
            Some(LinePlace::Gas(attempt, _)) => attempt.checked_sub(1),
            _ => None,
        };
        while lines.len() < limit {
            let page = Page {
                after: read_after,
                limit: PAGE,
            };
            let parts = self.ports.books.gas_lines(filter.period, page).await;
            let parts = parts.map_err(internal)?;
            let Some((last, _)) = parts.last() else {
                break;
            };
            read_after = Some(*last);
            for attempt in parts.chunk_by(|(one, _), (other, _)| one == other) {
                for (place, (number, gas)) in (1..).zip(attempt) {
                    let place = LinePlace::Gas(*number, place);
                    let is_wanted =
                        filter.takes_gas(gas) && after.is_none_or(|after| place > after);
                    if is_wanted && lines.len() < limit {
                        lines.push((place, BookRow::Gas(*gas)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the books agree with the events and with the changes of balances.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check_books(&self) -> Result<BooksChecked, Failure> {
        self.read(|_, sums| {
            let mut checked = BooksChecked::default();
            for sums in sums {
                let more = &sums.checked;
                checked.count = checked.count.saturating_add(more.count);
                checked.unchecked = checked.unchecked.saturating_add(more.unchecked);
                let left = MOST_DIFFERENCES.saturating_sub(checked.differences.len());
                let differences = more.differences.iter().take(left);
                checked.differences.extend(differences.copied());
            }
            checked
        })
        .await
    }

    /// Posts what is new, and reads what all comes to: the ledger, and the sums of what was posted for good and of what may
    /// come out otherwise once the contract's charges were read again.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "`kept_books` is held across calls of the database only"
    )]
    async fn read<T>(&self, read: impl FnOnce(&Ledger, [&Sums; 2]) -> T) -> Result<T, Failure> {
        let (own, marks) = self.basis().await?;
        let mut kept = self.kept_books.lock().await;
        kept.renew(own, &marks);
        let known = marks.charges.last_read();
        let mut open: Option<Ledger> = None;
        let mut sums = Sums::new();
        let mut after = kept.last;
        loop {
            let page = Page { after, limit: PAGE };
            let transactions = self.ports.books.book_transactions(page).await;
            let transactions = transactions.map_err(internal)?;
            let Some(last) = transactions.last() else {
                break;
            };
            after = Some(last.sequence);
            for transaction in &transactions {
                let version = transaction.contract_version;
                let is_settled = version.is_none_or(|version| Some(version) <= known);
                match &mut open {
                    None if is_settled => kept.take(transaction),
                    _ => {
                        let ledger = open.get_or_insert_with(|| kept.ledger.clone());
                        sums.take(ledger.post(transaction));
                    }
                }
            }
        }
        let ledger = open.as_ref().unwrap_or(&kept.ledger);
        Ok(read(ledger, [&kept.sums, &sums]))
    }

    /// Posts recorded transactions, at least from the one with this number on and until `each` breaks off, and returns the
    /// books afterwards.
    async fn fold(
        &self,
        from: u64,
        mut each: impl FnMut(&BookedTransaction, Posted) -> ControlFlow<()>,
    ) -> Result<Ledger, Failure> {
        let (own, marks) = self.basis().await?;
        let (mut after, mut ledger) = {
            let mut kept = self.kept_books.lock().await;
            kept.renew(own, &marks);
            kept.before(from, &marks)
        };
        loop {
            let page = Page { after, limit: PAGE };
            let transactions = self.ports.books.book_transactions(page).await;
            let transactions = transactions.map_err(internal)?;
            let Some(last) = transactions.last() else {
                return Ok(ledger);
            };
            after = Some(last.sequence);
            for transaction in &transactions {
                let posted = ledger.post(transaction);
                if each(transaction, posted).is_break() {
                    return Ok(ledger);
                }
            }
        }
    }

    /// What transactions are posted by.
    async fn basis(&self) -> Result<(BTreeSet<NodeSmallId>, BookMarks), Failure> {
        let marks = self.book_marks().await?;
        let nodes = self.ports.state.operator_nodes().await.map_err(internal)?;
        let own = nodes.into_iter().map(|node| node.node_small_id);
        Ok((own.collect(), marks))
    }

    /// What the books need to know. If the contract has been used since its charges were read, they are read again.
    async fn book_marks(&self) -> Result<BookMarks, Failure> {
        let marks = self.ports.books.book_marks().await.map_err(internal)?;
        let is_current = marks.charges.last_read() >= marks.last_version;
        let Some(reconciler) = self.reconciler.as_ref().filter(|_| !is_current) else {
            return Ok(marks);
        };
        match tokio::time::timeout(PATIENCE, reconciler.note_charges()).await {
            Ok(Ok(())) => self.ports.books.book_marks().await.map_err(internal),
            Ok(Err(error)) => {
                debug!(
                    error = with_causes(&error),
                    "can't read the contract's charges"
                );
                Ok(marks)
            }
            Err(_) => Ok(marks),
        }
    }
}
