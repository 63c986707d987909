//! The endpoints of the books.

use atoma_api_types::{BookLineView, BooksCheckedView, EarningsView, StackHistoryView};
use atoma_domain::{NodeSmallId, StackSmallId};

use crate::{Client, ClientError, List};

/// What to sum up or list. What is absent narrows nothing.
#[derive(Clone, Debug, Default)]
pub struct BooksFilter {
    /// The node.
    pub node_small_id: Option<NodeSmallId>,
    /// The first day, in UTC, such as `2026-11-28`.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
}

impl BooksFilter {
    fn of<T: serde::de::DeserializeOwned>(self, list: List<'_, T>) -> List<'_, T> {
        list.with("node_small_id", self.node_small_id)
            .with("from", self.from)
            .with("to", self.to)
    }
}

impl Client {
    /// The totals of the books, by `node`, `task`, `epoch` or `day`; by default by node.
    pub fn earnings(&self, by: Option<&str>, filter: BooksFilter) -> List<'_, EarningsView> {
        filter.of(List::new(self, &["earnings"]).with("by", by))
    }

    /// Every amount of the books with its transaction, in ledger order.
    pub fn book_lines(&self, filter: BooksFilter) -> List<'_, BookLineView> {
        filter.of(List::new(self, &["earnings", "lines"]))
    }

    /// Whether the books agree with the events and with the changes of balances.
    ///
    /// # Errors
    /// When the daemon can't be reached.
    pub async fn check_books(&self) -> Result<BooksCheckedView, ClientError> {
        self.get(&["earnings", "differences"]).await
    }

    /// What happened to a stack, how far it is, and why it stands still.
    ///
    /// # Errors
    /// When the daemon doesn't know the stack, or can't be reached.
    pub async fn stack_history(
        &self,
        stack: StackSmallId,
    ) -> Result<StackHistoryView, ClientError> {
        let stack = stack.to_string();
        self.get(&["stacks", &stack, "history"]).await
    }
}
